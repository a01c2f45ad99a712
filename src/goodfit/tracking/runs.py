"""Which MLflow run belongs to an attempt: found by tag before it is made, so that there is never a second one."""

from typing import TYPE_CHECKING, Any

from goodfit.stage import failpoint
from goodfit.tracking.events import Event
from goodfit.tracking.store import Vanished

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as StoredRun

ATTEMPT = "goodfit.attempt"
SEARCH = "goodfit.search"
PARENT = "mlflow.parentRunId"
_PAGE = 1000
_OLDEST = ["attributes.start_time ASC"]


class Runs:
    """The runs of one experiment, by attempt.

    Args:
        client: of the store.
        experiment: its id.
        known: attempt to run id, as far as an earlier process found out; trusted only after a look.
    """

    def __init__(self, client: "MlflowClient", experiment: str, known: dict[str, str]) -> None:
        self._client = client
        self._experiment = experiment
        self.known = known
        self._seen: set[str] = set()
        self.made: set[str] = set()

    def id_of(self, attempt: str) -> str:
        """Return the run of an attempt that was opened.

        Raises:
            Vanished: the store no longer has it.
        """
        if attempt not in self._seen:
            found = self.of_attempt(attempt) or self.search(f"tags.`{SEARCH}` = '{attempt}'")
            if not found:
                raise Vanished(f"no run of attempt {attempt}")
            self.remember(attempt, found[0].info.run_id)
        return self.known[attempt]

    def confirmed(self, attempt: str) -> bool:
        """Tell whether this process has seen the attempt's run in the store."""
        return attempt in self._seen

    def open(self, event: Event) -> None:
        """Find, adopt or create the run that an open event describes, and mark it RUNNING with its owner.

        Raises:
            Vanished: it was there, and is no longer.
        """
        body = event.body
        found = self._one_of(event.run) or self._adopted(event.run, body.get("search"))
        if found is None and event.run in self.known:
            raise Vanished(f"run {self.known[event.run]} of attempt {event.run}")
        if found is None:
            self._create(event)
            return
        self.remember(event.run, found)
        tags = self._late_tags(event, found)
        self._client.log_batch(found, tags=_tags(tags))
        self._client.update_run(found, status="RUNNING", name=event.body["name"] if len(tags) > 1 else None)

    def of_attempt(self, attempt: str) -> "list[StoredRun]":
        """Return the runs of an attempt, the oldest first."""
        return self.search(f"tags.`{ATTEMPT}` = '{attempt}'")

    def search(self, condition: str) -> "list[StoredRun]":
        """Return every run of the experiment that meets MLflow's filter expression, the oldest first."""
        found: list[StoredRun] = []
        token: str | None = None
        while token is not None or not found:
            page = self._client.search_runs(
                [self._experiment],
                condition,
                max_results=_PAGE,
                order_by=_OLDEST,
                page_token=token,
            )
            found += list(page)
            token = page.token
            if not token:
                return found
        return found

    def _one_of(self, attempt: str) -> str | None:
        """Return the attempt's run; a second one, made by a request whose reply came too late, is deleted."""
        found = [run.info.run_id for run in self.of_attempt(attempt)]
        if not found:
            return None
        known = self.known.get(attempt)
        chosen = str(known if known in found else found[0])
        for surplus in found:
            if surplus != chosen:
                self._client.delete_run(surplus)
        return chosen

    def _adopted(self, attempt: str, search: str | None) -> str | None:
        """Return the run of the search that found this candidate's settings, if no training has taken it yet."""
        if search is None:
            return None
        if search == attempt:  # a search that is repeated after a training adopted its run
            taken = self.search(f"tags.`{SEARCH}` = '{search}'")
            return str(taken[-1].info.run_id) if taken else None
        free = [run.info.run_id for run in self.of_attempt(search)]
        if not free:
            return None
        self._client.set_tag(free[0], ATTEMPT, attempt)
        return str(free[0])

    def _create(self, event: Event) -> None:
        body = event.body
        tags = {**body["tags"], ATTEMPT: event.run}
        if body.get("search"):
            tags[SEARCH] = body["search"]
            searched = self.search(f"tags.`{SEARCH}` = '{body['search']}'")
            if searched:
                tags["goodfit.search_run_id"] = searched[0].info.run_id
        if body.get("parent"):
            tags[PARENT] = self.id_of(body["parent"])
        run = self._client.create_run(self._experiment, event.at, tags, body["name"])
        failpoint("track.created")  # K08: the run is in the store, we have not noted its id
        self.made.add(run.info.run_id)
        self.remember(event.run, run.info.run_id)

    def _late_tags(self, event: Event, run_id: str) -> dict[str, str]:
        """An adopted run keeps what its training said about it when the search speaks again."""
        tags: dict[str, Any] = self._client.get_run(run_id).data.tags
        if tags.get(ATTEMPT) != event.run:
            return {"goodfit.owner": event.body["tags"]["goodfit.owner"]}
        return dict(event.body["tags"])

    def remember(self, attempt: str, run_id: str) -> None:
        """Note the run of an attempt, which this process has seen in the store."""
        self.known[attempt] = run_id
        self._seen.add(attempt)


def _tags(values: dict[str, str]) -> list[Any]:
    from mlflow.entities import RunTag

    return [RunTag(key, value) for key, value in values.items()]
