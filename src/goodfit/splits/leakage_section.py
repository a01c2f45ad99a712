"""What each leak check does when it fails."""

from typing import Literal

from goodfit.registry import Section

Action = Literal["stop", "warn", "off"]


class LeakageSection(Section):
    """The leak checks: stop ends the graph after the report is written, warn only says so, off does not look.

    Options:
        duplicates: exact copies (equal in features and target) on both sides of a split.
        ids: the same id (all `schema.id` columns together) on both sides of a split.
        groups: the same `schema.group` on both sides of a split.
        time: rows of an earlier split that are not older, by `schema.time`, than all rows of a later one.
        target_copy: a feature, or the sum or difference of two, that reproduces the target.
        id_like: a text or integer feature with a value of its own in nearly every row.
        missing_class: a class that a split does not have.
        constant: a feature that has the same value in every row.
    """

    duplicates: Action = "stop"
    ids: Action = "stop"
    groups: Action = "stop"
    time: Action = "stop"
    target_copy: Action = "stop"
    id_like: Action = "stop"
    missing_class: Action = "stop"
    constant: Action = "warn"
