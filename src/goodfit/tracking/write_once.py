"""Notes that are written once for all, by whichever process comes first: what MLflow's aliases and tags cannot be.

Aliases and tags are overwritten without a look, and MLflow knows no compare-and-swap. A param of a run, however, is
never overwritten: its row is unique in the database, so of two writers one gets it and the other is refused, on SQLite,
PostgreSQL and behind a server alike. One finished run holds the notes of one registered model; which run, the model's
own tag says, which is written in the statement that makes the model, whose name is unique too.
"""

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from goodfit.errors import ConfigurationError, Fault
from goodfit.stage import failpoint
from goodfit.tracking.names import LONGEST_PARAM
from goodfit.tracking.repeating import steady
from goodfit.tracking.runs import Runs
from goodfit.tracking.store import Rejection, Vanished

if TYPE_CHECKING:
    from mlflow import MlflowClient

NOTES = "goodfit.notes"
"""Tag of a registered model: the run that holds its notes. On that run: the registered model."""


class Unregistered(ConfigurationError):
    """The model is not registered yet."""


class Notes:
    """The notes of one registered model.

    Args:
        client: of the store.
        run_id: the run that holds them.
    """

    def __init__(self, client: "MlflowClient", run_id: str) -> None:
        self.client, self.run_id = client, run_id

    def read(self, kind: str) -> dict[int, dict[str, Any]]:
        """Return the notes of a kind by number, ascending.

        Raises:
            Outage: the store does not answer.
        """
        params: dict[str, str] = steady(lambda: self.client.get_run(self.run_id)).data.params
        numbers = [name.split(".") for name in params if name.startswith(f"{kind}.")]
        return {
            number: json.loads(params[name_of(kind, number)])
            for number in sorted(int(parts[1]) for parts in numbers if len(parts) == 2)
        }

    def write(self, kind: str, number: int, note: dict[str, Any]) -> bool:
        """Write a note unless the number is taken; return whether this very note stands there now.

        A reply that was lost changes nothing: the same note is written again, and only its writer knows its nonce.

        Raises:
            Outage: the store does not answer; whether the note stands is not known.
        """
        text = json.dumps({**note, "nonce": uuid4().hex}, sort_keys=True, ensure_ascii=False)
        if len(text) > LONGEST_PARAM:
            raise ValueError(f"a note of {len(text):,} characters: a param holds {LONGEST_PARAM:,}")
        try:
            steady(lambda: self.client.log_param(self.run_id, name_of(kind, number), text))
        except Rejection:
            return False
        return True


def name_of(kind: str, number: int) -> str:
    """Return the param that holds a note."""
    return f"{kind}.{number:06d}"


def open_notes(client: "MlflowClient", experiment: str, model: str, *, make: bool = True) -> Notes:
    """Return the notes of a registered model; model and notes are made if they are not there and `make` is set.

    Raises:
        ConfigurationError: the model is there, and goodfit has not made it.
        Unregistered: it is not there.
        Outage: the store does not answer.
    """
    tags = _tags(client, model)
    if tags is None and not make:
        rule, remedy = "is not registered yet", "goodfit retrain registers its first version."
        raise Unregistered([Fault(f"model '{model}'", rule, None, remedy)])
    if tags is None:
        spare = _spare_run(client, experiment, model)
        failpoint("notes.made")  # the run is there, the model that points to it is not
        try:
            text = "Made by goodfit. Its decisions are params of the run that the tag goodfit.notes names."
            steady(lambda: client.create_registered_model(model, {NOTES: spare}, text))
        except Rejection:
            pass  # another process, or our own request whose reply was lost, has made it
        tags = _tags(client, model) or {}
        if tags.get(NOTES) not in (None, spare):
            steady(lambda: client.delete_run(spare))
    if NOTES not in tags:
        remedy = "Choose another tracking.model_name; its versions are of goodfit alone."
        raise ConfigurationError(
            [Fault("params.yaml: tracking.model_name", "is registered, and not by goodfit", model, remedy)]
        )
    return Notes(client, tags[NOTES])


def _tags(client: "MlflowClient", model: str) -> dict[str, str] | None:
    try:
        return dict(steady(lambda: client.get_registered_model(model)).tags)
    except Vanished:
        return None


def _spare_run(client: "MlflowClient", experiment: str, model: str) -> str:
    """Return a run for notes that nobody points to yet: one that a process left which died, or a new one."""
    condition = f"tags.`{NOTES}` = '{model}'"
    tags = {NOTES: model, "goodfit.kind": "notes"}

    def found_or_made() -> str:
        left = Runs(client, experiment, {}).search(condition)
        run = left[0] if left else client.create_run(experiment, tags=tags, run_name=f"decisions about {model}")
        if run.info.status != "FINISHED":
            client.set_terminated(run.info.run_id, "FINISHED")
        return str(run.info.run_id)

    return steady(found_or_made)
