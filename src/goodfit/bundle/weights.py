"""Weights as safetensors: a JSON header and raw numbers. The header's claims are checked before anything is loaded."""

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from goodfit.bundle.seal import parsed, refused

MAX_HEADER = 1 << 24
BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


def packed(state: Mapping[str, Tensor]) -> bytes:
    """Return a state_dict as safetensors; equal weights give equal bytes, on every device."""
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in sorted(state.items())})


def unpacked(content: bytes, expected: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file, after its claims were held against the model's own shapes.

    Args:
        content: the whole file.
        expected: the state_dict of the model that bundle.json describes.
        path: for messages.

    Raises:
        DataError: a tensor is missing, alien, of another shape or type or not finite, or the header claims too much.
    """
    claims = _claims(content, path)
    _check_names(set(claims), set(expected), path)
    for name, tensor in expected.items():
        shape = claims[name]
        if shape != tuple(tensor.shape):
            raise refused(path, f"'{name}' has the shape {shape}, and the model needs {tuple(tensor.shape)}")
    try:
        tensors = load(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise refused(path, f"is not valid safetensors: {error}") from error
    for name, tensor in tensors.items():
        _check_values(name, tensor, expected[name].dtype, path)
    return tensors


def _claims(content: bytes, path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape that the header claims for each tensor, once the claims fit the bytes that are there."""
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(MAX_HEADER, len(content) - 8):
        raise refused(path, f"claims a header of {length:,} bytes, more than it holds or may hold ({MAX_HEADER:,})")
    header = parsed(content[8 : 8 + length], path)
    header.pop("__metadata__", None)
    try:
        shapes = {name: tuple(int(size) for size in claim["shape"]) for name, claim in header.items()}
        claimed = sum(math.prod(shapes[name]) * BYTES[claim["dtype"]] for name, claim in header.items())
    except (KeyError, TypeError, ValueError) as error:
        raise refused(path, "has a header that is not of safetensors' form") from error
    if claimed != len(content) - 8 - length:
        raise refused(path, f"claims {claimed:,} bytes of numbers and holds {len(content) - 8 - length:,}")
    return shapes


def _check_names(found: set[str], needed: set[str], path: Path) -> None:
    if missing := sorted(needed - found):
        raise refused(path, f"lacks {', '.join(missing[:5])}: these are the weights of another model")
    if alien := sorted(found - needed):
        raise refused(path, f"holds {', '.join(alien[:5])}, which the model does not have")


def _check_values(name: str, tensor: Tensor, dtype: torch.dtype, path: Path) -> None:
    if tensor.dtype != dtype:
        raise refused(path, f"'{name}' is {tensor.dtype}, and the model needs {dtype}")
    if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
        raise refused(path, f"'{name}' holds NaN or infinity")
