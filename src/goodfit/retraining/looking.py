"""The first half of a retrain: finish what was left open, read and validate the data, and decide."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from goodfit.bundle import Bundle, load_bundle
from goodfit.errors import DataError
from goodfit.files import digest_of_file
from goodfit.retraining.deciding import Standing, decide, overrides
from goodfit.retraining.drift import Drift
from goodfit.retraining.examining import Examined, examine, examine_served, new_rows
from goodfit.retraining.fingerprint import watched
from goodfit.retraining.noting import DECISION, note_decision
from goodfit.retraining.params import RetrainParams
from goodfit.retraining.policies import Situation, Verdict
from goodfit.retraining.reference import Reference
from goodfit.retraining.registering import RAW, RAW_MD5, identity_of, validated
from goodfit.retraining.served import Served
from goodfit.retraining.work import Pipeline, Work, run_graph
from goodfit.tracking import Decision, Version


@dataclass(frozen=True)
class Seen:
    """The decision whether to retrain, and what it rests on.

    Args:
        verdict: yes or no, and why.
        standing: what the registry says.
        head: the decision about the champion that stood before anything was trained; a promotion is taken against it.
        drift: what was found on the new rows, JSON-able.
    """

    verdict: Verdict
    standing: Standing
    head: Decision | None
    drift: Mapping[str, Any]


def look(work: Work, folder: Path, *, force: bool) -> Seen:
    """Look at registry and data, and decide.

    Args:
        work: the retrain.
        folder: for downloads.
        force: retrain whatever the policy says.

    Raises:
        GateError: the data failed validation.
    """
    champion, head, latest, standing = _standing(work)
    refresh(work.root, work.params, work.pipeline, standing.stays)
    verdict, drift = overrides(standing, force=force), dict[str, Any]()
    if champion is not None and latest is not None:
        situation, drift = _situation(work, champion, latest, folder)
        verdict = verdict or decide(work.params.retrain, standing, situation)
    assert verdict is not None, "without a champion no policy is asked"
    return Seen(verdict, standing, head, drift)


def _standing(work: Work) -> tuple[Version | None, Decision | None, Version | None, Standing]:
    succession = work.registry.succession
    decision, head = succession.champion(), succession.head()
    if decision is not None:
        note_decision(work.registry, decision)
    versions = work.registry.versions.all()
    latest = versions[-1] if versions else None
    champion = work.version(decision.version) if decision else None
    number = champion.number if champion else None
    if latest is None:
        return champion, head, None, Standing(number)
    judged = DECISION in latest.tags or latest.number == number
    return champion, head, latest, Standing(number, latest.number, latest.created / 1000, judged)


def refresh(root: Path, params: RetrainParams, pipeline: Pipeline, stays: str) -> None:
    """Ingest and validate; a database or a remote store is read anew, for nothing else tells that it changed.

    Raises:
        GoodfitError: a stage failed; `stays` says who is champion.
    """
    if not watched(params.source, root):
        run_graph(pipeline, ["--single-item", "--force", "ingest"], f"the source could not be read; {stays}")
    run_graph(pipeline, ["validate"], f"the data were refused; {stays}")


def _situation(work: Work, champion: Version, latest: Version, folder: Path) -> tuple[Situation, dict[str, Any]]:
    """Return what the policy is told; where nothing has changed, nothing is downloaded and nothing tested."""
    situation = Situation(time.time(), False, 0, champion.created / 1000)
    changed = digest_of_file(work.root / RAW) != latest.tags.get(RAW_MD5)
    asked = work.served is not None and work.served.state() != ""
    if not changed and not asked:
        return situation, {}
    reference = work.reference(champion, folder / "champion")
    bundle = load_bundle(work.registry.versions.download(champion.number, folder / "champion-bundle"))
    drift: dict[str, Any] = {}
    if work.served is not None and asked:
        served = _served_drift(work, work.served, reference, bundle, champion.number)
        situation, drift = replace(situation, served=served.drifted), {"served": served.to_dict()}
    if not changed:
        return situation, drift
    table = validated(work.root, work.params)
    identity = identity_of(table, work.params)
    count = new_rows(table, identity, work.reference(latest, folder / "latest"))
    settings = work.params.retrain.drift, work.params.evaluate, work.params.seed
    found = examine(table, identity, reference, bundle, *settings)
    drifted = found.drift.drifted if found.drift.columns else None
    told = replace(situation, changed=True, new_rows=count, drifted=drifted, quality=found.quality)
    return told, {**_written(found), **drift}


def _served_drift(work: Work, served: Served, reference: Reference, bundle: Bundle, champion: int) -> Drift:
    """Examine the record; one that cannot be used is told, and costs no retrain."""
    try:
        return examine_served(served.rows(bundle, champion), reference, bundle, work.params.retrain.drift)
    except DataError as error:
        return Drift(0, notes=(f"the record of what was served cannot be used: {error}",))


def _written(found: Examined) -> dict[str, Any]:
    return {**found.drift.to_dict(), "quality": asdict(found.quality) if found.quality else None}
