"""The training section: its defaults, and what it refuses."""

from typing import Any

import pytest

from goodfit.errors import ConfigurationError
from goodfit.params import check
from goodfit.registry import Section
from goodfit.training import TrainingSection, derived


class Tree(Section):
    training: TrainingSection = TrainingSection()


def test_defaults_are_complete() -> None:
    section = check({}, Tree, "params.yaml").training
    assert (section.optimizer.kind, section.schedule.kind, section.device) == ("adamw", "cosine", "cpu")
    assert section.threads == 1


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"epochs": 0}, "training.epochs"),
    ({"epcohs": 3}, "Did you mean 'epochs'?"),
    ({"batch_size": -1}, "training.batch_size"),
    ({"batch_size": 2.5}, "needs a whole number"),
    ({"optimizer": {"kind": "adm"}}, "Did you mean 'adam'?"),
    ({"optimizer": {"kind": "adam", "lr": 0}}, "training.optimizer.lr"),
    ({"optimizer": {"kind": "adam", "lr": float("nan")}}, "training.optimizer.lr"),
    ({"optimizer": {"kind": "adam", "lr": "1e-3"}}, "needs a number, not text"),
    ({"schedule": {"kind": "cosin"}}, "Did you mean 'cosine'?"),
    ({"device": "gpu"}, "training.device"),
    ({"threads": 0}, "training.threads"),
]


@pytest.mark.parametrize(("section", "message"), WRONG)
def test_what_is_wrong_is_refused_by_name(section: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check({"training": section}, Tree, "params.yaml")
    assert message in str(caught.value)


def test_derived_seeds_are_stable_and_far_apart() -> None:
    assert derived(1, "epoch", 2) == derived(1, "epoch", 2)
    seeds = {derived(seed, use, number) for seed in range(20) for use in ("epoch", "batches") for number in range(20)}
    assert len(seeds) == 800
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derived(1, "epoch", 12) != derived(11, "epoch", 2)
