"""The second half of a retrain: the challenger against the champion, and the change of champion."""

from dataclasses import replace
from pathlib import Path

from goodfit.bundle import load_bundle
from goodfit.files import read_json
from goodfit.retraining.contest import Contest, Side, contest, first_model
from goodfit.retraining.fresh import FreshProcess
from goodfit.retraining.golden import evidence_of, golden_of, name_of
from goodfit.retraining.looking import Seen
from goodfit.retraining.noting import note_decision, note_kept
from goodfit.retraining.outcome import Outcome
from goodfit.retraining.registering import CANDIDATE, identity_of, splits
from goodfit.retraining.verification import verify
from goodfit.retraining.work import Work
from goodfit.tracking import CHALLENGER, Version


def promote_or_keep(work: Work, version: Version, seen: Seen, run: str | None, folder: Path) -> Outcome:
    """Judge a registered challenger, promote it or keep the champion, and write both down.

    Args:
        work: the retrain.
        version: the challenger; the workspace holds its bundle and its splits.
        seen: the standing before anything was trained.
        run: the MLflow run of the retrain.
        folder: for downloads.

    Raises:
        DataError: the two cannot be judged on the same rows, or the registered artifact is not what was trained.
    """
    champion = seen.standing.champion
    if version.number == champion:
        return Outcome("kept", "what was trained is the champion already", champion, version.number)
    work.registry.versions.point(CHALLENGER, version.number)
    found = _contest(work, version, champion, folder)
    if found.promote and _was_rolled_back(work, version.number):
        found = replace(found, promote=False, reason=f"{found.reason}; but a person has rolled it back before")
    if found.promote:
        with FreshProcess() as process:
            evidence = evidence_of(work.registry, version, folder / "challenger")
            golden = golden_of(evidence, name_of(work.registry, version))
            verify(work.registry, version, golden, folder / "challenger-bundle", process, exact=True)
        decision = work.registry.succession.decide(seen.head, "promotion", version.number, found.reason, run)
        if decision is not None:
            note_decision(work.registry, decision)
            return Outcome("promoted", found.reason, version.number, version.number, contest=found.evidence)
    stands = work.registry.succession.head()
    if stands is not None and stands != seen.head:  # someone has decided while we trained, and that stands
        champion = stands.version
        told = f"another decision came first: version {champion}, {stands.reason}"
        found = replace(found, reason=f"{found.reason}; but {told}")
    note_kept(work.registry, version.number, champion, found.reason, run)
    return Outcome("kept", found.reason, champion, version.number, contest=found.evidence)


def _contest(work: Work, version: Version, champion: int | None, folder: Path) -> Contest:
    section, params = work.params.retrain, work.params
    if champion is None:
        return first_model(read_json(work.root / "metrics.json"), section.first)
    tables, current = splits(work.root), work.version(champion)
    known = work.reference(current, folder / "judged").known
    place = work.registry.versions.download(champion, folder / "judged-bundle")
    old = Side(f"version {champion}", load_bundle(place), place)
    new = Side(f"version {version.number}", load_bundle(work.root / CANDIDATE), work.root / CANDIDATE)
    identity = identity_of(tables["test"], params)
    return contest(old, new, tables, known, identity, section, params.evaluate, params.seed)


def _was_rolled_back(work: Work, version: int) -> bool:
    return any(d.kind == "rollback" and d.previous == version for d in work.registry.succession.history())
