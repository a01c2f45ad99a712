"""Text that a spreadsheet would take for a formula, made harmless on its way into a CSV file (OWASP ASVS 1.2.10)."""

import pyarrow as pa
import pyarrow.compute as pc

FORMULA = "^[=+\\-@\t\r\0\uff1d\uff0b\uff0d\uff20]"
PLAIN_NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"


def escaped(values: pa.Array) -> pa.Array:
    """Return text with a ' before whatever begins like a formula; numbers, also as text, stay what they are."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return values
    risky = pc.and_(
        pc.match_substring_regex(values, FORMULA), pc.invert(pc.match_substring_regex(values, PLAIN_NUMBER))
    )
    if not pc.any(risky).as_py():
        return values
    return pc.if_else(
        risky, pc.binary_join_element_wise(pa.scalar("'", values.type), values, pa.scalar("", values.type)), values
    )


def escaped_name(name: str) -> str:
    """Return a column name that no spreadsheet takes for a formula."""
    return str(escaped(pa.array([name]))[0].as_py())
