"""Several objectives at once."""

from typing import Annotated, Any

import optuna
from pydantic import Field

from goodfit.tuning.samplers.base import SAMPLERS
from goodfit.tuning.samplers.study import StudySampler
from goodfit.tuning.trial import Trial


@SAMPLERS.register("nsga2", several=True, learns=True)
class Nsga2Sampler(StudySampler):
    """Elitist genetic search for the front between `tune.objective` and `tune.against`.

    Source: Deb et al., A fast and elitist multiobjective genetic algorithm: NSGA-II, IEEE Trans. Evol. Comp. 6, 2002.

    Options:
        population: trials of one generation; a proposal crosses and mutates the best of the generations before.
    """

    directions = ("minimize", "minimize")
    most = 100_000

    def __init__(self, *runtime: Any, population: Annotated[int, Field(ge=2, le=1000)] = 16) -> None:
        super().__init__(*runtime)
        self.population = population

    def built(self, seed: int) -> optuna.samplers.BaseSampler:
        """Return Optuna's."""
        return optuna.samplers.NSGAIISampler(population_size=self.population, seed=seed)

    def attributes(self, trial: Trial) -> dict[str, int]:
        """Return the generation, which the number alone decides: a resumed search numbers as an undisturbed one."""
        return {optuna.samplers.NSGAIISampler._get_generation_key(): trial.number // self.population}

    def values(self, trial: Trial) -> list[float]:
        """Return both objectives."""
        return [] if trial.value is None else [trial.value, float(trial.against or 0.0)]
