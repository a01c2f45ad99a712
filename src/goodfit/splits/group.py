"""Keep the rows of a group (a patient, a customer, a machine) in one split."""

from goodfit.data import Schema, Table
from goodfit.errors import Fault
from goodfit.splits.allocation import allocate
from goodfit.splits.base import SPLITS, Codes, FractionSplit, Units
from goodfit.splits.units import joined, numbered


@SPLITS.register("group", keeps_units=True)
class GroupSplit(FractionSplit):
    """Deal whole groups out by chance: the model is judged on groups it has never seen.

    The column is `schema.group`; a row without a group is a group by itself. Groups that share an exact copy stay
    together, unless duplicates are allowed. The shares are of rows, and as exact as the groups are small.
    """

    def schema_faults(self, schema: Schema) -> list[Fault]:
        """Return a fault unless the schema names a group column."""
        if schema.names("group"):
            return []
        rule = "split.kind: group needs the column whose values are the groups"
        return [Fault("params.yaml: schema.group", rule, None, "Name it, or choose another split.kind.")]

    def assign(self, table: Table, units: Units, seed: int) -> Codes:
        """Join the units that share a group, shuffle what comes out, and cut it by shares of the rows."""
        groups = numbered(table.frame[table.schema.names("group")[0]])
        return allocate(joined(units, groups), self.fractions, seed)
