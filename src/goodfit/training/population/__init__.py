"""Many members trained as one program: `fit_population`."""

from goodfit.training.population.candidate import Candidate, Finished, Judge, Pause
from goodfit.training.population.group import GAP
from goodfit.training.population.population import fit_population
from goodfit.training.population.relay import Relay
from goodfit.training.population.rows import RowStore

__all__ = ["GAP", "Candidate", "Finished", "Judge", "Pause", "Relay", "RowStore", "fit_population"]
