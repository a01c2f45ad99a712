"""How much of a search's budget is spent: seconds and epochs."""

from goodfit.tuning.ledger import Ledger
from goodfit.tuning.section import TuneSection


def spent(section: TuneSection, ledger: Ledger) -> bool:
    """Return whether no further batch may begin."""
    late = section.timeout is not None and ledger.seconds >= section.timeout
    return late or (section.epochs is not None and ledger.record.all_epochs >= section.epochs)


def affords_second_look(section: TuneSection, ledger: Ledger) -> bool:
    """Return whether the best trials can be trained again within the budget, judged by what epochs have cost so far."""
    longest = max((trial.epochs for trial in ledger.trials), default=0)
    epochs = longest * section.rescore.top * section.rescore.seeds * max(1, section.folds)
    if section.epochs is not None and ledger.record.epochs + epochs > section.epochs:
        return False
    seconds = epochs * ledger.seconds / max(1, ledger.record.epochs)
    return section.timeout is None or ledger.seconds + seconds <= section.timeout
