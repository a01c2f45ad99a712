"""The last trial of a batch trains on beside the next one, which changes no value and survives every kill."""

import importlib.util
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goodfit.tuning import Batch, Outcome, Proposal, SearchResult
from goodfit.tuning.journal import read_events
from goodfit.tuning.ledger import Ledger
from goodfit.tuning.status import read_record
from goodfit.tuning.trial import Paused


def value(proposal: Proposal, epochs: int) -> float:
    width = proposal.overrides["model.width"]
    assert isinstance(width, int)
    return abs(width - 40) / 100 + proposal.seed / 2**40 + 1 / epochs


class Pausing:
    """Runs batches like the population does: all but one end after two epochs, one goes on beside the next batch."""

    def __init__(self) -> None:
        self.batches: list[tuple[list[int], list[int], bool]] = []

    def __call__(self, batch: Batch) -> Iterator[Outcome | Paused]:
        paused = {trial.number: trial.epochs for trial in batch.paused}
        self.batches.append(([p.number for p in batch.proposals], sorted(paused), batch.may_pause))
        new = [proposal for proposal in batch.proposals if proposal.number not in paused]
        for proposal in batch:
            if proposal.number in paused:
                yield self.outcome(proposal, paused[proposal.number] + 3, "COMPLETE")
            elif proposal is not new[-1]:
                yield self.outcome(proposal, 2, "PRUNED")
            elif batch.may_pause:
                yield Paused(self.outcome(proposal, 2, "PRUNED"))
            else:
                yield self.outcome(proposal, 5, "COMPLETE")

    def outcome(self, proposal: Proposal, epochs: int, state: Any) -> Outcome:
        curve = [value(proposal, epoch + 1) for epoch in range(epochs)]
        return Outcome(proposal.number, state, min(curve), epochs, 0.1, curves={"valid/loss": curve})


def facts(result: SearchResult) -> list[Any]:
    return [(t.number, t.state, t.value, t.params, t.seed, t.epochs) for t in result.trials]


def test_who_is_paused_goes_on_beside_the_next_batch_and_the_last_batch_ends(lab: Any) -> None:
    run = Pausing()
    result = lab.search(run_batch=run, trials=8, batch=3)
    assert run.batches == [
        ([0, 1, 2], [], True),
        ([2, 3, 4, 5], [2], True),
        ([5, 6, 7], [5], False),
    ]
    assert [trial.state for trial in result.trials] == [
        *["PRUNED"] * 2,
        "COMPLETE",
        *["PRUNED"] * 2,
        "COMPLETE",
        "PRUNED",
        "COMPLETE",
    ]
    assert [trial.number for trial in result.trials] == list(range(8))


