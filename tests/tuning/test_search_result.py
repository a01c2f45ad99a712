"""The files of a search: trials.csv and best.yaml, whole, deterministic and readable by everything else."""

import math
import tempfile
from pathlib import Path
from typing import Any

import pandas
from hypothesis import given, settings
from hypothesis import strategies as st

from goodfit.params import read_yaml
from goodfit.tuning import Axis, Dimension, SearchResult, Space, Trial
from goodfit.tuning.result import edge_notes


def test_trials_csv_has_the_columns_of_the_contract(lab: Any) -> None:
    result = lab.search()
    result.write_trials_csv(lab.folder / "reports/trials.csv")
    frame = pandas.read_csv(lab.folder / "reports/trials.csv")
    searched = ["model.width", "regularization.dropout.p", "training.optimizer.kind"]
    assert list(frame.columns) == ["number", "state", "value", "epochs", "duration_s", *searched]
    assert list(frame["state"]) == [t.state for t in result.trials]
    assert math.isnan(frame["value"][6])
    assert list(frame["value"].dropna()) == [t.value for t in result.trials if t.value is not None]
    assert list(frame["model.width"]) == [t.params["model.width"] for t in result.trials]


def test_the_files_are_equal_in_every_run(lab: Any) -> None:
    for name in ("one", "two"):
        result = lab.search(name, run=lambda p: _failed(p) if p.number == 6 else lab.outcome(p))
        result.write_trials_csv(lab.folder / name / "trials.csv")
        result.write_best(lab.folder / name / "best.yaml")
    for file in ("trials.csv", "best.yaml"):
        assert (lab.folder / "one" / file).read_bytes() == (lab.folder / "two" / file).read_bytes()


def _failed(proposal: Any) -> Any:
    from goodfit.tuning import Outcome

    return Outcome(proposal.number, "FAIL", error="diverged")


def test_the_order_of_the_space_in_params_yaml_does_not_matter(lab: Any) -> None:
    space = lab.section().model_dump()["space"]
    one = lab.search("one", space=space)
    two = lab.search("two", space=dict(reversed(space.items())))
    assert [t.params for t in one.trials] == [t.params for t in two.trials]


def test_without_a_search_the_files_hold_nothing_and_can_be_read(lab: Any) -> None:
    result = lab.search(trials=0)
    result.write_best(lab.folder / "best.yaml")
    result.write_trials_csv(lab.folder / "trials.csv")
    assert (lab.folder / "best.yaml").read_text() == "{}\n"
    assert read_yaml(lab.folder / "best.yaml") == {}
    assert len(pandas.read_csv(lab.folder / "trials.csv")) == 0


def test_leaders_are_the_completed_trials_and_then_those_who_came_far(lab: Any) -> None:
    from goodfit.tuning import Outcome

    ends = [("PRUNED", 0.1, 1), ("COMPLETE", 0.9, 5), ("PRUNED", 0.7, 3), ("COMPLETE", 0.8, 5), ("PRUNED", 0.6, 3)]
    result = lab.search(run=lambda p: Outcome(p.number, *ends[p.number]), trials=5)
    result.write_leaders(lab.folder / "leaders.json")
    assert [one["trial"] for one in read_yaml(lab.folder / "leaders.json")["leaders"]] == [3, 1, 4, 2, 0]
    assert [one["eligible"] for one in read_yaml(lab.folder / "leaders.json")["leaders"]] == [True] * 2 + [False] * 3


def searched_for_gaps(lab: Any, found: list[tuple[float, float]], tolerance: float) -> SearchResult:
    """A search whose trials come to these losses and gaps."""
    from goodfit.tuning import Outcome

    def run(proposal: Any) -> Any:
        loss, gap = found[proposal.number]
        return Outcome(proposal.number, "COMPLETE", loss, 1, figures={"gap": gap})

    result: SearchResult = lab.search(run=run, trials=len(found), against="gap", tolerance=tolerance)
    return result


