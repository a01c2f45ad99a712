"""`goodfit predict`: the same answers as in training, bad rows set aside, nothing half-written."""

import csv
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from goodfit.bundle import ROWS_AT_ONCE, Scorer
from goodfit.cli.main import app
from goodfit.errors import ConfigurationError, DataError
from goodfit.serving import inputs
from goodfit.serving.batch import Report, Request, predict_file
from goodfit.serving.choosing import Chosen, choose
from goodfit.serving.params import project_rules, tracking_section

spec = importlib.util.spec_from_file_location("made_up_for_predict", Path(__file__).with_name("conftest.py"))
made_up = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made_up)
Write = Callable[[pd.DataFrame, Path], None]
WRITERS: dict[str, Write] = {
    ".csv": lambda frame, path: frame.to_csv(path, index=False),
    ".tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    ".csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    ".parquet": lambda frame, path: frame.to_parquet(path, index=False),
}


def predict(source: Path, target: Path, chosen: Chosen, **options: Any) -> Report:
    return predict_file(Request(source, target, **options), chosen, lambda done, total: None)


def read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


@pytest.mark.parametrize("suffix", WRITERS)
def test_predictions_are_those_of_the_model_to_the_bit(
    tmp_path: Path, chosen: Chosen, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10,000 rows, more than one chunk and more than one batch of the bundle: not one value differs."""
    monkeypatch.setattr(inputs, "CHUNK", 8192)
    frame = made_up.rows(10_000, seed=5)
    WRITERS[suffix](frame, tmp_path / f"in{suffix}")
    report = predict(tmp_path / f"in{suffix}", tmp_path / "out.parquet", chosen)
    found, expected = read(tmp_path / "out.parquet"), Scorer(chosen.bundle).predict(frame)
    assert (report.rows, report.set_aside) == (10_000, 0)
    assert found["probability_yes"].nunique() > 5000
    differing = (found[expected.columns].to_numpy() != expected.to_numpy()).sum()
    assert differing == 0
    assert found["number"].astype(int).tolist() == frame["number"].tolist(), "text of CSV stays text"
    assert found["goodfit.row"].tolist() == list(range(10_000))


@pytest.mark.parametrize(("columns", "rows"), [(1, inputs.CHUNK), (16, inputs.CHUNK), (1000, 4096), (10_000, 4096)])
def test_a_wide_table_is_held_by_fewer_rows(tmp_path: Path, columns: int, rows: int) -> None:
    frame = pd.DataFrame(np.zeros((1, columns)), columns=[f"c{i}" for i in range(columns)])
    frame.to_parquet(tmp_path / "in.parquet")
    file = inputs.RowsFile(tmp_path / "in.parquet", inputs.TextForm())
    assert file.at_once == rows
    assert file.at_once % ROWS_AT_ONCE == 0, "chunks change no bit"
    file.close()


def test_answers_keep_the_order_of_the_file(tmp_path: Path, chosen: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks are answered side by side; the first one is made the slowest."""
    monkeypatch.setattr(inputs, "CHUNK", 64)
    threads, began = torch.get_num_threads(), []
    predicted = Scorer.predict
    torch.set_num_threads(3)

    def slow(self: Scorer, frame: pd.DataFrame) -> pd.DataFrame:
        began.append(len(frame))
        time.sleep(0.3 if len(began) == 2 else 0.0)  # the first of all is the one of no rows
        return predicted(self, frame)

    monkeypatch.setattr(Scorer, "predict", slow)
    frame = made_up.rows(64 * 9 + 5)
    frame.to_parquet(tmp_path / "in.parquet")
    try:
        predict(tmp_path / "in.parquet", tmp_path / "out.parquet", chosen)
        assert torch.get_num_threads() == 3, "what the workers set is set back"
    finally:
        torch.set_num_threads(threads)
    found = read(tmp_path / "out.parquet")
    assert sorted(began) == [0, 5, *[64] * 9]
    assert found["number"].tolist() == frame["number"].tolist()
    expected = predicted(Scorer(chosen.bundle), frame)["probability_yes"]
    assert np.allclose(found["probability_yes"], expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["str", "object", "category"])
def test_text_that_is_read_as_codes_is_set_aside_as_text(tmp_path: Path, chosen: Chosen, kind: str) -> None:
    frame = made_up.rows(50)
    frame["plan"] = frame["plan"].astype(kind)
    frame["age"] = frame["age"].astype(float)
    frame.loc[7, "age"] = np.inf
    frame.to_parquet(tmp_path / "in.parquet")
    report = predict(tmp_path / "in.parquet", tmp_path / "out.parquet", chosen)
    aside, given = read(tmp_path / "out.set-aside.parquet"), read(tmp_path / "in.parquet")
    assert report.set_aside == 1
    assert aside["plan"].tolist() == [frame["plan"][7]]
    assert aside["plan"].dtype == given["plan"].dtype


def test_a_csv_of_answers_gives_the_same_numbers_back(tmp_path: Path, chosen: Chosen) -> None:
    frame = made_up.rows(200)
    frame.to_parquet(tmp_path / "in.parquet")
    predict(tmp_path / "in.parquet", tmp_path / "out.csv", chosen)
    found, expected = read(tmp_path / "out.csv"), Scorer(chosen.bundle).predict(frame)
    assert (found[expected.columns].to_numpy() == expected.to_numpy()).all()


@pytest.mark.parametrize("task", ["age", "plan"])
def test_other_tasks(tmp_path: Path, task: str) -> None:
    frame = made_up.rows(300)
    other = Chosen("other", None, made_up.bundle_of(frame, target=task))
    frame.drop(columns=task).to_csv(tmp_path / "in.csv", index=False)
    predict(tmp_path / "in.csv", tmp_path / "out.parquet", other)
    found, expected = read(tmp_path / "out.parquet"), Scorer(other.bundle).predict(frame)
    assert (found[expected.columns].to_numpy() == expected.to_numpy()).all()
    assert len(expected.columns) == (1 if task == "age" else 5)


def test_order_of_columns_and_further_ones_do_not_matter(tmp_path: Path, chosen: Chosen) -> None:
    frame = made_up.rows(100)
    frame.drop(columns="left").to_csv(tmp_path / "a.csv", index=False)
    frame[sorted(frame.columns, reverse=True)].assign(new="x").to_csv(tmp_path / "b.csv", index=False)
    for name in "ab":
        predict(tmp_path / f"{name}.csv", tmp_path / f"{name}.parquet", chosen)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_row_means_the_same_whatever_the_others_are(tmp_path: Path, chosen: Chosen) -> None:
    """A column of 7 alone would be numbers in training, and beside a it is text: here the model knows."""
    frame = made_up.rows(400)
    some = frame[frame["plan"].isin(["007", "7"])].reset_index(drop=True)
    assert len(some) > 50
    some.to_csv(tmp_path / "some.csv", index=False)
    predict(tmp_path / "some.csv", tmp_path / "some.parquet", chosen)
    expected = Scorer(chosen.bundle).predict(some)
    assert read(tmp_path / "some.parquet")["probability_yes"].tolist() == expected["probability_yes"].tolist()


def test_numbers_are_the_levels_that_training_has_seen(tmp_path: Path) -> None:
    frame = made_up.rows(200).assign(plan=np.arange(200) % 3)
    frame = frame.assign(plan=frame["plan"].astype(str).where(frame["plan"] > 0, "x"))
    other = Chosen("other", None, made_up.bundle_of(frame))
    whole = frame[frame["plan"] != "x"].reset_index(drop=True)
    expected = Scorer(other.bundle).predict(whole)["probability_yes"].tolist()
    for name, plan in {
        "int": whole["plan"].astype(int),
        "float": whole["plan"].astype(float),
        "text": whole["plan"],
    }.items():
        whole.assign(plan=plan).to_parquet(tmp_path / f"{name}.parquet")
        predict(tmp_path / f"{name}.parquet", tmp_path / f"{name}.out.parquet", other)
        assert read(tmp_path / f"{name}.out.parquet")["probability_yes"].tolist() == expected


def test_bad_rows_are_set_aside_and_change_no_other_answer(project: Path, chosen: Chosen) -> None:
    frame = made_up.rows(300).astype({"age": object, "member": object})
    frame.loc[3, "age"], frame.loc[7, "age"], frame.loc[11, "age"] = "old", "1e400", 130
    frame.loc[20, "age"], frame.loc[21, "member"], frame.loc[22, "plan"] = None, "perhaps", "unheard of"
    frame["since"] = frame["since"].astype(str)
    frame.loc[30, "since"] = "31/12/2024"
    frame.to_csv("in.csv", index=False)
    form, suite, overridden = project_rules(project)
    report = predict(Path("in.csv"), Path("out.parquet"), chosen, form=form, suite=suite, overridden=overridden)
    aside, found = pd.read_parquet("out.set-aside.parquet"), read(Path("out.parquet"))
    bad = [3, 7, 11, 20, 21, 30]
    assert aside["goodfit.row"].tolist() == bad
    assert aside["age"].tolist()[:3] == ["old", "1e400", "130"], "as they were"
    reasons = dict(zip(bad, aside["goodfit.reasons"], strict=True))
    assert "'age' is no numeric value" in reasons[3] and "'age' is no numeric value" in reasons[7]
    assert reasons[11] == "expect_column_values_to_be_between(age)"
    assert reasons[20] == "expect_column_values_to_not_be_null(age)"
    assert reasons[21] == "'member' is no boolean value" and reasons[30] == "'since' is no datetime value"
    assert (report.rows, report.set_aside, len(found)) == (300, 6, 294)
    assert report.noticed["expect_column_values_to_be_in_set(plan)"] == 1
    assert report.rules_left_out == 3, "the row count, the unique number, and the target"
    clean = made_up.rows(300).assign(plan=lambda f: f["plan"].where(f.index != 22, "unheard of"))
    expected = Scorer(chosen.bundle).predict(clean).drop(index=bad)
    assert found["probability_yes"].tolist() == expected["probability_yes"].tolist()


def test_answers_that_are_no_numbers_are_set_aside(tmp_path: Path) -> None:
    endless = made_up.bundle_of(target="age")
    endless.model.head.weight.data.fill_(3e38)
    made_up.rows(5).to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(DataError, match="not one of 5 rows can be answered: the model has no finite answer in 5"):
        predict(tmp_path / "in.csv", tmp_path / "out.csv", Chosen("endless", None, endless))


def test_a_file_without_bad_rows_leaves_no_file_of_them(tmp_path: Path, chosen: Chosen) -> None:
    made_up.rows(10).to_csv(tmp_path / "in.csv", index=False)
    (tmp_path / "out.set-aside.csv").write_text("of last time")
    predict(tmp_path / "in.csv", tmp_path / "out.csv", chosen)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_missing_columns_are_all_named(tmp_path: Path, chosen: Chosen) -> None:
    made_up.rows(10).drop(columns=["age", "town"]).rename(columns={"income": "Income"}).to_csv(
        tmp_path / "in.csv", index=False
    )
    with pytest.raises(DataError) as caught:
        predict(tmp_path / "in.csv", tmp_path / "out.csv", chosen)
    assert [fault.place.split("'")[1] for fault in caught.value.faults] == ["age", "income", "town"]
    assert "Did you mean 'Income'?" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_parquet_column_of_another_type_is_refused(tmp_path: Path, chosen: Chosen) -> None:
    made_up.rows(10).assign(age=pd.Timestamp("2024-01-01")).to_parquet(tmp_path / "in.parquet")
    with pytest.raises(DataError, match=r"column 'age': has the type timestamp.*model needs numbers"):
        predict(tmp_path / "in.parquet", tmp_path / "out.csv", chosen)


def test_where_not_one_row_can_be_answered_nothing_is_written(tmp_path: Path, chosen: Chosen) -> None:
    made_up.rows(10).assign(age="old").to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(DataError, match="not one of 10 rows can be answered: 'age' is no numeric value in 10"):
        predict(tmp_path / "in.csv", tmp_path / "out.csv", chosen)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_failure_in_the_middle_leaves_the_old_answers(
    tmp_path: Path, chosen: Chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "CHUNK", 64)
    monkeypatch.setattr("goodfit.sources.delimited.BLOCK", 4096)
    made_up.rows(300).to_csv(tmp_path / "in.csv", index=False)
    with (tmp_path / "in.csv").open("a") as stream:
        stream.write("1,2\n")
    (tmp_path / "out.csv").write_text("of last time")
    done: list[int] = []
    with pytest.raises(DataError, match=r"line 302.*has fewer values"):
        predict_file(Request(tmp_path / "in.csv", tmp_path / "out.csv"), chosen, lambda rows, _: done.append(rows))
    assert done, "it failed before the middle"
    assert (tmp_path / "out.csv").read_text() == "of last time"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_formulas_are_escaped_in_csv_and_kept_in_parquet(tmp_path: Path) -> None:
    cells = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\tx", "\rx", "＝1", "-5.2", "+7", "1e5", "plain", "a=b"]
    frame = made_up.rows(len(cells)).assign(town=cells)
    chosen = Chosen("x", None, made_up.bundle_of())
    frame.to_parquet(tmp_path / "in.parquet")
    predict(tmp_path / "in.parquet", tmp_path / "out.csv", chosen, with_input=True)
    predict(tmp_path / "in.parquet", tmp_path / "out.parquet", chosen, with_input=True)
    with (tmp_path / "out.csv").open(newline="") as stream:
        written = [row["town"] for row in csv.DictReader(stream)]
    assert written == [f"'{cell}" for cell in cells[:7]] + cells[7:]
    assert read(tmp_path / "out.parquet")["town"].tolist() == cells


def test_column_names_are_escaped_too(tmp_path: Path, chosen: Chosen) -> None:
    made_up.rows(5).assign(**{"=evil()": 1}).to_csv(tmp_path / "in.csv", index=False)
    predict(tmp_path / "in.csv", tmp_path / "out.csv", chosen, with_input=True)
    assert '"\'=evil()"' in (tmp_path / "out.csv").read_text().splitlines()[0]


def test_a_column_that_an_answer_would_cover_is_refused(tmp_path: Path, chosen: Chosen) -> None:
    made_up.rows(5).assign(prediction=1).to_csv(tmp_path / "in.csv", index=False)
    predict(tmp_path / "in.csv", tmp_path / "out.csv", chosen)
    with pytest.raises(DataError, match="column 'prediction': has the name of a column of answers"):
        predict(tmp_path / "in.csv", tmp_path / "out.csv", chosen, with_input=True)


@pytest.mark.parametrize(
    ("source", "target"),
    [("in.xlsx", "out.csv"), ("in.csv", "out.txt.gz"), ("in.csv", "out"), ("in.csv", "in.csv"), ("no.csv", "out.csv")],
)
def test_files_that_cannot_be_are_refused(tmp_path: Path, chosen: Chosen, source: str, target: str) -> None:
    made_up.rows(5).to_csv(tmp_path / "in.csv", index=False)
    (tmp_path / "in.xlsx").write_text("")
    before = (tmp_path / "in.csv").read_bytes()
    with pytest.raises(ConfigurationError, match="INPUT|OUTPUT"):
        predict(tmp_path / source, tmp_path / target, chosen)
    assert (tmp_path / "in.csv").read_bytes() == before


def test_a_file_without_rows_gives_answers_without_rows(tmp_path: Path, chosen: Chosen) -> None:
    made_up.rows(5).head(0).to_csv(tmp_path / "in.csv", index=False)
    assert predict(tmp_path / "in.csv", tmp_path / "out.csv", chosen).rows == 0
    assert "probability_yes" in (tmp_path / "out.csv").read_text()


def test_the_candidate_answers_where_there_is_no_champion(project: Path, tmp_path: Path) -> None:
    def section() -> Any:
        return tracking_section(project)

    assert choose(None, project, section, tmp_path).name == "models/candidate"
    assert not (project / "mlflow.db").exists(), "looking for a champion made a database"
    assert choose(str(project / "models/candidate"), project, section, tmp_path).version is None
    with pytest.raises(ConfigurationError, match="there is no such folder"):
        choose("elsewhere", project, section, tmp_path)


def test_the_command(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_up.rows(50).to_csv("in.csv", index=False)
    app(["predict", "in.csv", "out.csv", "--json"], standalone_mode=False)
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["predicted"], told["set_aside"], told["model"]) == (50, 50, 0, "models/candidate")
    assert (told["output"], told["set_aside_file"]) == ("out.csv", None)
    app(["predict", "in.csv", "out.csv"], standalone_mode=False)
    assert "out.csv: 50 rows answered by models/candidate" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("sign", "code", "litter"),
    [
        pytest.param("TERM", 143, 0, marks=pytest.mark.faults),
        pytest.param("INT", 130, 0, marks=pytest.mark.faults),
        ("KILL", -9, 1),
    ],
)
def test_a_command_that_is_ended_leaves_the_old_answers(project: Path, sign: str, code: int, litter: int) -> None:
    made_up.rows(50).to_csv("in.csv", index=False)
    Path("out.csv").write_text("of last time")
    environment = os.environ | {"GOODFIT_TEST": "1", "GOODFIT_FAILPOINT": f"predict.chunk:{sign}"}
    command = [sys.executable, "-m", "goodfit", "predict", "in.csv", "out.csv"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, Path("out.csv").read_text()) == (code, "of last time"), done.stderr
    assert "Traceback" not in done.stderr
    assert len(list(project.glob(".out*"))) == litter
    predict(Path("in.csv"), Path("out.csv"), Chosen("x", None, made_up.bundle_of()))
    assert len(read(Path("out.csv"))) == 50
    assert not list(project.glob(".out*")), "what the killed one has left is swept"