def test_the_sampler_knows_how_far_a_paused_trial_has_come(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from goodfit.tuning.samplers.tpe import TpeSampler

    known: list[list[tuple[int, str, int]]] = []
    propose = TpeSampler.propose

    def seen(self: Any, trials: Any, *rest: Any) -> Any:
        known.append([(t.number, t.state, t.epochs) for t in trials])
        return propose(self, trials, *rest)

    monkeypatch.setattr(TpeSampler, "propose", seen)
    lab.search(run_batch=Pausing(), trials=6, batch=3)
    assert known[1] == [(0, "PRUNED", 2), (1, "PRUNED", 2), (2, "PRUNED", 2)]


def test_a_kill_at_every_failpoint_of_a_search_that_pauses_changes_nothing(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        passed: Counter[str] = lab.kill_at(patch, -1)
        calm = lab.search("calm", run_batch=Pausing(), trials=8, batch=3)
    assert passed["search.paused"] == 2
    for passage in range(1, passed.total() + 1):
        with monkeypatch.context() as patch, pytest.raises(lab.Killed):
            lab.kill_at(patch, passage)
            lab.search(f"killed{passage}", run_batch=Pausing(), trials=8, batch=3)
        resumed = lab.search(f"killed{passage}", run_batch=Pausing(), trials=8, batch=3)
        assert facts(resumed) == facts(calm), passage


def test_who_may_not_pause_and_says_so_has_ended(lab: Any) -> None:
    """A runner that pauses where it may not has broken its promise: what it says counts as an end."""

    def always(batch: Batch) -> Iterator[Outcome | Paused]:
        for proposal in batch:
            yield Paused(Outcome(proposal.number, "PRUNED", 1.0, 1)) if proposal.number else Outcome(0, "COMPLETE", 1.0)

    result = lab.search(run_batch=always, trials=3, batch=3)
    assert [trial.state for trial in result.trials] == ["COMPLETE", "PRUNED", "PRUNED"]


def test_a_paused_trial_is_under_way_for_whoever_watches(lab: Any) -> None:
    class Killed(BaseException):
        pass

    def dying(batch: Batch) -> Iterator[Outcome | Paused]:
        yield from Pausing()(batch)
        raise Killed

    with pytest.raises(Killed):
        lab.search(run_batch=dying, trials=8, batch=3)
    record = read_record(lab.folder / "state/trials.jsonl")
    assert (record.training, record.counted, record.epochs, record.all_epochs) == (1, 2, 4, 6)


def test_when_time_is_up_who_is_paused_goes_on_alone(lab: Any) -> None:
    run = Pausing()
    result = lab.search(run_batch=run, trials=50, batch=3, epochs=6)
    assert run.batches == [([0, 1, 2], [], True), ([2], [2], False)]
    assert [trial.state for trial in result.trials] == ["PRUNED", "PRUNED", "COMPLETE"]
    assert "the epochs were used up after 3 of 50 trials" in result.notes[-1]


def test_no_pause_between_two_objectives(lab: Any) -> None:
    run = Pausing()
    lab.search(run_batch=run, trials=6, batch=3, sampler="random", against="parameters", pruner="none")
    assert [may for _, _, may in run.batches] == [False, False]


def runner_tests() -> Any:
    """The searches with real trainings of test_population_runner.py."""
    spec = importlib.util.spec_from_file_location("runner", Path(__file__).with_name("test_population_runner.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_real_search_pauses_and_its_trials_are_what_they_are_alone(tmp_path: Path) -> None:
    """Without a rival at its epochs, a trial ends in the same bits whether it was paused or not."""
    runner = runner_tests()
    result = runner.searched(tmp_path / "many", trials=9, pruner={"kind": "halving", "first": 1}, sampler="random")
    events = read_events(tmp_path / "many/.goodfit/state/tune/key/trials.jsonl")
    paused = [event["outcome"]["number"] for event in events if event["event"] == "paused"]
    assert paused
    alone = runner.searched(tmp_path / "one", trials=9, batch=1, pruner="none", sampler="random")
    for trial in result.trials:
        curve = alone.trials[trial.number].curves["valid/loss"]
        assert trial.params == alone.trials[trial.number].params
        assert trial.curves["valid/loss"] == pytest.approx(curve[: trial.epochs], abs=1e-5)
    assert any(len(result.trials[number].curves["valid/loss"]) == 4 for number in paused)
    assert len(list((tmp_path / "many/.goodfit/state/tune/key/fits").iterdir())) <= 1


def test_a_power_cut_that_takes_what_was_not_yet_on_disk_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only that a batch was asked for is waited for, so a power cut may take all that came of it."""
    runner = runner_tests()
    options: dict[str, Any] = {"trials": 12, "pruner": {"kind": "halving", "first": 1}}
    calm = runner.searched(tmp_path / "calm", **options)
    ask, asked = Ledger.ask, [0]

    def cut(self: Ledger, *arguments: Any) -> None:
        if asked[0] == 0:
            raise runner.Killed
        asked[0] -= 1
        ask(self, *arguments)

    for batches in range(1, 4):
        asked[0] = batches
        with monkeypatch.context() as patch, pytest.raises(runner.Killed):
            patch.setattr(Ledger, "ask", cut)
            runner.searched(tmp_path / f"cut{batches}", **options)
        journal = tmp_path / f"cut{batches}/.goodfit/state/tune/key/trials.jsonl"
        lines = journal.read_bytes().splitlines(keepends=True)
        last = max(place for place, line in enumerate(lines) if b'"event": "asked"' in line)
        assert len(lines) > last + 1
        journal.write_bytes(b"".join(lines[: last + 1]))
        assert runner.facts(runner.searched(tmp_path / f"cut{batches}", **options)) == runner.facts(calm), batches


def test_the_journal_says_what_pauses(lab: Any) -> None:
    lab.search(run_batch=Pausing(), trials=6, batch=3)
    lines = read_events(lab.folder / "state/trials.jsonl")
    assert [line["event"] for line in lines] == ["began", "asked", *["told"] * 2, "paused", "asked", *["told"] * 4]
    assert [line["may_pause"] for line in lines if line["event"] == "asked"] == [True, False]


@pytest.mark.parametrize(("size", "pauses"), [(1, False), (2, False), (3, True)])
def test_a_batch_of_one_or_two_comes_to_its_end(tmp_path: Path, size: int, pauses: bool) -> None:
    """Joined by the next one after its first epoch, it would teach the sampler nothing."""
    runner_tests().searched(tmp_path, trials=7, batch=size, pruner={"kind": "halving", "first": 1}, sampler="random")
    events = read_events(tmp_path / ".goodfit/state/tune/key/trials.jsonl")
    assert any(event["event"] == "paused" for event in events) is pauses
    assert sum(event["event"] == "told" for event in events) == 7
