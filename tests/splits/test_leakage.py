"""Each leak check is broken on purpose, passes when mended, and can stop, warn or be off."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from goodfit.data import Table
from goodfit.errors import GateError
from goodfit.splits import SPLITS, Parts, find_leaks, refuse_leaks, split_table
from goodfit.splits.leakage.check import CHECKS
from goodfit.splits.leakage_section import LeakageSection

Broken = Callable[[pd.DataFrame, Callable[..., Table]], tuple[Table, np.ndarray | None]]
HALF = 300


def duplicates(rows: pd.DataFrame, table: Any) -> Any:
    twins = pd.concat([rows.head(HALF)] * 2, ignore_index=True).assign(key=range(600))
    return table(twins, id=["key"], ignore=["when", "who"]), np.repeat([0, 1, 2], 200)


def ids(rows: pd.DataFrame, table: Any) -> Any:
    return table(rows.assign(key=np.arange(600) % HALF), id=["key"]), None


def groups(rows: pd.DataFrame, table: Any) -> Any:
    return table(rows, id=["key"], group="who"), None


def time(rows: pd.DataFrame, table: Any) -> Any:
    return table(rows, id=["key"], time="when"), None


def target_copy(rows: pd.DataFrame, table: Any) -> Any:
    return table(rows.assign(code=rows["y"].map({"no": 7, "yes": 3, "maybe": 5})), id=["key"]), None


def id_like(rows: pd.DataFrame, table: Any) -> Any:
    return table(rows), None


def missing_class(rows: pd.DataFrame, table: Any) -> Any:
    return table(rows.assign(y=rows["y"].where(rows.index != 5, "once")), id=["key"]), None


def constant(rows: pd.DataFrame, table: Any) -> Any:
    return table(rows.assign(same="x", empty=np.nan), id=["key"]), None


BREAKS: dict[str, Broken] = {
    "duplicates": duplicates,
    "ids": ids,
    "groups": groups,
    "time": time,
    "target_copy": target_copy,
    "id_like": id_like,
    "missing_class": missing_class,
    "constant": constant,
}
SAYS = {
    "duplicates": "600 exact copies (equal in features and target) stand in different splits; for example row 1",
    "ids": "rows with the same 'key' stand in different splits; for example row",
    "groups": "rows with the same 'who' stand in different splits",
    "time": "train reaches to 2025-02-03 00:00:00 in 'when', and valid begins at 2024-01-0",
    "target_copy": "the target 'y' is reproduced by 'code'",
    "id_like": "'key': at least 95% of the values are distinct",
    "missing_class": "not every split has every class: 'once' (1 row) is not in valid and test",
    "constant": "'same', 'empty': the same value in every row",
}


def look(broken: str, rows: pd.DataFrame, table: Any, section: Any, **options: Any) -> dict[str, Any]:
    data, codes = BREAKS[broken](rows, table)
    chosen = section("stratified", **options)
    parts = split_table(data, chosen, 1)
    if codes is not None:
        parts = Parts(data, codes.astype(np.int8), parts.clusters, parts.strategy)
    return {check.name: check for check in find_leaks(parts, SPLITS.build(chosen))}


def test_every_check_is_broken_here_and_has_an_option() -> None:
    assert set(BREAKS) == set(SAYS) == set(CHECKS) == set(LeakageSection.model_fields)


def test_a_clean_table_passes_all(rows: pd.DataFrame, table: Any, section: Any) -> None:
    chosen = section("stratified")
    checks = find_leaks(split_table(table(rows, id=["key"]), chosen, 1), SPLITS.build(chosen))
    assert len(checks) == len(CHECKS)
    assert [check.to_dict() for check in checks if not check.passed] == []
    refuse_leaks(checks)


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_found_and_nothing_else(name: str, rows: pd.DataFrame, table: Any, section: Any) -> None:
    checks = look(name, rows, table, section, leakage={name: "stop"})
    assert [check.name for check in checks.values() if not check.passed] == [name]
    assert SAYS[name] in checks[name].detail
    with pytest.raises(GateError, match=rf"leak check '{name}': .*split.leakage.{name}: warn\.") as caught:
        refuse_leaks(list(checks.values()))
    assert caught.value.exit_code == 6


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_can_warn_or_be_off(name: str, rows: pd.DataFrame, table: Any, section: Any) -> None:
    warned = look(name, rows, table, section, leakage={name: "warn"})
    assert warned[name].warns and not warned[name].stops
    refuse_leaks(list(warned.values()))
    off = look(name, rows, table, section, leakage={name: "off"})
    assert off[name].passed is None and not off[name].stops
    refuse_leaks(list(off.values()))


def test_stop_is_the_default_except_for_constants(section: Any) -> None:
    assert {name for name, action in section("random").leakage.model_dump().items() if action != "stop"} == {"constant"}


def test_allowed_duplicates_only_warn(rows: pd.DataFrame, table: Any, section: Any) -> None:
    checks = look("duplicates", rows, table, section, duplicates="allow")
    assert checks["duplicates"].passed is False and checks["duplicates"].warns


def test_all_failed_gates_are_told_at_once(rows: pd.DataFrame, table: Any, section: Any) -> None:
    chosen = section("random")
    checks = find_leaks(split_table(table(rows, group="who", time="when"), chosen, 1), SPLITS.build(chosen))
    with pytest.raises(GateError) as caught:
        refuse_leaks(checks)
    assert len(caught.value.faults) == 3


def found(frame: pd.DataFrame, table: Any, section: Any, **schema: Any) -> str:
    chosen = section("random", duplicates="allow")
    parts = split_table(table(frame, **schema), chosen, 1)
    return next(check.detail for check in find_leaks(parts, SPLITS.build(chosen)) if check.name == "target_copy")


@pytest.fixture
def numbers() -> pd.DataFrame:
    generator = np.random.default_rng(5)
    frame = pd.DataFrame(generator.normal(size=(500, 6)), columns=list("abcdef"))
    return frame.assign(y=frame["a"] * 2 + frame["b"] + generator.normal(size=500))


COPIES = {
    "the same": (lambda f: f.assign(z=f["y"]), "'z'"),
    "as float32": (lambda f: f.assign(z=f["y"].astype("float32")), "'z'"),
    "in other units": (lambda f: f.assign(z=f["y"] * 1.8 + 32), "'z'"),
    "upside down": (lambda f: f.assign(z=-f["y"]), "'z'"),
    "with gaps": (lambda f: f.assign(z=f["y"].where(f.index % 3 > 0)), "'z'"),
    "a sum": (lambda f: f.assign(z=f["y"] - f["c"]), "'c' + 'z'"),
    "a difference": (lambda f: f.assign(z=f["y"] + f["c"]), "'z' - 'c'"),
    "a difference the other way": (lambda f: f.assign(z=f["c"] - f["y"]), "'c' - 'z'"),
    "a sum with gaps": (lambda f: f.assign(z=(f["y"] - f["c"]).where(f.index % 5 > 0)), "'c' + 'z'"),
    "a sum of whole numbers": (
        lambda f: f.assign(y=(f["y"] * 100).round(), z=(f["y"] * 100).round() - f.index, c=f.index).astype(
            {"y": "Int64", "z": "Int64"}
        ),
        "'c' + 'z'",
    ),
}


@pytest.mark.parametrize("case", COPIES)
def test_a_number_that_reproduces_a_number_is_found(case: str, numbers: pd.DataFrame, table: Any, section: Any) -> None:
    change, says = COPIES[case]
    frame = change(numbers)
    assert found(frame, table, section) == f"the target 'y' is reproduced by {says}"
    assert found(frame.rename(columns={"c": "z", "z": "c"}), table, section)


def test_numbers_that_merely_predict_are_not_copies(numbers: pd.DataFrame, table: Any, section: Any) -> None:
    close = numbers.assign(z=numbers["y"] + np.random.default_rng(0).normal(size=500) * 0.01)
    assert found(close, table, section) == ""


def test_one_outlier_makes_no_copy(numbers: pd.DataFrame, table: Any, section: Any) -> None:
    numbers.loc[7, ["y", "c"]] = 1e12
    assert found(numbers, table, section) == ""


def test_a_copy_in_the_sample_alone_is_no_copy(table: Any, section: Any) -> None:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"y": generator.normal(size=20_000), "a": generator.normal(size=20_000)})
    frame["z"] = frame["y"]
    assert "'z'" in found(frame, table, section)
    from goodfit.splits.leakage.sample import sample_of

    other = np.setdiff1d(np.arange(20_000), sample_of(20_000))[0]
    frame.loc[other, "z"] += 1
    assert found(frame, table, section) == ""


def test_many_columns_are_no_trouble(table: Any, section: Any) -> None:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(generator.normal(size=(200, 3000)), columns=[f"c{i}" for i in range(3000)])
    frame = pd.concat([frame, (frame["c17"] + frame["c2900"]).rename("y")], axis="columns")
    assert "'c17' + 'c2900'" in found(frame, table, section)


CLASSES = {
    "another name": (lambda f: f.assign(z=f["y"].map({"no": "n", "yes": "j", "maybe": "v"})), True),
    "a code": (lambda f: f.assign(z=f["y"].map({"no": 0, "yes": 1, "maybe": 2})), True),
    "reasons that only one class has": (
        lambda f: f.assign(z=f["y"].where(f["y"] == "no", f["y"] + (f.index % 4).astype(str)).where(f["y"] != "no")),
        True,
    ),
    "all but one row": (
        lambda f: f.assign(z=f["y"].where(f.index != 9, "no" if f["y"].iloc[9] != "no" else "yes")),
        False,
    ),
    "a value of its own in every row": (lambda f: f.assign(z=f.index * 0.5), False),
}


@pytest.mark.parametrize("case", CLASSES)
def test_a_feature_that_determines_the_class_is_found(case: str, rows: pd.DataFrame, table: Any, section: Any) -> None:
    change, leaks = CLASSES[case]
    assert (found(change(rows), table, section, id=["key"]) == "the target 'y' is reproduced by 'z'") is leaks


def test_truth_values_are_compared_too(rows: pd.DataFrame, table: Any, section: Any) -> None:
    frame = rows.assign(y=rows["y"] == "no", z=(rows["y"] != "no").astype(int))
    assert found(frame, table, section, id=["key"]) == "the target 'y' is reproduced by 'z'"


def test_a_handful_of_one_class_proves_nothing(table: Any, section: Any) -> None:
    frame = pd.DataFrame({"a": np.arange(200) % 7, "y": ["yes"] * 4 + ["no"] * 196})
    frame["z"] = frame["y"].str.upper()
    assert found(frame, table, section) == ""
    frame["y"] = frame["z"] = ["yes"] * 5 + ["no"] * 195
    assert "'z'" in found(frame, table, section)


def test_a_copy_that_is_mostly_missing_is_no_copy(numbers: pd.DataFrame, table: Any, section: Any) -> None:
    few = numbers.assign(z=numbers["y"].where(numbers.index % 4 == 0), w=numbers["y"].where(numbers.index % 40 == 0))
    assert found(few, table, section) == ""
    pair = numbers.assign(z=(numbers["y"] - numbers["c"]).where(numbers.index % 4 == 0))
    assert found(pair, table, section) == ""


def test_too_few_rows_prove_nothing(table: Any, section: Any) -> None:
    frame = pd.DataFrame({"a": range(10), "y": range(10)})
    assert found(frame, table, section, task="regression") == ""


@pytest.mark.parametrize(
    ("values", "flagged"),
    [
        (lambda n: np.arange(n), True),
        (lambda n: np.random.default_rng(0).permutation(n * 50)[:n], True),
        (lambda n: [f"customer {i}" for i in range(n)], True),
        (lambda n: pd.Series([f"customer {i}" for i in range(n)], dtype="category"), True),
        (lambda n: np.random.default_rng(0).normal(size=n), False),
        (lambda n: np.arange(n) // 2, False),
        (lambda n: np.random.default_rng(0).random(n) < 0.5, False),
        (lambda n: pd.Series([None] * n, dtype="str"), False),
    ],
)
@pytest.mark.parametrize("number", [200, 6000])
def test_what_looks_like_an_id(values: Any, flagged: bool, number: int, table: Any, section: Any) -> None:
    generator = np.random.default_rng(1)
    frame = pd.DataFrame({"a": generator.normal(size=number), "y": generator.choice(["n", "y"], number)})
    chosen = section("random")
    parts = split_table(table(frame.assign(x=values(number))), chosen, 1)
    checks = {check.name: check for check in find_leaks(parts, SPLITS.build(chosen))}
    assert (checks["id_like"].passed is False) is flagged


def test_rows_in_a_gap_leak_nothing(rows: pd.DataFrame, table: Any, section: Any) -> None:
    chosen = section("time", gap="20D")
    parts = split_table(table(rows, id=["key"], time="when"), chosen, 1)
    assert parts.left_out
    assert all(check.passed for check in find_leaks(parts, SPLITS.build(chosen)))


def test_rows_without_an_id_are_not_the_same_row(rows: pd.DataFrame, table: Any, section: Any) -> None:
    frame = rows.assign(key=rows["key"].astype("Int64").where(rows.index % 2 > 0))
    chosen = section("random")
    parts = split_table(table(frame, id=["key"]), chosen, 1)
    assert next(check for check in find_leaks(parts, SPLITS.build(chosen)) if check.name == "ids").passed
