"""What every sampler keeps to: legal proposals that depend on the seed, the number and the trials before, only."""

import math
from dataclasses import replace
from typing import Any

import pytest

from goodfit.tuning import SAMPLERS, Axis, Dimension, Proposal, Space, Trial, TuneSection
from goodfit.tuning.proposing import Proposer
from goodfit.tuning.starts import Start

PLAIN: dict[str, Any] = {
    "model.layers": {"low": 1, "high": 3},
    "model.width": {"low": 8, "high": 256, "log": True},
    "training.optimizer.lr": {"low": 1e-4, "high": 1e-1, "log": True},
    "regularization.dropout.p": {"low": 0.0, "high": 0.5, "step": 0.1},
    "training.optimizer.kind": {"choices": ["adam", "sgd", None]},
}
CONDITIONAL = PLAIN | {
    "training.optimizer.momentum": {"low": 0.0, "high": 0.9, "when": {"training.optimizer.kind": "sgd"}},
    "training.optimizer.nesterov": {
        "choices": [True, False],
        "when": {"training.optimizer.momentum": [0.0], "training.optimizer.kind": ["sgd"]},
    },
}
KINDS = sorted(SAMPLERS)


def made(kind: str, space: dict[str, Any], starts: tuple[Start, ...] = ()) -> Proposer:
    options: dict[str, Any] = {"trials": 40, "startup_trials": 4, "sampler": kind, "space": space}
    if kind == "nsga2":
        options |= {"against": "parameters", "pruner": "none", "sampler": {"kind": "nsga2", "population": 4}}
    section = TuneSection.model_validate(options)
    whole = {"model.layers", "model.width"}
    axes = Space(tuple(Axis(path, d, path in whole) for path, d in sorted(section.space.items())))
    return Proposer(section, axes, 7, starts)


def outcome(proposal: Proposal) -> Trial:
    """Every fifth fails, every third is pruned; the value depends on the settings alone."""
    numbers = [abs(v) for v in proposal.overrides.values() if isinstance(v, int | float) and not isinstance(v, bool)]
    state: Any = "FAIL" if proposal.number % 5 == 4 else "PRUNED" if proposal.number % 3 == 2 else "COMPLETE"
    value = None if state == "FAIL" else sum(math.log1p(v) for v in numbers)
    return Trial(proposal.number, state, value, 3, 0.0, proposal.overrides, proposal.seed, against=float(numbers[0]))


def searched(kind: str, space: dict[str, Any], batches: int, restart: bool) -> list[Proposal]:
    proposer, trials, every = made(kind, space), [], []  # type: ignore[var-annotated]
    for _ in range(batches):
        proposer = made(kind, space) if restart else proposer
        proposals = proposer.propose(trials, 4)
        every += proposals
        trials += [outcome(proposal) for proposal in proposals]
    return every


@pytest.mark.parametrize("space", [PLAIN, CONDITIONAL], ids=["plain", "conditional"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_sampler_that_is_made_anew_proposes_what_one_that_lives_on_does(kind: str, space: dict[str, Any]) -> None:
    batches = 2 if kind == "gp" else 5
    alive = searched(kind, space, batches, restart=False)
    assert searched(kind, space, batches, restart=True) == alive
    assert len({str(sorted(p.overrides.items(), key=str)) for p in alive}) > len(alive) // 2


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_exists_is_proposed_and_it_lies_inside(kind: str) -> None:
    proposals = searched(kind, CONDITIONAL, 2 if kind == "gp" else 5, restart=False)
    kinds = {proposal.overrides["training.optimizer.kind"] for proposal in proposals}
    assert "sgd" in kinds
    assert len(kinds) > 1
    for proposal in proposals:
        settings = proposal.overrides
        assert ("training.optimizer.momentum" in settings) == (settings["training.optimizer.kind"] == "sgd")
        for path, value in settings.items():
            assert Dimension.model_validate(CONDITIONAL[path]).contains(value), (path, value)
        assert isinstance(settings["model.layers"], int)


@pytest.mark.parametrize("kind", KINDS)
def test_starts_take_the_first_numbers_and_the_rest_does_not_repeat_them(kind: str) -> None:
    settings = {
        "model.layers": 2,
        "model.width": 64,
        "training.optimizer.lr": 0.001,
        "regularization.dropout.p": 0.2,
        "training.optimizer.kind": "adam",
    }
    proposals = made(kind, PLAIN, (Start(settings, "params.yaml"),)).propose([], 3)
    assert [p.number for p in proposals] == [0, 1, 2]
    assert (proposals[0].overrides, proposals[0].origin) == (settings, "params.yaml")
    assert settings not in [p.overrides for p in proposals[1:]]
    assert [p.origin for p in proposals[1:]] == ["sampler", "sampler"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_sampler_learns_from_trials_if_its_registration_says_so(kind: str) -> None:
    proposer = made(kind, PLAIN)
    trials = [outcome(proposal) for proposal in proposer.propose([], 12)]
    turned = [replace(t, value=-t.value if t.value else None, against=-(t.against or 0.0)) for t in trials]
    same = proposer.propose(trials, 4) == proposer.propose(turned, 4)
    assert same != SAMPLERS[kind].facts["learns"]


def test_a_grid_is_walked_once_and_ends() -> None:
    space = {"model.layers": {"low": 1, "high": 3}, "model.act": {"choices": ["tanh", "relu"]}}
    proposer, trials = made("grid", space), []  # type: ignore[var-annotated]
    while proposals := proposer.propose(trials, 4):
        trials += [outcome(proposal) for proposal in proposals]
    assert len(trials) == 6
    assert len({tuple(trial.params.items()) for trial in trials}) == 6


@pytest.mark.parametrize("kind", ["tpe", "cmaes"])
def test_a_sampler_that_learns_beats_chance(kind: str) -> None:
    """The mean of what it proposes last lies far nearer to the optimum than a random proposal."""
    space = {"model.x": {"low": -1.0, "high": 1.0}, "model.y": {"low": -1.0, "high": 1.0}}

    def loss(proposal: Proposal) -> float:
        x, y = float(str(proposal.overrides["model.x"])), float(str(proposal.overrides["model.y"]))
        return (x - 0.3) ** 2 + (y + 0.4) ** 2

    def late(name: str) -> float:
        proposer, trials = made(name, space), []  # type: ignore[var-annotated]
        for _ in range(15):
            batch = proposer.propose(trials, 6)
            trials += [Trial(p.number, "COMPLETE", loss(p), 1, 0.0, p.overrides, p.seed) for p in batch]
        return sum(t.value for t in trials[-24:]) / 24

    assert late(kind) < 0.25 * late("random")
