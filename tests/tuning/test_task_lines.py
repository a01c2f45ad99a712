"""Lines of a space that hold for some tasks only."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfit.tasks import TASKS
from goodfit.training import FitSections
from goodfit.tuning import TuneSection, resolve_space

TREE: dict[str, Any] = {"seed": 1, "model": {"kind": "mlp"}, "training": {"optimizer": {"kind": "sgd"}}}
SMOOTHING = "regularization.label_smoothing.strength"
CLASSES = ["binary", "multiclass"]


def section(**space: Any) -> TuneSection:
    return TuneSection.model_validate({"trials": 3, "space": {path.replace("__", "."): v for path, v in space.items()}})


def line(**more: Any) -> dict[str, Any]:
    return {"low": 0.0, "high": 0.1, **more}


@pytest.mark.parametrize(("task", "searched"), [("binary", True), ("multiclass", True), ("regression", False)])
def test_a_line_holds_for_its_tasks(task: str, searched: bool) -> None:
    found = section(**{SMOOTHING: line(when={"task": CLASSES})}, model__layers={"low": 1, "high": 2}).of_task(task)
    space = resolve_space(found, TREE, FitSections)
    assert (SMOOTHING in space.paths) == searched
    assert "model.layers" in space.paths
    assert not space.conditional


def test_before_any_row_is_seen_every_line_is_checked() -> None:
    written = section(**{SMOOTHING: line(when={"task": CLASSES}), "regularization.nonsense.p": line()})
    with pytest.raises(Exception, match="nonsense"):
        resolve_space(written, TREE, FitSections)
    assert resolve_space(section(**{SMOOTHING: line(when={"task": "binary"})}), TREE, FitSections).paths == [SMOOTHING]


def test_what_depends_on_a_line_that_is_gone_is_gone_and_otherwise_remains() -> None:
    written = section(
        **{
            "choose.smoothing": {"choices": [True, False], "when": {"task": "binary"}},
            SMOOTHING: line(when={"choose.smoothing": True}, otherwise=0.0),
        },
    )
    space = resolve_space(written.of_task("regression"), TREE, FitSections)
    assert space.paths == [SMOOTHING]
    assert space.axes[0].dimension.choices == [0.0]
    assert resolve_space(written.of_task("binary"), TREE, FitSections).conditional


def test_a_decision_about_nothing_else_is_gone_too() -> None:
    either = {"choices": [True, False]}
    smoothing = line(when={"choose.it": True, "task": "binary"})
    alone = section(**{"choose.it": either, SMOOTHING: smoothing, "model.layers": {"low": 1, "high": 2}})
    assert resolve_space(alone.of_task("regression"), TREE, FitSections).paths == ["model.layers"]
    also = section(
        **{"choose.it": either, SMOOTHING: smoothing, "regularization.dropout.p": line(when={"choose.it": True})}
    )
    paths = resolve_space(also.of_task("regression"), TREE, FitSections).paths
    assert paths == ["choose.it", "regularization.dropout.p"]
    assert len(resolve_space(also.of_task("binary"), TREE, FitSections).paths) == 3


def test_otherwise_of_a_line_that_holds_is_dropped_with_its_condition() -> None:
    found = section(**{SMOOTHING: line(when={"task": "binary"}, otherwise=0.05)})
    assert found.of_task("binary").space[SMOOTHING].otherwise is None
    assert found.of_task("regression").space[SMOOTHING].choices == [0.05]


def test_a_task_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no task 'regresion'"):
        section(**{SMOOTHING: line(when={"task": ["binary", "regresion"]})})


@given(tasks=st.lists(st.sampled_from(sorted(TASKS)), min_size=1, unique=True), task=st.sampled_from(sorted(TASKS)))
def test_the_section_of_a_task_is_that_of_its_own_section(tasks: list[str], task: str) -> None:
    once = section(**{SMOOTHING: line(when={"task": tasks})}).of_task(task)
    assert once.of_task(task) == once == once.of_task(None)
    assert (SMOOTHING in once.space) == (task in tasks)
