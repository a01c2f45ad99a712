"""Bundles made to harm: each is refused, soon, by name, and nothing of it runs."""

import hashlib
import json
import os
import pickle
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from goodfit.bundle import load_bundle, save_bundle
from goodfit.errors import DataError

SECONDS = 5.0


def seal(folder: Path) -> None:
    files = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("bundle.json", "weights.safetensors")
    }
    (folder / "manifest.json").write_text(json.dumps({"files": files}))


class Poison:
    """Runs a command when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return os.system, (f"touch '{self.canary}'",)


def pickled_weights(folder: Path, canary: Path) -> None:
    torch.save({"head.weight": Poison(canary)}, folder / "weights.safetensors")
    seal(folder)


def bare_pickle(folder: Path, canary: Path) -> None:
    (folder / "weights.safetensors").write_bytes(pickle.dumps(Poison(canary)))
    seal(folder)


def object_array(folder: Path, canary: Path) -> None:
    np.save(folder / "weights.npy", np.array([Poison(canary)], dtype=object), allow_pickle=True)
    (folder / "weights.npy").rename(folder / "weights.safetensors")
    seal(folder)


def pickle_beside(folder: Path, canary: Path) -> None:
    (folder / "model.pth").write_bytes(pickle.dumps(Poison(canary)))


def code_folder(folder: Path, canary: Path) -> None:
    (folder / "code").mkdir()
    (folder / "code" / "goodfit.py").write_text(f"open({str(canary)!r}, 'w')")


def loader_module(folder: Path, canary: Path) -> None:
    changed(folder, lambda record: record.update(loader_module="code.loader"))


def traversal(folder: Path, canary: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["../../outside"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(manifest))


def linked_weights(folder: Path, canary: Path) -> None:
    target = folder.parent / "elsewhere"
    (folder / "weights.safetensors").rename(target)
    (folder / "weights.safetensors").symlink_to(target)


def fifo(folder: Path, canary: Path) -> None:
    (folder / "weights.safetensors").unlink()
    os.mkfifo(folder / "weights.safetensors")


def sparse(folder: Path, canary: Path) -> None:
    os.truncate(folder / "weights.safetensors", 10 << 30)


def sparse_record(folder: Path, canary: Path) -> None:
    os.truncate(folder / "bundle.json", 10 << 30)


def long_header(folder: Path, canary: Path) -> None:
    (folder / "weights.safetensors").write_bytes(struct.pack("<Q", 10 << 30) + b"{}")
    seal(folder)


def claimed(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = (folder / "weights.safetensors").read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    (folder / "weights.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
    seal(folder)


def huge_tensor(folder: Path, canary: Path) -> None:
    claimed(folder, lambda header: header["head.weight"].update(shape=[10**6, 10**6]))


def negative_shape(folder: Path, canary: Path) -> None:
    claimed(folder, lambda header: header["head.weight"].update(shape=[-1, -128]))


def shared_bytes(folder: Path, canary: Path) -> None:
    def overlap(header: dict[str, Any]) -> None:
        header["head.bias"]["data_offsets"] = header["head.weight"]["data_offsets"]

    claimed(folder, overlap)


def no_shape(folder: Path, canary: Path) -> None:
    claimed(folder, lambda header: header.update({"head.weight": 7}))


def odd_type(folder: Path, canary: Path) -> None:
    claimed(folder, lambda header: header["head.weight"].update(dtype="PICKLE"))


def with_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    tensors = load((folder / "weights.safetensors").read_bytes())
    change(tensors)
    (folder / "weights.safetensors").write_bytes(save(tensors))
    seal(folder)


def nan(folder: Path, canary: Path) -> None:
    with_weights(folder, lambda tensors: tensors["head.weight"].__setitem__((0, 0), float("nan")))


def infinity(folder: Path, canary: Path) -> None:
    with_weights(folder, lambda tensors: tensors["head.bias"].__setitem__(0, float("inf")))


def other_shape(folder: Path, canary: Path) -> None:
    with_weights(folder, lambda tensors: tensors.update({"head.weight": torch.zeros(1, 64)}))


def other_numbers(folder: Path, canary: Path) -> None:
    with_weights(folder, lambda tensors: tensors.update({"head.weight": tensors["head.weight"].int()}))


def a_tensor_more(folder: Path, canary: Path) -> None:
    with_weights(folder, lambda tensors: tensors.update({"backdoor": torch.zeros(1)}))


def a_tensor_less(folder: Path, canary: Path) -> None:
    with_weights(folder, lambda tensors: tensors.pop("head.bias"))


def flipped(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[-20] ^= 1
    (folder / name).write_bytes(content)


def flipped_weights(folder: Path, canary: Path) -> None:
    flipped(folder, "weights.safetensors")


def flipped_record(folder: Path, canary: Path) -> None:
    flipped(folder, "bundle.json")


def no_manifest(folder: Path, canary: Path) -> None:
    (folder / "manifest.json").unlink()


def torn_manifest(folder: Path, canary: Path) -> None:
    (folder / "manifest.json").write_text('{"files": {"bundle')


def list_manifest(folder: Path, canary: Path) -> None:
    (folder / "manifest.json").write_text("[]")


def empty_weights(folder: Path, canary: Path) -> None:
    (folder / "weights.safetensors").write_bytes(b"")
    seal(folder)


def written(folder: Path, text: str) -> None:
    (folder / "bundle.json").write_text(text)
    seal(folder)


def changed(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    record = json.loads((folder / "bundle.json").read_text())
    change(record)
    written(folder, json.dumps(record))


POISON: dict[str, Callable[[Path, Path], object]] = {
    call.__name__: call
    for call in (
        pickled_weights, bare_pickle, object_array, pickle_beside, code_folder, loader_module, traversal,
        linked_weights, fifo, sparse, sparse_record, long_header, huge_tensor, negative_shape, shared_bytes,
        no_shape, odd_type, nan, infinity, other_shape, other_numbers, a_tensor_more, a_tensor_less,
        flipped_weights, flipped_record, no_manifest, torn_manifest, list_manifest, empty_weights,
    )
}  # fmt: skip
RECORDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another model": lambda record: record["model"].update(kind="backdoor"),
    "another width": lambda record: record["model"].update(width=64),
    "a network of terabytes": lambda record: record["model"].update(width=65536, layers=256),
    "columns by the hundred thousand": lambda record: record["preprocessor"].update(coded=MANY),
    "another form": lambda record: record.update(format=2),
    "another task": lambda record: record["columns"].update(task="backdoor"),
    "no columns": lambda record: record["columns"].update(columns=[]),
    "columns of another kind": lambda record: record["columns"].update(columns=7),
    "no preprocessor": lambda record: record.update(preprocessor={}),
    "a list for a preprocessor": lambda record: record.update(preprocessor=[1]),
    "no temperature": lambda record: record.update(temperature=0),
    "a threshold beyond": lambda record: record.update(threshold=2),
    "an option more": lambda record: record["model"].update(code="import os"),
}
MANY = [{"type": "categorical", "column": f"c{i}", "levels": []} for i in range(200_000)]
TEXTS = {
    "not a number": '{"temperature": NaN}',
    "endless nesting": "[" * 100_000,
    "nested objects": '{"model":' * 100_000,
    "a list": "[]",
    "nothing": "",
    "not text": "\udcff",
}


@pytest.fixture
def refused(saved: Path, tmp_path: Path) -> Callable[[], str]:
    def load_and_tell() -> str:
        started = time.process_time()  # a busy machine is no fault of the bundle
        with pytest.raises(DataError) as caught:
            load_bundle(saved)
        assert time.process_time() - started < SECONDS
        assert not (tmp_path / "canary").exists()
        assert str(saved) in str(caught.value)
        assert len(str(caught.value)) < 2000
        return str(caught.value)

    return load_and_tell


@pytest.mark.parametrize("name", POISON)
def test_a_poisoned_bundle_is_refused(saved: Path, tmp_path: Path, refused: Callable[[], str], name: str) -> None:
    load_bundle(saved)
    POISON[name](saved, tmp_path / "canary")
    refused()


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_of_something_else_is_refused(saved: Path, refused: Callable[[], str], name: str) -> None:
    changed(saved, RECORDS[name])
    refused()


@pytest.mark.parametrize("name", TEXTS)
def test_a_malformed_record_is_refused(saved: Path, refused: Callable[[], str], name: str) -> None:
    (saved / "bundle.json").write_bytes(TEXTS[name].encode(errors="surrogateescape"))
    seal(saved)
    refused()


@pytest.mark.parametrize("kind", ["link", "file", "nothing"])
def test_what_is_no_folder_is_refused(saved: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "other"
    if kind == "link":
        path.symlink_to(saved)
    if kind == "file":
        path.write_text("")
    with pytest.raises(DataError, match="must be the folder of a bundle"):
        load_bundle(path)


OPENED: dict[str, Callable[[Path], object]] = {
    "pickled_weights": lambda path: torch.load(path.rename(path.with_suffix(".pt")), weights_only=False),
    "bare_pickle": lambda path: pickle.loads(path.read_bytes()),
    "object_array": lambda path: np.load(path, allow_pickle=True),
}


@pytest.mark.parametrize("name", OPENED)
def test_the_poison_is_real(saved: Path, tmp_path: Path, name: str) -> None:
    """The canary would be there, were the file opened in the usual way."""
    POISON[name](saved, tmp_path / "canary")
    OPENED[name](saved / "weights.safetensors")
    assert (tmp_path / "canary").exists()


def test_messages_name_the_file_and_the_way_out(saved: Path, refused: Callable[[], str]) -> None:
    flipped(saved, "weights.safetensors")
    assert refused() == (
        f"{saved / 'weights.safetensors'}: is not the file that was sealed: its SHA-256 differs from manifest.json."
        " Let goodfit write it again: dvc repro train."
    )


def test_a_save_that_was_cut_short_is_no_bundle(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = load_bundle(saved)
    monkeypatch.setattr("goodfit.bundle.seal.write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        save_bundle(saved, bundle)
    with pytest.raises(DataError, match=r"lacks manifest\.json"):
        load_bundle(saved)
