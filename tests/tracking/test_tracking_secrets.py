"""Passwords, tokens and keys reach neither the outbox nor the tracker nor the screen."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from goodfit.errors import DataError
from goodfit.tracking import Tracker, TrackingSection, redact
from goodfit.tracking.redaction import redact_values

CANARY = "c4nary/p@ss"
LEAKS = [
    "postgresql://user:c4narypass@db.example.org:5432/x",
    "mysql+pymysql://u:c4narypass@host/x?ssl=1",
    "https://user:c4narypass@mlflow.example.org/path?a=b",
    "https://c4narypassc4narypass@github.com/a/b.git",
    "s3 https://b.s3.amazonaws.com/k?X-Amz-Signature=c4narypass&X-Amz-Date=2026",
    "Authorization: Bearer c4narypass.c4narypass",
    "error: password=c4narypass refused",
    "{'password': 'c4narypass', 'user': 'x'}",
    'api_key: "c4narypass"',
    "aws_secret_access_key = c4narypass",
    "--index-url https://__token__:c4narypass@pypi.example.org/simple",
]
ORDINARY = [
    "sqlite:///mlflow.db",
    "https://github.com/mlflow/mlflow#123",
    "model.width: 128, tokens: 12, passes: 3",
    "signature of the model (age: long, plan: string)",
    "select author, authority from books where id = 5",
    "s3://bucket/key/file.parquet",
    "basic training, bearer of news",
    "12:30@home",
]


@pytest.mark.parametrize("text", LEAKS)
def test_a_secret_is_masked(text: str) -> None:
    assert "c4nary" not in redact(text)
    assert "***" in redact(text)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_the_value_of_a_secret_variable_is_masked_wherever_it_stands() -> None:
    environment = {"MLFLOW_TRACKING_PASSWORD": CANARY, "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI", "HOME": "/home/user"}
    text = f"{CANARY} {quote(CANARY, safe='')} wJalrXUtnFEMI /home/user"
    assert redact(text, environment) == "*** *** *** /home/user"


def test_a_param_with_a_secret_name_is_masked_however_deep() -> None:
    values = {"source.password": "x", "source": {"token": "y", "query": "select 1"}, "list": [{"api_key": "z"}], "n": 3}
    assert redact_values(values) == {
        "source.password": "***",
        "source": {"token": "***", "query": "select 1"},
        "list": [{"api_key": "***"}],
        "n": 3,
    }


def test_no_canary_is_left_anywhere_after_a_run_that_fails(
    root: Path, section: TrackingSection, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "c4narypass-env")
    url = "postgresql://user:c4narypass@db/x"
    with pytest.raises(DataError), Tracker(section, root) as tracker, tracker.candidate("a", tags={"url": url}) as run:
        run.params({"source.uri": url, "source.password": "c4narypass", "long": "x" * 7000 + "c4narypass-env"})
        run.tags({"note": "c4narypass-env"})
        raise DataError(f"cannot read {url}: c4narypass-env")
    files = [path for path in root.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert [str(path) for path in files if b"c4nary" in path.read_bytes()] == []
    assert store.run("a").data.tags["goodfit.error"] == "cannot read postgresql://user:***@db/x: ***"
