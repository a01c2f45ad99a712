"""Lines of a search space that hold for some tasks only: `when: {task: [binary, multiclass]}`."""

from collections.abc import Mapping

from goodfit.tuning.decisions import is_decision
from goodfit.tuning.dimension import TASK, Dimension


def lines_for(space: Mapping[str, Dimension], task: str | None) -> dict[str, Dimension]:
    """Return the lines of a space that hold for a task, without that condition.

    A line that does not hold is gone, with those that depend on it, and with a decision about nothing else; where it
    says `otherwise`, that remains as its only choice.

    Args:
        space: dotted option to its dimension.
        task: binary, multiclass or regression; None keeps the lines of all, as long as no row has been seen.
    """
    gone = {path for path, line in space.items() if task is not None and task not in line.conditions.get(TASK, [task])}
    while more := {path for path, line in space.items() if path not in gone and gone & line.when.keys()}:
        gone |= more
    named = {other for path in gone for other in space[path].when}
    gone |= {path for path in named & space.keys() if is_decision(path) and _deciding(space, path) <= gone}
    kept = {path: _without(line) for path, line in space.items() if path not in gone}
    fixed = {path: space[path].otherwise for path in sorted(gone) if space[path].otherwise is not None}
    return kept | {path: Dimension(choices=[value]) for path, value in fixed.items()}


def _deciding(space: Mapping[str, Dimension], decision: str) -> set[str]:
    return {path for path, line in space.items() if decision in line.when}


def _without(line: Dimension) -> Dimension:
    if TASK not in line.when:
        return line
    when = {path: values for path, values in line.when.items() if path != TASK}
    return line.model_copy(update={"when": when, "otherwise": line.otherwise if when else None})
