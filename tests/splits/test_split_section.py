"""The `split` section of params.yaml: every fault, with place, value and way out, when the file is read."""

from typing import Annotated, Any

import pytest
from pydantic import Field

from goodfit.errors import ConfigurationError, Fault
from goodfit.params import check
from goodfit.registry import Registry, Section, option_names
from goodfit.splits import SPLITS


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"train": 0.5}, r"split.train: train, valid and test must sum to 1, and 0.5 \+ 0.15 \+ 0.15 is 0.8"),
        ({"train": 0.85, "valid": 0.15, "test": 0}, "split.test: should be greater than 0"),
        ({"train": 1.0}, "split.train: should be less than 1"),
        ({"train": "0.7"}, "split.train: needs a number, not text"),
        ({"duplicates": "maybe"}, "split.duplicates: should be 'together' or 'allow'"),
        ({"leakage": {"time": "halt"}}, "split.leakage.time: should be 'stop', 'warn' or 'off'"),
        ({"leakage": {"target": "stop"}}, "split.leakage.target: unknown option. Did you mean 'target_copy'"),
        ({"trian": 0.7}, "split.trian: unknown option. Did you mean 'train'"),
    ],
)
def test_what_is_wrong_is_refused(options: dict[str, Any], says: str, section: Any) -> None:
    with pytest.raises(ConfigurationError, match=says):
        section("stratified", **options)


def test_faults_come_all_at_once(section: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        section("time", train=-1, gap=True, leakage={"tme": "stop", "ids": "no"})
    assert len(caught.value.faults) == 4


def test_an_unknown_kind_is_told_the_known_ones(section: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"unknown kind.*stratfied.*Did you mean 'stratified'"):
        section("stratfied")


def test_shares_may_carry_the_error_of_floats(section: Any) -> None:
    assert section("random", train=0.1 + 0.2, valid=0.3, test=0.4).train == pytest.approx(0.3)
    with pytest.raises(ConfigurationError):
        section("random", train=0.3 + 1e-6, valid=0.3, test=0.4)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"train": []}, "split.values: names no value for train"),
        ({"valid": ["train"]}, r"split.values: stands for more than one split \(it is 'train'\)"),
        ({"train": [1], "test": ["1"]}, "stands for more than one split"),
    ],
)
def test_values_of_a_predefined_split_mean_one_thing(values: dict[str, Any], says: str, section: Any) -> None:
    with pytest.raises(ConfigurationError, match=says):
        section("predefined", column="fold", values=values)


def test_all_kinds_share_the_options_of_the_base() -> None:
    kinds = list(SPLITS)
    assert kinds
    for kind in kinds:
        assert {"duplicates", "leakage"} <= set(option_names(SPLITS[kind].cls))


def test_a_member_inherits_options_only_by_asking_and_checks_them_together() -> None:
    registry: Registry[Any] = Registry("thing")

    class Base:
        def __init__(self, *, shared: Annotated[int, Field(ge=0)] = 1) -> None:
            self.shared = shared

    @registry.register("asks")
    class Asks(Base):
        def __init__(self, *, own: int = 2, **shared: Any) -> None:
            super().__init__(**shared)
            self.own = own

        @staticmethod
        def check_options(options: Any) -> list[Fault]:
            lacking = [] if options.own > options.shared else [Fault("own", "must exceed shared", options.own, "Mend.")]
            return lacking + ([Fault("shared", "is odd", options.shared)] if options.shared > 6 else [])

    @registry.register("alone")
    class Alone(Base):
        def __init__(self, *, own: int = 2) -> None:
            super().__init__()

    class Holder(Section):
        thing: registry.section()  # type: ignore[valid-type]

    assert option_names(Asks) == ["own", "shared"]
    assert option_names(Alone) == ["own"]
    built = registry.build(check({"thing": {"kind": "asks", "own": 5, "shared": 4}}, Holder, "p").thing)  # type: ignore[attr-defined]
    assert (built.own, built.shared) == (5, 4)
    with pytest.raises(ConfigurationError) as caught:
        check({"thing": {"kind": "asks", "shared": 7}}, Holder, "params.yaml")
    assert [str(fault) for fault in caught.value.faults] == [
        "params.yaml: thing.own: must exceed shared (it is 2). Mend.",
        "params.yaml: thing.shared: is odd (it is 7).",
    ]
