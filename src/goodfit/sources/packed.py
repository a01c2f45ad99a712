"""Read through compression, known by the first bytes and not by the name, and never without a limit."""

import bz2
import gzip
import lzma
import os
import zipfile
import zlib
from typing import IO, cast

from goodfit.errors import DataError, Fault
from goodfit.files import CHUNK
from goodfit.sources.scratch import scratch

MAX_RATIO = 100
"""A table in text shrinks to a tenth, a very regular one to a thirtieth; a bomb to a thousandth."""
ALWAYS_FINE = 1 << 28
"""Bytes that may always come out, whatever went in."""
GZIP, BZIP2, XZ, ZIP = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"PK\x03\x04"
SUFFIXES = {".gz": GZIP, ".bz2": BZIP2, ".xz": XZ, ".zip": ZIP}


def unpacked(name: str, stream: IO[bytes]) -> IO[bytes]:
    """Return the stream itself, or its unpacked content in a nameless file.

    Raises:
        DataError: damaged, a bomb, a zip of several files, or packed otherwise than its name says.
    """
    stream.seek(0)
    magic = stream.read(6)
    stream.seek(0)
    _check_suffix(name, magic)
    try:
        if magic.startswith(ZIP):
            return _from_zip(name, stream)
        for sign, opened in ((GZIP, gzip.open), (BZIP2, bz2.open), (XZ, lzma.open)):
            if magic.startswith(sign):
                with opened(stream, "rb") as inner:
                    return _copied(name, cast(IO[bytes], inner), os.fstat(stream.fileno()).st_size)
    except (
        OSError,
        EOFError,
        lzma.LZMAError,
        zlib.error,
        zipfile.BadZipFile,
        RuntimeError,
        NotImplementedError,
    ) as error:
        if isinstance(error, OSError) and error.errno:
            raise  # the disk's fault, not the file's
        raise _damaged(name, error) from error
    return stream


def check_ratio(name: str, unpacked_bytes: int, packed_bytes: int) -> None:
    """Raise DataError if so much out of so little can only be a bomb."""
    limit = max(ALWAYS_FINE, MAX_RATIO * packed_bytes)
    if unpacked_bytes > limit:
        rule = f"unpacks to more than {limit:,} bytes, {MAX_RATIO} times its size: that is no table but a bomb"
        raise DataError([Fault(name, rule, None, "If it is a table, unpack it yourself and name the unpacked file.")])


def _check_suffix(name: str, magic: bytes) -> None:
    for suffix, sign in SUFFIXES.items():
        if name.lower().endswith(suffix) and not magic.startswith(sign):
            rule = f"ends in {suffix}, and its first bytes say it is not packed so"
            raise DataError([Fault(name, rule, magic, "Give it the suffix of what it is, or pack it again.")])


def _copied(name: str, inner: IO[bytes], packed_bytes: int) -> IO[bytes]:
    target, written = scratch(), 0
    try:
        while chunk := inner.read(CHUNK):
            written += len(chunk)
            check_ratio(name, written, packed_bytes)
            target.write(chunk)
    except BaseException:
        target.close()
        raise
    return target


def _from_zip(name: str, stream: IO[bytes]) -> IO[bytes]:
    with zipfile.ZipFile(stream) as archive:
        members = [item for item in archive.infolist() if not item.is_dir()]
        names = [item.filename for item in members]
        if "[Content_Types].xml" in names:
            raise DataError([Fault(name, "is an Excel workbook, not text", None, "Use source.kind: excel.")])
        if len(members) != 1:
            rule = f"is a zip of {len(members)} files, and exactly one can be read"
            raise DataError([Fault(name, rule, ", ".join(names), "Unpack the one you mean and name that.")])
        with archive.open(members[0]) as inner:
            return _copied(name, inner, os.fstat(stream.fileno()).st_size)


def _damaged(name: str, error: Exception) -> DataError:
    remedy = "Fetch or pack it again; a file with a password must be unpacked by you."
    return DataError([Fault(name, f"cannot be unpacked: {error}", None, remedy)])