def test_of_two_objectives_leaders_near_the_best_come_first_by_the_second(lab: Any) -> None:
    found = [(1.0, 5.0), (1.2, 3.0), (1.25, 4.0), (1.9, 0.1), (1.4, 0.2)]
    result = searched_for_gaps(lab, found, tolerance=0.25)
    assert result.best_trial is not None
    assert result.best_trial.number == 1
    result.write_leaders(lab.folder / "leaders.json")
    assert [one["trial"] for one in read_yaml(lab.folder / "leaders.json")["leaders"]] == [1, 2, 0, 4, 3]
    assert [one["eligible"] for one in read_yaml(lab.folder / "leaders.json")["leaders"]] == [True] * 3 + [False] * 2
    result.write_trials_csv(lab.folder / "trials.csv")
    assert list(pandas.read_csv(lab.folder / "trials.csv")["gap"]) == [gap for _, gap in found]
    assert "trial 1 is chosen for its gap of 3, with valid/loss 1.2000; the lowest was 1.0000 of trial 0" in str(
        result.notes
    )


def test_below_zero_all_gaps_are_alike_and_the_loss_decides(lab: Any) -> None:
    result = searched_for_gaps(lab, [(1.01, -0.5), (1.0, -0.1), (1.02, 0.1)], tolerance=0.5)
    assert result.best_trial is not None
    assert result.best_trial.number == 1


def test_best_yaml_is_the_best_trial(lab: Any) -> None:
    result = lab.search()
    result.write_best(lab.folder / "best.yaml")
    values = [t.value for t in result.trials if t.state == "COMPLETE"]
    assert result.best_trial.value == min(values)
    assert read_yaml(lab.folder / "best.yaml") == result.best == result.best_trial.params
    assert [path.name for path in lab.folder.iterdir()] == ["state", "best.yaml"] or len(
        list(lab.folder.iterdir())
    ) == 2


odd = [
    "no",
    "1e-3",
    "010",
    "1:30",
    "~",
    "null",
    "true",
    "",
    " ",
    "a: b",
    "#",
    "\x85",
    "\ufeff",
    "😀",
    "a.b",
    "1.e5",
    "x" * 300,
]
finite = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), finite, st.text(), st.sampled_from(odd))


@settings(max_examples=200, deadline=None)
@given(values=st.lists(scalars, min_size=1, max_size=4))
def test_whatever_is_best_is_read_back_as_it_is(values: list[Any]) -> None:
    params = {f"model.option{index}": value for index, value in enumerate(values)}
    result = SearchResult(Space(), (Trial(0, "COMPLETE", 1.0, 1, 0.1, params, 1),))
    with tempfile.TemporaryDirectory() as folder:
        result.write_best(Path(folder) / "best.yaml")
        back = read_yaml(Path(folder) / "best.yaml")
    assert back == params
    assert [type(value) for value in back.values()] == [type(value) for value in values]


def axis(low: float, high: float, *, log: bool = False, below: bool = True, above: bool = True) -> Axis:
    return Axis("model.x", Dimension(low=low, high=high, log=log), below=below, above=above)


def note(one: Axis, value: float) -> str:
    return "".join(edge_notes(Space((one,)), {"model.x": value}))


def test_a_best_value_at_an_end_is_noted() -> None:
    assert note(axis(0.0, 1.0), 0.5) == ""
    assert note(axis(0.0, 1.0), 0.03) == ""
    assert note(axis(0.0, 1.0), 0.02).startswith(
        "model.x: the best value 0.02 lies at the lower end of its range, 0.0 to 1.0"
    )
    assert "upper end" in note(axis(0.0, 1.0), 0.985)
    assert note(axis(1e-4, 1.0, log=True), 0.02) == ""
    assert "lower end" in note(axis(1e-4, 1.0, log=True), 1.1e-4)


def test_an_end_that_cannot_be_moved_is_not_noted() -> None:
    assert note(axis(0.0, 1.0, below=False), 0.0) == ""
    assert note(axis(0.0, 1.0, above=False), 1.0) == ""
    assert note(axis(2, 2), 2) == ""


def test_choices_have_no_ends() -> None:
    assert edge_notes(Space((Axis("model.x", Dimension(choices=["a", "b"])),)), {"model.x": "a"}) == []
