"""The versions of one registered model: made once for the same data, code and params; found, tagged, brought back."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goodfit.errors import ConfigurationError, DataError, Fault, ServiceError
from goodfit.files import digest_of_path, digest_of_value
from goodfit.stage import failpoint
from goodfit.tracking.downloading import REMEDY, Artifacts
from goodfit.tracking.names import tag_values
from goodfit.tracking.repeating import steady
from goodfit.tracking.store import Outage, Rejection, Vanished, answering

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous_champion"
KEY = "goodfit.key"
"""Tag of a version: the digest of what determines it. There is one version to a key."""
BUNDLE = "goodfit.bundle"
MANIFEST = "manifest.json"
WHERE = "data/candidate"
"""Where MLflow keeps the bundle in a model's artifacts."""
EVIDENCE = "retraining"
"""Artifact folder of a version's run: what later retrains must know of it."""


@dataclass(frozen=True)
class Version:
    """A registered version.

    Args:
        number: from 1.
        run_id: the candidate run that it comes from.
        created: milliseconds since the epoch, by the store's clock.
        tags: of the version.
    """

    number: int
    run_id: str
    created: int
    tags: Mapping[str, str] = field(default_factory=dict)


class Versions:
    """The versions of a registered model.

    Args:
        client: of the store.
        uri: the tracking URI, where the artifacts are downloaded from.
        model: the registered model's name; it exists.
    """

    def __init__(self, client: "MlflowClient", uri: str, model: str) -> None:
        self._client, self._uri, self.model = client, uri, model

    def get(self, number: int) -> Version | None:
        """Return a version, None where there is none."""
        try:
            return _version(steady(lambda: self._client.get_model_version(self.model, str(number))))
        except (Vanished, Rejection):
            return None

    def all(self) -> list[Version]:
        """Return every version, the first first."""
        return self._found(f"name = '{self.model}'")

    def register(self, run_id: str, attempt: str, bundle: Path, tags: Mapping[str, Any]) -> Version:
        """Return the version of a run's model; the second registration of the same thing finds the first.

        Args:
            run_id: the candidate run; the bundle is one of its finished models.
            attempt: the training stage's key, by which data, code and params are known.
            bundle: the folder of the bundle, as it was trained.
            tags: of the version, if it is new.

        Raises:
            ServiceError: the run's model has not arrived in the store.
            Outage: the store does not answer.
        """
        digest = digest_of_path(bundle)
        key = digest_of_value([attempt, digest])
        found = self.of_key(key)
        if found is None:
            model = self._logged(run_id, digest)
            texts = tag_values({**tags, KEY: key, BUNDLE: digest})

            def create() -> None:
                if self.of_key(key) is None:  # else a reply was lost, not the request
                    place = model.artifact_location
                    self._client.create_model_version(self.model, place, run_id, texts, model_id=model.model_id)

            steady(create)
            failpoint("version.created")  # K28: the version is there, nobody has noted it
            found = self.of_key(key)
        if found is None:
            raise Outage(f"version of model '{self.model}' was made and is not found")
        return found

    def of_key(self, key: str) -> Version | None:
        """Return the version of a key; those that another process made of it at the same time are deleted.

        Numbers are given in the order of the commits, so whoever looks after writing sees the lowest one.
        """
        found = self._found(f"name = '{self.model}' and tags.`{KEY}` = '{key}'")
        for surplus in found[1:]:
            steady(lambda number=surplus.number: self._client.delete_model_version(self.model, str(number)))  # type: ignore[misc]
        return found[0] if found else None

    def tag(self, number: int, tags: Mapping[str, Any]) -> None:
        """Set tags of a version; the latest value counts."""
        for name, text in tag_values(tags).items():
            steady(lambda n=name, t=text: self._client.set_model_version_tag(self.model, str(number), n, t))  # type: ignore[misc]

    def aliases(self) -> dict[str, int]:
        """Return alias to version."""
        model = steady(lambda: self._client.get_registered_model(self.model))
        return {alias: int(version) for alias, version in model.aliases.items()}

    def point(self, alias: str, number: int) -> None:
        """Set an alias.

        Raises:
            Vanished: there is no such version.
        """
        steady(lambda: self._client.set_registered_model_alias(self.model, alias, str(number)))

    def unpoint(self, alias: str) -> None:
        """Remove an alias, if it is there."""
        steady(lambda: self._client.delete_registered_model_alias(self.model, alias))

    def download(self, number: int, folder: Path) -> Path:
        """Copy the registered artifact of a version into `folder`; return the folder of the bundle in it.

        Nothing of it is run or parsed; `load_bundle` treats it as untrusted. Only the bundle is copied.

        Raises:
            DataError: the artifact is gone, holds no bundle, or is too large; see `downloading`.
        """
        try:
            place = steady(lambda: self._client.get_model_version_download_uri(self.model, str(number)))
            with answering():
                artifacts = Artifacts(str(place), self._uri, self._name(number))
                within = artifacts.folder_of(MANIFEST)
                found = artifacts.copy(within, folder) if within is not None else None
        except (Vanished, Rejection) as error:
            raise self._unusable(number, f"cannot be fetched: {error}") from error
        if found is None:
            raise self._unusable(number, f"has no bundle: {MANIFEST} is missing in its files")
        return found

    def restore(self, number: int, bundle: Path) -> None:
        """Store a bundle with a version whose artifact is gone or damaged; it must be the very one that was registered.

        Raises:
            DataError: it is another one, or there is no such version.
        """
        version = self.get(number)
        if version is None or version.tags.get(BUNDLE) != digest_of_path(bundle):
            raise self._unusable(number, f"was not made of the bundle in {bundle.name}")
        place = steady(lambda: self._client.get_model_version_download_uri(self.model, str(number)))
        with answering():
            artifacts = Artifacts(str(place), self._uri, self._name(number))
            artifacts.put(bundle, artifacts.folder_of(MANIFEST) or WHERE)

    def keep_evidence(self, run_id: str, folder: Path) -> None:
        """Store the files of a folder with a version's run."""
        steady(lambda: self._client.log_artifacts(run_id, str(folder), EVIDENCE))

    def evidence(self, run_id: str, folder: Path) -> Path | None:
        """Copy what was kept with a version's run into `folder`; return where it lies, None if nothing was kept."""
        try:
            place = steady(lambda: self._client.get_run(run_id)).info.artifact_uri
            with answering():
                artifacts = Artifacts(str(place), self._uri, f"run {run_id} of model '{self.model}'")
                return artifacts.copy(EVIDENCE, folder)
        except (Vanished, Rejection):
            shutil.rmtree(folder / EVIDENCE, ignore_errors=True)
            return None

    def _logged(self, run_id: str, digest: str) -> Any:
        def search() -> list[Any]:
            run = self._client.get_run(run_id)
            condition = f"source_run_id = '{run_id}' AND tags.`{BUNDLE}` = '{digest}'"
            return list(self._client.search_logged_models([run.info.experiment_id], condition))

        ready = [model for model in steady(search) if model.status == "READY"]
        if not ready:
            rule = "has no finished model of these weights in the tracking store"
            raise ServiceError([Fault("run", rule, run_id, "Send what waits: goodfit sync. Then try again.")])
        return ready[0]

    def _found(self, condition: str) -> list[Version]:
        found: list[Version] = []
        token: str | None = None
        while True:
            page = steady(lambda t=token: self._client.search_model_versions(condition, page_token=t))  # type: ignore[misc]
            found += [_version(version) for version in page]
            token = page.token
            if not token:
                return sorted(found, key=lambda version: version.number)

    def _unusable(self, number: int, rule: str) -> DataError:
        return DataError([Fault(self._name(number), rule, None, REMEDY)])

    def _name(self, number: int) -> str:
        return f"version {number} of model '{self.model}'"


def parse_number(text: str) -> int:
    """Return a version's number.

    Raises:
        ConfigurationError: it is none.
    """
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**31:
        raise ConfigurationError([Fault("version", "is no number of a version", text, "goodfit history lists them.")])
    return int(text)


def _version(found: Any) -> Version:
    return Version(int(found.version), str(found.run_id or ""), int(found.creation_timestamp), dict(found.tags))
