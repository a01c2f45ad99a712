"""One champion, whoever promotes and whatever dies: decisions are in one order, and the aliases follow them."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from goodfit.errors import ConfigurationError, MachineError, ServiceError
from goodfit.tracking import ModelRegistry, TrackingSection, model_registry
from goodfit.tracking.store import connect
from goodfit.tracking.turn import turn
from goodfit.tracking.versions import CHALLENGER, CHAMPION, PREVIOUS

CHILD = Path(__file__).with_name("succession_in_child.py")


@pytest.fixture
def registry(root: Path, section: TrackingSection) -> Iterator[ModelRegistry]:
    """A registered model with three versions."""
    with model_registry(section, root) as found:
        for number in range(3):
            found.versions._client.create_model_version(
                "churn", f"somewhere/{number}", tags={"goodfit.key": str(number)}
            )
        yield found


def test_a_promotion_sets_both_aliases_and_is_history(registry: ModelRegistry) -> None:
    first = registry.succession.decide(None, "promotion", 1, "the first")
    assert registry.versions.aliases() == {CHAMPION: 1}
    registry.versions.point(CHALLENGER, 2)
    second = registry.succession.decide(first, "promotion", 2, "better by 0.02", "f" * 32)
    assert registry.versions.aliases() == {CHAMPION: 2, PREVIOUS: 1}
    assert registry.succession.history() == [first, second]
    assert second is not None and (second.number, second.previous, second.run) == (2, 1, "f" * 32)
    assert registry.succession.champion() == second


def test_a_decision_against_an_outdated_champion_is_refused_and_changes_nothing(registry: ModelRegistry) -> None:
    first = registry.succession.decide(None, "promotion", 1, "the first")
    registry.succession.decide(first, "rollback", 3, "a person chose")
    assert registry.succession.decide(first, "promotion", 2, "too late") is None
    assert registry.succession.decide(None, "promotion", 2, "far too late") is None
    assert registry.versions.aliases() == {CHAMPION: 3, PREVIOUS: 1}
    assert len(registry.succession.history()) == 2


def test_an_alias_that_was_moved_by_hand_becomes_a_decision(registry: ModelRegistry) -> None:
    first = registry.succession.decide(None, "promotion", 1, "the first")
    registry.versions.point(CHAMPION, 3)
    found = registry.succession.champion()
    assert found is not None and (found.version, found.kind, found.previous) == (3, "by hand", 1)
    assert registry.succession.history() == [first, found]
    assert registry.versions.aliases() == {CHAMPION: 3, PREVIOUS: 1}


def test_an_alias_that_was_set_before_any_decision_is_taken_up(registry: ModelRegistry) -> None:
    registry.versions.point(CHAMPION, 2)
    found = registry.succession.champion()
    assert found is not None and (found.version, found.kind, found.previous) == (2, "by hand", None)


def test_an_alias_that_was_removed_is_put_back_and_a_deleted_version_leaves_no_champion(
    registry: ModelRegistry,
) -> None:
    first = registry.succession.decide(None, "promotion", 1, "the first")
    registry.versions.unpoint(CHAMPION)
    assert registry.succession.champion() == first
    assert registry.versions.aliases() == {CHAMPION: 1}
    registry.versions._client.delete_model_version("churn", "1")
    assert registry.succession.champion() is None
    second = registry.succession.decide(registry.succession.head(), "promotion", 2, "the one before is gone")
    assert second is not None and registry.versions.aliases() == {CHAMPION: 2}


def test_an_open_decision_about_a_version_that_is_gone_does_not_stand_in_the_way(registry: ModelRegistry) -> None:
    registry.notes.write("decision", 1, {
        "kind": "promotion", "version": 7, "previous": None, "reason": "lost", "run": None, "at": "now",
    })  # fmt: skip
    assert registry.succession.champion() is None
    assert registry.notes.read("decision_done") != {}


def test_a_note_stands_once_and_its_writer_knows(registry: ModelRegistry) -> None:
    assert registry.notes.write("decision", 1, {"who": "a"})
    assert not registry.notes.write("decision", 1, {"who": "a"}), "equal words, another writer"
    assert registry.notes.read("decision")[1]["who"] == "a"


def test_a_model_that_someone_else_registered_is_refused(root: Path, section: TrackingSection) -> None:
    connect(f"sqlite:///{root / 'mlflow.db'}").create_registered_model("churn")
    with pytest.raises(ConfigurationError, match="registered, and not by goodfit"), model_registry(section, root):
        pass


def test_a_look_registers_nothing(root: Path, section: TrackingSection) -> None:
    with (
        pytest.raises(ConfigurationError, match="is not registered yet. goodfit retrain registers its first version"),
        model_registry(section, root, make=False),
    ):
        pass
    assert not connect(f"sqlite:///{root / 'mlflow.db'}").search_registered_models()


def test_notes_that_a_killed_process_left_without_a_model_are_taken_up(root: Path, section: TrackingSection) -> None:
    code = (
        "from pathlib import Path\n"
        "from goodfit.tracking import TrackingSection, model_registry\n"
        "with model_registry(TrackingSection(experiment='churn', model_name='churn'), Path('.')): pass\n"
    )
    environment = {**os.environ, "GOODFIT_TEST": "1", "GOODFIT_FAILPOINT": "notes.made:KILL"}
    assert subprocess.run([sys.executable, "-c", code], cwd=root, env=environment).returncode == -9
    with model_registry(section, root) as found:
        assert found.succession.head() is None
    client = connect(f"sqlite:///{root / 'mlflow.db'}")
    runs = client.search_runs([e.experiment_id for e in client.search_experiments()])
    assert [(run.info.status, run.data.tags["goodfit.kind"]) for run in runs] == [("FINISHED", "notes")]


def test_a_store_that_is_down_is_a_service_error(root: Path) -> None:
    section = TrackingSection(experiment="churn", model_name="churn", uri="http://127.0.0.1:9")
    with pytest.raises(ServiceError, match="does not answer"), model_registry(section, root):
        pass


def test_two_turns_at_once_are_refused_and_a_dead_owner_is_replaced_at_once(registry: ModelRegistry) -> None:
    with turn(registry.notes, "churn") as first, pytest.raises(MachineError, match="is being retrained by process"):
        assert first == 1
        with turn(registry.notes, "churn"):
            pass
    with turn(registry.notes, "churn") as second:
        assert second == 2
    gone = subprocess.run([sys.executable, "-c", "from goodfit.stage import Owner; print(Owner.me())"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert registry.notes.write("turn", 3, {"owner": gone.stdout.strip()})
    with turn(registry.notes, "churn") as fourth:
        assert fourth == 4


def elsewhere(registry: ModelRegistry) -> None:
    owner = {"host": "another-machine", "boot": "b", "pid": 1, "started": 1.0}
    assert registry.notes.write("turn", 1, {"owner": json.dumps(owner)})


def test_a_turn_on_another_machine_is_taken_over_when_its_heart_stops(registry: ModelRegistry) -> None:
    elsewhere(registry)
    with turn(registry.notes, "churn", silence=1.0) as number:
        assert number == 2


def test_a_turn_on_another_machine_is_respected_while_its_heart_beats(registry: ModelRegistry) -> None:
    import threading

    from goodfit.tracking.turn import _beat

    elsewhere(registry)
    stop = threading.Event()
    heart = threading.Thread(target=_beat, args=(registry.notes, 1, stop, 0.1))
    heart.start()
    try:
        with pytest.raises(MachineError, match="on another-machine"), turn(registry.notes, "churn", silence=20.0):
            pass
    finally:
        stop.set()
        heart.join()


def race(uri: str, folder: Path, processes: int, rounds: int) -> list[list[int]]:
    """Return, by round, the numbers of the decisions that the processes say they took; a socket is the barrier."""
    won = []
    with ExitStack() as stack:
        door = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        door.settimeout(120)
        for version in range(1, processes + 1):
            command = [sys.executable, str(CHILD), uri, str(version), str(rounds), str(door.getsockname()[1])]
            stack.enter_context(subprocess.Popen(command, cwd=folder))
        sockets = [stack.enter_context(door.accept()[0]) for _ in range(processes)]
        children = [stack.enter_context(connection.makefile("rw")) for connection in sockets]
        for _ in range(rounds):
            assert [child.readline() for child in children] == ["ready\n"] * processes
            for child in children:
                child.write("go\n")
                child.flush()
            said = [json.loads(child.readline()) for child in children]
            won.append([number for number in said if number is not None])
    return won


def prepared(uri: str, folder: Path, versions: int) -> ModelRegistry:
    from goodfit.tracking.courier import Courier

    client, experiment = Courier(folder, uri, "churn").client()
    registry = ModelRegistry(client, experiment, uri, "churn")
    for number in range(versions):
        client.create_model_version("churn", f"somewhere/{number}", tags={"goodfit.key": str(number)})
    return registry


def check_race(registry: ModelRegistry, won: list[list[int]]) -> None:
    history = registry.succession.history()
    assert won == [[number] for number in range(1, len(won) + 1)], "each round one process, each told the truth"
    assert [decision.number for decision in history] == list(range(1, len(won) + 1))
    assert [decision.previous for decision in history] == [None, *(decision.version for decision in history[:-1])]
    aliases = registry.versions.aliases()
    assert (aliases[CHAMPION], aliases.get(PREVIOUS)) == (history[-1].version, history[-1].previous)


def test_of_several_promoters_at_once_exactly_one_wins(tmp_path: Path, blank_database: Path) -> None:
    shutil.copyfile(blank_database, tmp_path / "mlflow.db")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    registry = prepared(uri, tmp_path, 3)
    check_race(registry, race(uri, tmp_path, processes=3, rounds=2))


TRIGGER = """
CREATE TABLE alias_log (alias text, version integer);
CREATE FUNCTION log_alias() RETURNS trigger AS $$ BEGIN
  IF TG_OP = 'INSERT' OR NEW.version IS DISTINCT FROM OLD.version
  THEN INSERT INTO alias_log VALUES (NEW.alias, NEW.version); END IF; RETURN NEW; END $$ LANGUAGE plpgsql;
CREATE TRIGGER log_alias AFTER INSERT OR UPDATE ON registered_model_aliases FOR EACH ROW EXECUTE FUNCTION log_alias();
"""


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_ten_promoters_at_once_fifty_rounds_on_postgresql(postgresql: Any, tmp_path: Path) -> None:
    import psycopg

    at = {"host": postgresql.host, "port": postgresql.port, "user": postgresql.user, "password": postgresql.password}
    with psycopg.connect(**at, dbname="postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE ten")
    uri = postgresql.url(database="ten")
    registry = prepared(uri, tmp_path, 10)
    with psycopg.connect(**at, dbname="ten", autocommit=True) as connection:
        connection.execute(TRIGGER)
        check_race(registry, race(uri, tmp_path, processes=10, rounds=50))
        changes = connection.execute("SELECT version FROM alias_log WHERE alias = 'champion'").fetchall()
    history = [decision.version for decision in registry.succession.history()]
    expected = [version for version, before in zip(history, [None, *history[:-1]], strict=True) if version != before]
    assert [version for (version,) in changes] == expected
    assert len(Counter(history)) > 1, "one process won every round: they did not compete"
