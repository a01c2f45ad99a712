"""Column names as they stand in the source: kept to the letter, refused where they cannot name a column."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

from goodfit.errors import DataError, Fault, shorten
from goodfit.stage import say


def check_names(place: str, names: Sequence[object], remedy: str = "Give every column its own name.") -> list[str]:
    """Return the names, each of them text, not empty and unique; say which look like another name.

    Raises:
        DataError: with every name that is empty, repeated, no text, or holds control characters.
    """
    faults = [fault for number, name in enumerate(names, 1) if (fault := _fault(place, number, name, remedy))]
    counts = Counter(name for name in names if isinstance(name, str) and name.strip())
    faults += [
        Fault(f"{place}: column '{name}'", f"stands there {count} times", None, remedy)
        for name, count in counts.items()
        if count > 1
    ]
    if faults:
        raise DataError(faults)
    texts = [str(name) for name in names]
    for name in texts:
        _note(place, name)
    return texts


def _fault(place: str, number: int, name: object, remedy: str) -> Fault | None:
    where = f"{place}: column {number}"
    if name is None or (isinstance(name, str) and not name.strip()):
        return Fault(where, "has no name", None, f"{remedy} A stray delimiter or cell does this, too.")
    if not isinstance(name, str):
        return Fault(where, "has a name that is no text", name, remedy)
    if any(unicodedata.category(letter) == "Cc" for letter in name):
        return Fault(where, "has a name that holds control characters", name, remedy)
    return None


def _note(place: str, name: str) -> None:
    if name != name.strip():
        say(f"{place}: the name of column {shorten(name)} begins or ends with a space; write it so in params.yaml.")
    scripts = {unicodedata.name(letter, "?").split()[0] for letter in name if letter.isalpha()}
    mixed = scripts & {"LATIN", "CYRILLIC", "GREEK"}
    if len(mixed) > 1:
        listed = " and ".join(sorted(script.capitalize() for script in mixed))
        shown = f"{place}: the name of column {shorten(name)}"
        say(f"{shown} mixes {listed} letters, of which some look alike; is that meant?")
