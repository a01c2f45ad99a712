"""Look at the raw bytes of a delimited file while it is parsed, for what the parser would let pass in silence.

pyarrow's parser drops a quote that follows a closing one ('"a"b' becomes 'ab') and takes an unclosed quote to the end
of the file for one long value; pandas cuts a value at a NUL byte.
"""

import io
import os
from typing import Any

import numpy as np
import numpy.typing as npt

from goodfit.errors import DataError, Fault
from goodfit.files import CHUNK

BOM = b"\xef\xbb\xbf"
UTF16 = (b"\xff\xfe", b"\xfe\xff")
QUOTE = 0x22
OTHER_KINDS = {
    b"PAR1": "is a Parquet file: use source.kind: parquet",
    b"SQLite format 3": "is an SQLite database: use source.kind: sql",
    b"%PDF": "is a PDF document",
    b"\x89PNG": "is a picture",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook: save it as .xlsx and use source.kind: excel",
    b"ARROW1": "is an Arrow file: save it as Parquet",
    b"\x28\xb5\x2f\xfd": "is packed by zstd: unpack it, or pack it by gzip",
}


class Scanner(io.RawIOBase):
    """A readable that hands on what a stream holds, and raises DataError at bytes that no table in text has.

    Args:
        name: the file, for messages.
        stream: at its start.
        delimiter: one ASCII character, or "" where quotes have no meaning (JSON Lines).
    """

    def __init__(self, name: str, stream: io.FileIO, delimiter: str, *, quotes: bool = True) -> None:
        self._name, self._stream = name, stream
        self._edges = np.zeros(256, dtype=bool)
        self._edges[list(f'{delimiter}\n\r"'.encode())] = True
        self._quotes = quotes
        self._inside = False  # a quote is open
        self._opened_at = 0  # at which byte
        self._position = 0  # of the byte after those that have been handed on
        self._tail = b"\n"  # the byte before what is examined, and the byte whose successor is still unknown
        self.fault: DataError | None = None

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; what is wrong with them is raised and kept in `fault`."""
        chunk = self._stream.read(size) or b""
        try:
            self._examine(chunk)
        except DataError as error:
            self.fault = error
            raise
        return chunk

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as `read` does."""
        chunk = self.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def readable(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()
        super().close()

    def _examine(self, chunk: bytes) -> None:
        start = self._position
        self._position += len(chunk)
        if not start:
            check_kind(self._name, chunk[:16])
        if b"\0" in chunk:
            line = self._line(start + chunk.index(b"\0"))
            remedy = "Remove it. If every second byte is NUL, the file is UTF-16: save it as UTF-8."
            raise DataError([Fault(f"{self._name}: line {line}", "holds a NUL byte, which no text has", None, remedy)])
        if self._quotes:
            self._examine_quotes(chunk if start else chunk.removeprefix(BOM))

    def _examine_quotes(self, chunk: bytes) -> None:
        data = self._tail + (chunk or b"\n")
        if b'"' in data:
            self._check_edges(data, self._position - len(data) + (not chunk))
        self._tail = data[-2:]
        if not chunk and self._inside:
            line = self._line(self._opened_at)
            remedy = "Close it, or set source.quotes to false if quotes are plain characters in this file."
            raise DataError([Fault(f"{self._name}: line {line}", "opens a quote that is never closed", None, remedy)])

    def _check_edges(self, data: bytes, start: int) -> None:
        """Check that opening quotes follow, and closing ones precede, a delimiter, a line end or a quote."""
        values = np.frombuffer(data, dtype=np.uint8)
        positions = np.flatnonzero(values[1:-1] == QUOTE) + 1
        if not len(positions):
            return
        first = int(self._inside)  # of the positions, the first that opens
        before, after = values[positions[first::2] - 1], values[positions[1 - first :: 2] + 1]
        if not (self._edges[before].all() and self._edges[after].all()):
            self._refuse_quote(data, start, positions, first)
        if len(positions) > first:
            self._opened_at = start + int(positions[first::2][-1])
        self._inside ^= bool(len(positions) % 2)

    def _refuse_quote(self, data: bytes, start: int, positions: npt.NDArray[np.int64], first: int) -> None:
        for number, position in enumerate(map(int, positions)):
            opening = (number - first) % 2 == 0
            if not self._edges[data[position - 1 if opening else position + 1]]:
                break
        rule = "has a quote in the middle of a value" if opening else "goes on after the quote that ends a value"
        before, after = data[max(0, position - 20) : position], data[position : position + 20]
        shown = (before.split(b"\n")[-1] + after.split(b"\n")[0]).decode(errors="replace")
        remedy = 'Write the value in quotes and double those inside it ("5"" pipe"), or set source.quotes to false.'
        raise DataError([Fault(f"{self._name}: line {self._line(start + position)}", rule, shown, remedy)])

    def _line(self, position: int) -> int:
        """Return the number of the line that holds a byte, by counting from the start; only a refusal needs it."""
        lines, offset = 1, 0
        while offset < position:
            chunk = os.pread(self._stream.fileno(), min(CHUNK, position - offset), offset)
            lines += chunk.count(b"\n")
            offset += len(chunk) or position
        return lines


def check_kind(name: str, start: bytes) -> None:
    """Raise DataError if the first bytes say that a file is no UTF-8 text."""
    if start.startswith(UTF16):
        raise DataError(
            [
                Fault(
                    name,
                    "is UTF-16, and only UTF-8 is read",
                    None,
                    f"Save it as UTF-8: iconv -f UTF-16 -t UTF-8 '{name}'",
                )
            ]
        )
    for sign, rule in OTHER_KINDS.items():
        if start.startswith(sign):
            raise DataError([Fault(name, rule, None, "Name a file that holds a table.")])


def not_utf8(name: str, stream: io.FileIO) -> DataError:
    """Return the error that names the first line that is not UTF-8."""
    line, rest = 1, b""
    while True:
        chunk = stream.read(1 << 20)
        data = rest + (chunk or b"")
        try:
            data.decode()
            rest = b""
        except UnicodeDecodeError as error:
            if not chunk or error.end < len(data) or len(data) - error.start > 3:
                line += data.count(b"\n", 0, error.start)
                wrong = data[max(0, error.start - 10) : error.start + 10]
                remedy = f"Save it as UTF-8, for example from Latin-1: iconv -f LATIN1 -t UTF-8 '{name}'"
                return DataError([Fault(f"{name}: line {line}", "is not UTF-8", wrong, remedy)])
            data, rest = data[: error.start], data[error.start :]
        line += data.count(b"\n")
        if not chunk:
            return DataError([Fault(name, "is not UTF-8", None, "Save it as UTF-8.")])
