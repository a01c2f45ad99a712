"""A project in small: its graph is one function, so that a night takes a second; registry and champion are real.

As a script, `python bench.py ROOT SKILL` retrains with a challenger of that skill, or `python bench.py ROOT rollback`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from goodfit.bundle import Bundle, assembled, save_bundle
from goodfit.data import Table, write_table
from goodfit.data.quarantine import write_quarantine
from goodfit.errors import GoodfitError, Interrupted
from goodfit.evaluation.judging import MODEL, Answers, judge
from goodfit.evaluation.targets import predicted, target_values
from goodfit.files import digest_of_file, digest_of_value, write_json
from goodfit.models import MODELS
from goodfit.params import load_params
from goodfit.preprocessing import PreprocessingSection, fit_preprocessor
from goodfit.regularizers import Regularization, RegularizationSection
from goodfit.retraining.fresh import FreshProcess
from goodfit.retraining.outcome import Outcome
from goodfit.retraining.params import RetrainParams
from goodfit.retraining.registering import validated
from goodfit.retraining.retrain import retrain
from goodfit.retraining.rollback import rollback
from goodfit.retraining.served import Served
from goodfit.serving.parts import FOLDER, state_of
from goodfit.serving.served import served_rows
from goodfit.splits import split_table
from goodfit.stage.failure import report_failure
from goodfit.stage.signals import install_handlers
from goodfit.tracking import Decision, Tracker, model_registry, record_tags, run_record

PARAMS = """
seed: 7
source: {kind: csv, path: input/rows.csv}
schema: {target: y, id: [number]}
split: {kind: hashed}
evaluate: {metrics: [log_loss, roc_auc], bootstrap: {resamples: 200}}
retrain: {policy: {kind: always}, min_test_rows: 50, guards: {latency: null}}
tracking: {experiment: bench, model_name: bench}
"""
GRAPH = "stages:\n  ingest:\n    cmd: python pipeline/ingest.py\n    deps: [input]\n    outs: [data/raw.parquet]\n"


def rows(count: int, seed: int, move: float = 0.0) -> pd.DataFrame:
    """Draw rows: the odds of yes grow with x0; `move` shifts x1, which means nothing."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"number": np.arange(count) + seed * 1_000_000, "x0": random.normal(size=count)})
    frame["x1"] = random.normal(size=count) + move
    frame["y"] = np.where(random.random(count) < 1 / (1 + np.exp(-2 * frame["x0"])), "yes", "no")
    return frame


class Bench:
    """The workspace, and what comes to it night by night."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.skill = 1.0
        self.calls: list[list[str]] = []
        self.during: Any = None

    def make(self, count: int = 1000, **changes: str) -> "Bench":
        text = PARAMS
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        (self.root / "params.yaml").write_text(text)
        (self.root / "dvc.yaml").write_text(GRAPH)
        (self.root / "input").mkdir()
        rows(count, 1).to_csv(self.root / "input/rows.csv", index=False)
        return self

    def append(self, count: int, seed: int, move: float = 0.0) -> None:
        path = self.root / "input/rows.csv"
        pd.concat([pd.read_csv(path), rows(count, seed, move)]).to_csv(path, index=False)

    def edit(self, old: str, new: str) -> None:
        text = (self.root / "params.yaml").read_text()
        assert old in text
        (self.root / "params.yaml").write_text(text.replace(old, new))

    @property
    def params(self) -> RetrainParams:
        return load_params(self.root / "params.yaml", RetrainParams)

    def retrain(self, skill: float | None = None, **options: bool) -> Outcome:
        self.skill = self.skill if skill is None else skill
        return retrain(self.root, self.params, self.pipeline, self.served, **options)

    def roll_back(self, number: int | None = None, reason: str = "") -> Decision:
        with FreshProcess() as process, model_registry(self.params.tracking, self.root) as registry:
            return rollback(registry, self.root, number, process, reason)

    @property
    def served(self) -> Served:
        folder = self.root / FOLDER
        return Served(lambda: state_of(folder), lambda bundle, version: served_rows(folder, bundle, version))

    def pipeline(self, arguments: Sequence[str]) -> int:
        """Do what the graph would: ingest and validate, or everything; a negative x1 everywhere fails validation."""
        self.calls.append(list(arguments))
        frame = pd.read_csv(self.root / "input/rows.csv")
        (self.root / "data").mkdir(exist_ok=True)
        frame.to_parquet(self.root / "data/raw.parquet", index=False)
        write_quarantine(self.root / "data/quarantine.parquet", frame, [], [])
        if "broken" in frame:
            return 6
        if not arguments:
            self._train()
            if self.during:
                self.during()
        return 0

    def _train(self) -> None:
        params = self.params
        table = validated(self.root, params)
        parts = split_table(table, params.split, params.seed)
        for name in ("train", "valid", "test"):
            write_table(self.root / f"data/{name}.parquet", getattr(parts, name))
        bundle = bundle_of(parts.train, self.skill)
        save_bundle(self.root / "models/candidate", bundle)
        write_json(self.root / "metrics.json", {"test": scores(bundle, parts.test, params), "comparison": {}})
        names = ("train", "valid", "test")
        inputs = {f"data/{name}.parquet": digest_of_file(self.root / f"data/{name}.parquet") for name in names}
        attempt = digest_of_value([self.skill, inputs, (self.root / "params.yaml").read_text()])
        record = run_record(self.root, attempt=attempt, experiment="bench", params={"skill": self.skill}, inputs=inputs)
        with (
            Tracker(params.tracking, self.root) as tracker,
            tracker.candidate(attempt, params={"skill": self.skill}, tags=record_tags(record)) as run,
        ):
            run.model(self.root / "models/candidate", parts.train.frame[["x0", "x1"]].head(3), ("no", "yes"))
            tracker.flush()
            write_json(self.root / "run.json", record | {"run_id": run.id, "machine": {"threads": 1}})
            run.finish()


def bundle_of(train: Table, skill: float) -> Bundle:
    """Return a model whose odds grow with x0 by `skill`; 2 is the truth."""
    preprocessor = fit_preprocessor(train, PreprocessingSection())
    options, section = MODELS["linear"].options(), RegularizationSection.model_validate({})
    model = assembled(options, Regularization(section), preprocessor, 1)
    with torch.no_grad():
        model.head.weight.zero_()  # type: ignore[union-attr, operator]
        model.head.bias.zero_()  # type: ignore[union-attr, operator]
        model.head.weight[0, preprocessor.numeric_names.index("x0")] = skill  # type: ignore[union-attr, index]
    return Bundle(train.schema, preprocessor, options, section, model.eval())


def scores(bundle: Bundle, test: Table, params: RetrainParams) -> dict[str, Any]:
    answers = Answers(target_values(bundle, test), None, {MODEL: predicted(bundle, test, "test")}, {MODEL: 0.5})
    judged = judge(answers, ("log_loss", "roc_auc"), params.evaluate.bootstrap, (1,))
    return {name: judged.estimate(MODEL, name).to_dict() for name in ("log_loss", "roc_auc")}


def main(root: str, what: str) -> int:
    bench = Bench(Path(root))
    install_handlers()
    try:
        if what == "rollback":
            bench.roll_back()
        else:
            print(bench.retrain(float(what)).status)
    except (GoodfitError, Interrupted) as error:
        return report_failure("bench", error, bench.root)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
