"""What text may stand for, and when: never where a value would change.

A column becomes
- int64 or uint64, if every value is a whole number as a computer writes it: no leading zero, no plus sign;
- float64, if every value is a number (1.5, .5, 2e-3), and every whole one among them fits exactly (up to 2**53);
- bool, if every value is true or false (also True, TRUE, False, FALSE);
- date32, if every value is YYYY-MM-DD;
- timestamp, if every value is YYYY-MM-DD HH:MM, with T or a space, with or without seconds and a fraction of up to nine
  digits; with a zone (Z, +01:00) in every value it is that instant in UTC.
Everything else stays text, to the letter. Spaces around numbers do not matter.
"""

import pyarrow as pa
import pyarrow.compute as pc

EXACT = 2**53
TRUTH = pa.array(["true", "True", "TRUE", "false", "False", "FALSE"])
YEAR_1 = "0001"
KINDS = {
    "int64": pa.int64(),
    "uint64": pa.uint64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "moment": pa.timestamp("us"),
    "moment_ns": pa.timestamp("ns"),
    "instant": pa.timestamp("us", "UTC"),
    "instant_ns": pa.timestamp("ns", "UTC"),
}
"""Each kind that text may stand for, the first that fits all values wins."""
NUMBERS = frozenset({"int64", "uint64", "float64"})
DATES = frozenset(KINDS) - NUMBERS - {"bool"}


def fitting(values: pa.Array, candidates: frozenset[str]) -> frozenset[str]:
    """Return the candidates that every value that is not missing fits exactly."""
    values = values.drop_null()
    if not len(values):
        return candidates
    if candidates & NUMBERS and (found := candidates & _numbers(values, candidates)):
        return found  # what is a number is nothing else
    if "bool" in candidates and pc.all(pc.is_in(values, TRUTH)).as_py():
        return frozenset({"bool"})
    return candidates & _dates(values, candidates) if candidates & DATES else frozenset()


def parsed(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return the values of a column whose type has been settled."""
    if kind == pa.string():
        return values
    if pa.types.is_boolean(kind):
        return pc.utf8_lower(values).cast(kind)
    if pa.types.is_temporal(kind):
        return values.cast(kind)
    cast = _cast(values, kind)
    return trimmed(values).cast(kind) if cast is None else cast


def _numbers(values: pa.Array, candidates: frozenset[str]) -> set[str]:
    found = _plain_numbers(values, candidates)
    if not found and share(values, "^ | $") > 0:
        found = _plain_numbers(trimmed(values), candidates)
    return found


def _plain_numbers(values: pa.Array, candidates: frozenset[str]) -> set[str]:
    if candidates & {"int64", "uint64"}:
        whole = _whole(values, pa.int64())
        if whole is not None:
            low, high = pc.min_max(whole).as_py().values()
            exact = {"float64"} if max(-low, high) <= EXACT else set()
            return {"int64"} | exact | ({"uint64"} if low >= 0 else set())
        if _whole(values, pa.uint64()) is not None:
            return {"uint64"}
    return {"float64"} if "float64" in candidates and _real(values) else set()


def _whole(values: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """Return the numbers if writing them gives the same text again: then nothing is lost."""
    whole = _cast(values, kind)
    return whole if whole is not None and whole.cast(pa.string()).equals(values) else None


def _real(values: pa.Array) -> bool:
    numbers = _cast(values, pa.float64())
    if numbers is None or pc.any(pc.is_nan(numbers)).as_py():
        return False
    if pc.any(pc.match_substring_regex(values, r"^(\+|-?0[0-9])")).as_py():
        return False
    if _vanish(values, numbers):
        return False
    large = values.filter(pc.greater_equal(pc.abs(numbers), float(EXACT)))
    return not len(large) or share(large, "^-?[0-9]+$") == share(large, f"^-?{EXACT}$")  # its neighbour rounds to it


def _vanish(values: pa.Array, numbers: pa.Array) -> bool:
    """Tell whether a number is so small that it would become 0."""
    zero = values.filter(pc.equal(numbers, 0.0))
    return bool(len(zero)) and share(zero, "^[^eE]*[1-9]") > 0


def _dates(values: pa.Array, candidates: frozenset[str]) -> set[str]:
    lengths = pc.min_max(pc.binary_length(values)).as_py()
    if lengths["max"] == lengths["min"] == 10:
        fits = "date" in candidates and _cast(values, pa.date32()) is not None
        return {"date"} if fits and pc.min(values).as_py() >= YEAR_1 else set()
    if lengths["min"] < len("2024-01-31 10:00") or pc.min(values).as_py() < YEAR_1:
        return set()
    wanted = sorted(candidates & (DATES - {"date"}))
    return {kind for kind in wanted if _cast(values, KINDS[kind]) is not None}


def _cast(values: pa.Array, kind: pa.DataType) -> pa.Array | None:
    try:
        return values.cast(kind)
    except pa.ArrowInvalid:
        return None


def trimmed(values: pa.Array) -> pa.Array:
    """Return text without spaces at its ends."""
    return pc.ascii_trim(values, " ")


def share(values: pa.Array, pattern: str) -> float:
    """Return the share of the values that match a pattern."""
    return float(pc.mean(pc.match_substring_regex(values, pattern)).as_py() or 0.0)
