"""How much of a search's budget is spent, seconds and epochs, and how long it will go on."""

from goodfit.tuning.ledger import Ledger, Mark, Record
from goodfit.tuning.section import TuneSection


def spent(section: TuneSection, ledger: Ledger) -> bool:
    """Return whether no further batch may begin."""
    late = section.timeout is not None and ledger.seconds >= section.timeout
    return late or (section.epochs is not None and ledger.record.all_epochs >= section.epochs)


def affords_second_look(section: TuneSection, ledger: Ledger) -> bool:
    """Return whether the best trials can be trained again within the budget, judged by what epochs have cost so far."""
    epochs = _epochs_of_looks(ledger.record, section.looks)
    if section.epochs is not None and ledger.record.epochs + epochs > section.epochs:
        return False
    seconds = epochs * ledger.seconds / max(1, ledger.record.epochs)
    return section.timeout is None or ledger.seconds + seconds <= section.timeout


def seconds_left(record: Record, spent: float) -> float | None:
    """Return about how many seconds a search will go on; None while nothing tells.

    What loses ends first, so of a batch that runs only the cheap trials are known: judged is by the batches before it,
    and within the first one only as long as nothing was pruned.

    Args:
        record: what has been asked and told.
        spent: seconds of searching until now.
    """
    mark = record.mark
    if not mark.counted:
        mark = Mark(record.counted, 0, record.epochs, spent)
        if not mark.counted or any(trial.state == "PRUNED" for trial in record.trials):
            return None
    budget = record.budget
    looks = _epochs_of_looks(record, budget["looks"] - mark.rescored) / max(1, mark.epochs)
    left = mark.spent * ((budget["trials"] - mark.counted) / mark.counted + looks + 1) - spent
    if budget["timeout"] is not None:
        left = min(left, budget["timeout"] - spent)
    if budget["epochs"] is not None and record.epochs:
        left = min(left, (budget["epochs"] / record.epochs - 1) * spent)
    return max(0.0, float(left))


def _epochs_of_looks(record: Record, looks: int) -> int:
    """Return what second looks cost at most: the best trials were trained to their end, on every fold."""
    longest = max((trial.epochs for trial in record.trials), default=0)
    return longest * max(0, looks) * int(record.budget["folds"])
