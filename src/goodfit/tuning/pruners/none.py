"""Never end a trial."""

from collections.abc import Set

from goodfit.tuning.pruners.base import PRUNERS, Pruner, Standing


@PRUNERS.register("none", replicas=1)
class NonePruner(Pruner):
    """No pruning: every trial trains to its own end."""

    def losers(self, standing: Standing) -> Set[int]:
        """Return nobody."""
        return set()
