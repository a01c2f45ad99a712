"""What `goodfit predict` costs beside the model: a big file through it, and the same rows as prepared tensors.

Every figure is a child process of its own, repeats are interleaved, so that a busy machine slows all alike; figures are
medians. CPU time is compared as well: a busy machine distorts it less. The file is Parquet of made-up rows (numbers,
whole numbers, text of few and of many values, a flag, a date); the model is the default network with first weights.
`direct` is the model on tensors that are prepared already; `predict` reads, checks, prepares, answers and writes;
`suite` asks an expectation suite of every row as well.

    python benchmarks/predict.py [--rows 5000000] [--repeats 3]
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

RESULT = Path(__file__).parent / "results" / "predict.json"
LIMITS = {"throughput": 0.6, "peak_mb": 1500.0}
GROUP = 500_000
SUITE = """
expectations:
  - {expectation: expect_column_values_to_be_between, column: age, min_value: 0, max_value: 120}
  - {expectation: expect_column_values_to_be_in_set, column: plan, value_set: [a, b, c, d]}
  - {expectation: expect_column_values_to_not_be_null, column: amount_0}
  - {expectation: expect_column_values_to_be_between, column: amount_1, min_value: -9, max_value: 9, severity: info}
"""


def drawn(rows: int, seed: int) -> Any:
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"number": np.arange(rows) + seed, "age": random.integers(0, 100, rows)})
    for i in range(8):
        frame[f"amount_{i}"] = random.normal(size=rows)
    frame["plan"] = pd.Categorical.from_codes(random.integers(0, 4, rows), list("abcd"))
    frame["town"] = pd.Categorical.from_codes(random.integers(0, 200, rows), [f"town {i}" for i in range(200)])
    frame["member"] = random.random(rows) < 0.5
    frame["since"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 10**6, rows), unit="min")
    frame["left"] = np.where(frame["amount_0"] > 0, "yes", "no")
    return frame.astype({"plan": "str", "town": "str"})


def make(folder: Path, rows: int) -> None:
    """Write the file, the suite and the bundle."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    import torch

    from goodfit.bundle import Bundle, assembled, save_bundle
    from goodfit.data import SchemaSection, Table, infer_schema
    from goodfit.models import MODELS
    from goodfit.preprocessing import PreprocessingSection, fit_preprocessor
    from goodfit.regularizers import Regularization, RegularizationSection

    (folder / "suite.yaml").write_text(SUITE)
    few = drawn(20_000, 0)
    table = Table(few, infer_schema(few, SchemaSection(target="left", id=["number"])))
    preprocessor = fit_preprocessor(table, PreprocessingSection())
    options, section = MODELS["mlp"].options(), RegularizationSection.model_validate({})
    torch.manual_seed(0)
    model = assembled(options, Regularization(section), preprocessor, 1)
    save_bundle(folder / "bundle", Bundle(table.schema, preprocessor, options, section, model.eval()))
    writer = None
    for start in range(0, rows, GROUP):
        piece = drawn(min(GROUP, rows - start), start).drop(columns="left")
        arrow = pa.Table.from_pandas(piece, preserve_index=False)
        writer = writer or pq.ParquetWriter(folder / "rows.parquet", arrow.schema)
        writer.write_table(arrow)
    assert writer is not None
    writer.close()


def measure(what: str, folder: Path) -> None:
    """Print rows and seconds as JSON; the process's peak memory is its parent's to read."""
    from goodfit.bundle import load_bundle
    from goodfit.checks import read_suite
    from goodfit.data import read_frame
    from goodfit.serving.batch import Request, predict_file
    from goodfit.serving.choosing import Chosen

    if what == "suite":
        import great_expectations  # noqa: F401  (imports are not measured, torch's neither)
    bundle = load_bundle(folder / "bundle")
    if what == "direct":
        arrays = bundle.preprocessor.transform(read_frame(folder / "rows.parquet"))
        start, used = time.perf_counter(), time.process_time()
        bundle.answers(arrays)
    else:
        suite = read_suite(folder / "suite.yaml") if what == "suite" else ()
        request = Request(folder / "rows.parquet", folder / "answers.parquet", suite=suite)
        start, used = time.perf_counter(), time.process_time()
        report = predict_file(request, Chosen("bundle", None, bundle), lambda done, total: None)
        assert report.set_aside == 0
    figures = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - used}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**figures, "peak_mb": peak}))


def child(*arguments: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout or "{}"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    kinds = ("direct", "predict", "suite")
    with tempfile.TemporaryDirectory() as place:
        child("--make", place, str(options.rows))
        found = [{kind: child("--measure", kind, place) for kind in kinds} for _ in range(options.repeats)]

    def median(kind: str, name: str) -> float:
        return statistics.median(one[kind][name] for one in found)

    throughput = {kind: round(options.rows / median(kind, "seconds")) for kind in kinds}
    ratio = {
        kind: round(statistics.median(one["direct"]["seconds"] / one[kind]["seconds"] for one in found), 2)
        for kind in kinds[1:]
    }
    by_cpu = {kind: round(median("direct", "cpu_seconds") / median(kind, "cpu_seconds"), 2) for kind in kinds[1:]}
    peak = {kind: round(median(kind, "peak_mb")) for kind in kinds[1:]}
    result = {
        "what": f"{options.rows:,} rows of Parquet, 13 columns, through goodfit predict and straight through the model",
        "rows_per_second": throughput,
        "cpu_seconds": {kind: round(median(kind, "cpu_seconds"), 1) for kind in kinds},
        "throughput_over_direct": ratio,
        "throughput_over_direct_by_cpu_time": by_cpu,
        "peak_mb": peak,
        "limit": LIMITS,
        "within_limits": min(*ratio.values(), *by_cpu.values()) >= LIMITS["throughput"]
        and max(peak.values()) <= LIMITS["peak_mb"],
        "repeats": options.repeats,
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)},
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        make(Path(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
