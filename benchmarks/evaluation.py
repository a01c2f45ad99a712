"""What an evaluation costs: the whole of it beside its metrics alone, and the most memory that it takes.

Each measurement is a process of its own, so that its peak is its own. "metrics" are the metrics, intervals and
baselines; "everything" adds all inspections, the timing and the page. The ratio is of the two in one run. The network
is untrained: what it answers changes no cost.

    python benchmarks/evaluation.py [--rows 7043] [--columns 20] [--large]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import torch

from goodfit.bundle import Bundle, assembled, save_bundle
from goodfit.data import SchemaSection, Table, infer_schema
from goodfit.evaluation import INSPECTIONS, Context, EvaluateSection, evaluate, measure_cost, write_reports
from goodfit.models import MODELS, NoBlocks
from goodfit.preprocessing import PreprocessingSection, fit_preprocessor
from goodfit.regularizers import RegularizationSection

RESULT = Path(__file__).parent / "results" / "evaluation.json"
LARGE = (1_000_000, 50)
TARGET = {"everything_seconds": 25, "large_peak_mb": 4000}
LEVELS = 12


def tables(rows: int, columns: int) -> dict[str, Table]:
    """Return made-up splits: four fifths numbers, one fifth text, and a target that two of them make."""
    random = np.random.default_rng(0)
    numbers = columns * 4 // 5
    frame = pd.DataFrame(
        random.normal(size=(rows, numbers)).astype(np.float32), columns=[f"x{i}" for i in range(numbers)]
    )
    for i in range(columns - numbers):
        codes = random.integers(0, LEVELS, rows)
        frame[f"c{i}"] = pd.Categorical.from_codes(codes, [f"level {j}" for j in range(LEVELS)]).astype(str)
    frame["y"] = np.where(frame["x0"] + frame["x1"] + random.normal(size=rows) > 0, "yes", "no")
    schema = infer_schema(frame, SchemaSection(target="y"))
    ends = (0, int(rows * 0.7), int(rows * 0.85), rows)
    parts = zip(("train", "valid", "test"), ends[:3], ends[1:], strict=True)
    return {name: Table(frame.iloc[a:b].reset_index(drop=True), schema) for name, a, b in parts}


def untrained(train: Table) -> Bundle:
    """Return a network of the default project's size."""
    preprocessor = fit_preprocessor(train, PreprocessingSection())
    options = MODELS["mlp"].options(layers=1, width=128)
    torch.manual_seed(0)
    model = assembled(options, NoBlocks(), preprocessor, 1).eval()
    return Bundle(train.schema, preprocessor, options, RegularizationSection(), model)


def measure(rows: int, columns: int, everything: bool) -> dict[str, float]:
    """Evaluate once in this process."""
    splits = tables(rows, columns)
    bundle, parts = untrained(splits["train"]), SimpleNamespace(**splits)
    off: dict[str, Any] = {} if everything else {kind: {"enabled": False} for kind in INSPECTIONS}
    section = EvaluateSection(**off)
    with tempfile.TemporaryDirectory() as folder:
        save_bundle(Path(folder) / "bundle", bundle)
        start = time.perf_counter()
        evaluation = evaluate(bundle, parts, section, 0)
        cost = measure_cost(bundle, Path(folder) / "bundle", splits["test"].frame, section.cost, {})
        write_reports(Path(folder), evaluation, Context(cost=cost))
        seconds = time.perf_counter() - start
        page = (Path(folder) / "report.html").stat().st_size
    if evaluation.inspected.failures:
        raise SystemExit(f"an inspection failed: {evaluation.inspected.failures}")
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    return {"seconds": round(seconds, 2), "peak_mb": round(peak), "page_kb": round(page / 1000)}


def apart(rows: int, columns: int, everything: bool) -> dict[str, float]:
    """Measure in a process of its own."""
    what = "everything" if everything else "metrics"
    command = [sys.executable, __file__, "--measure", what, "--rows", str(rows), "--columns", str(columns)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=7043)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--large", action="store_true", help="also 1,000,000 rows of 50 columns")
    parser.add_argument("--measure", choices=["metrics", "everything"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.rows, options.columns, options.measure == "everything")))
        return
    shape = (options.rows, options.columns)
    alone, whole = apart(*shape, False), apart(*shape, True)
    result: dict[str, Any] = {
        "what": f"{shape[0]:,} rows x {shape[1]} columns", "metrics": alone, "everything": whole,
        "ratio": round(whole["seconds"] / alone["seconds"], 2), "target": TARGET,
        "machine": {"cpus": os.cpu_count(), "torch": torch.__version__},
    }  # fmt: skip
    if options.large:
        result["large"] = {"what": f"{LARGE[0]:,} rows x {LARGE[1]} columns", **apart(*LARGE, True)}
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
