"""`goodfit retrain`: new data in, a better champion out, or a reason why not."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

from goodfit.files import write_json
from goodfit.retraining.deciding import Standing
from goodfit.retraining.fingerprint import fingerprint
from goodfit.retraining.looking import look, refresh
from goodfit.retraining.outcome import Outcome
from goodfit.retraining.params import RetrainParams
from goodfit.retraining.policies import POLICIES
from goodfit.retraining.promoting import promote_or_keep
from goodfit.retraining.receipt import Receipt, drop_receipt, keep_receipt, settings_digest
from goodfit.retraining.registering import register
from goodfit.retraining.served import Served
from goodfit.retraining.work import Pipeline, Work
from goodfit.stage import say
from goodfit.tracking import Run, Tracker, Unregistered, model_registry

FOLDER = Path(".goodfit/retrain")
"""Where drift and contest of the last retrain lie as JSON."""


def retrain(
    root: Path,
    params: RetrainParams,
    pipeline: Pipeline,
    served: Served | None = None,
    *,
    dry_run: bool = False,
    force: bool = False,
) -> Outcome:
    """Look at the data, decide, train, compare, and promote or keep; one at a time for each model.

    Args:
        root: the workspace.
        params: the sections that matter.
        pipeline: runs the graph.
        served: the record of what was asked over HTTP.
        dry_run: stop after the decision; nothing is trained, registered or recorded.
        force: train whatever the policy says.

    Raises:
        GateError: validation or evaluation said no; the champion stays.
        MachineError: the model is being retrained by another process.
        ServiceError: the tracking store does not answer; nothing was promoted.
        DataError: champion and challenger cannot be judged.
    """
    source, served = fingerprint(params.source, root), served if params.retrain.drift.served else None
    state = served.state() if served is not None else ""
    if dry_run:
        return _foreseen(root, params, pipeline, served, force)
    with model_registry(params.tracking, root) as registry, registry.turn() as number:
        work = Work(root, params, registry, pipeline, served)
        drop_receipt(root)
        attempt = f"retrain-{registry.notes.run_id[:8]}-{number:06d}"
        tags = {"goodfit.model": registry.model, "goodfit.turn": number, "goodfit.source": source or "unknown"}
        with Tracker(params.tracking, root) as tracker, tracker.retrain(attempt, f"retrain-{number:04d}", tags) as run:
            tracker.flush()
            outcome = replace(_done(work, run, force), run=run.id)
            _record(root, run, outcome)
            run.finish("FINISHED")
    if source is not None:
        keep_receipt(root, Receipt(source, settings_digest(root), outcome.sentence, outcome.due, state))
    return outcome


def _foreseen(root: Path, params: RetrainParams, pipeline: Pipeline, served: Served | None, force: bool) -> Outcome:
    """Say what would be decided; a model that is not registered yet is not registered by that."""
    try:
        with (
            model_registry(params.tracking, root, make=False) as registry,
            registry.turn(),
            tempfile.TemporaryDirectory() as folder,
        ):
            seen = look(Work(root, params, registry, pipeline, served), Path(folder), force=force)
    except Unregistered:
        nobody = Standing(None)
        refresh(root, params, pipeline, nobody.stays)
        return Outcome("would_retrain", "asked for by hand" if force else nobody.stays)
    verdict, champion = seen.verdict, seen.standing.champion
    if verdict.retrain:
        return Outcome("would_retrain", verdict.reason, champion, drift=seen.drift)
    return Outcome("not_due", verdict.reason, champion, drift=seen.drift, due=verdict.due)


def _done(work: Work, run: Run, force: bool) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        seen = look(work, Path(folder), force=force)
        verdict = seen.verdict
        say(f"retrain: {'yes' if verdict.retrain else 'no'}: {verdict.reason}", stderr=True)
        run.tags({"goodfit.verdict": verdict.reason})
        if not verdict.retrain:
            due = verdict.due or _expires(work, seen.standing.champion)
            return Outcome("not_due", verdict.reason, seen.standing.champion, drift=seen.drift, due=due)
        work.run([], f"the challenger was refused; {seen.standing.stays}")
        version = register(work.root, work.params, work.registry)
        outcome = promote_or_keep(work, version, seen, run.id, Path(folder))
    return replace(outcome, drift=seen.drift, due=_expires(work, outcome.champion))


def _expires(work: Work, champion: int | None) -> float | None:
    """Return when the policy's answer may change although no data have; None where that has passed, or never comes."""
    if champion is None:
        return None
    due = POLICIES.build(work.params.retrain.policy).expires(work.version(champion).created / 1000)
    return due if due is not None and due > time.time() else None


def _record(root: Path, run: Run, outcome: Outcome) -> None:
    """Write down what it came to, with the run."""
    told = {"outcome": outcome.status, "reason": outcome.reason, "champion": outcome.champion}
    told["version"] = outcome.version
    run.tags({f"goodfit.{name}": "none" if value is None else value for name, value in told.items()})
    for name, figures in (("drift", outcome.drift), ("contest", outcome.contest)):
        if figures:
            write_json(root / FOLDER / f"{name}.json", dict(figures))
            run.artifact(root / FOLDER / f"{name}.json", "retrain")
