"""What a big table costs: ingest, validate and split, beside pandas reading and writing the same file once.

Every step is a child process: the stages are the project's own scripts in a temporary workspace, and pandas is one
`read_parquet` and one `to_parquet`. Repeats are interleaved, so that a busy machine slows all alike; the figures are
medians. Memory is a child's peak resident size, interpreter and libraries included, over pandas' own count of the
table in memory; time is the sum of the three stages over pandas' time.

    python benchmarks/big_table.py [--rows 10000000] [--repeats 3]
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
RESULT = Path(__file__).parent / "results" / "big_table.json"
STAGES = ("ingest", "validate", "split")
LIMITS = {"memory": 3.0, "time": 4.0}
ROW_GROUP = 1_000_000

GRAPH = """
stages:
  ingest:
    cmd: python pipeline/ingest.py
    deps: [input/rows.parquet]
    params: [source]
    outs: [data/raw.parquet]
  validate:
    cmd: python pipeline/validate.py
    deps: [data/raw.parquet, suite.yaml]
    params: [schema, validate, tracking]
    outs: [data/quarantine.parquet, reports/validation.json, reports/validation]
  split:
    cmd: python pipeline/split.py
    deps: [data/raw.parquet, data/quarantine.parquet, reports/validation.json]
    params: [seed, schema, split]
    outs: [data/train.parquet, data/valid.parquet, data/test.parquet, reports/split.json]
"""
PARAMS = """
seed: 1
source: {kind: parquet, path: input/rows.parquet}
schema: {target: target, id: [row]}
validate: {suite: suite.yaml}
split: {kind: stratified}
tracking: {experiment: big, model_name: big}
"""
SUITE = """
expectations:
  - {expectation: expect_table_row_count_to_be_between, min_value: 100, severity: critical}
  - {expectation: expect_column_values_to_be_in_set, column: target, value_set: ["no", "yes"], severity: critical}
  - {expectation: expect_column_values_to_be_unique, column: row, severity: critical}
  - {expectation: expect_column_values_to_be_between, column: count, min_value: 0, max_value: 999, severity: critical}
  - {expectation: expect_column_values_to_be_in_set, column: flag, value_set: [true, false], severity: critical}
"""
REAL = """
  - {expectation: expect_column_values_to_be_between, column: real_%d, min_value: -9, max_value: 9}
  - {expectation: expect_column_values_to_not_be_null, column: real_%d, mostly: 0.9}
"""
FULL = """
  - {expectation: expect_column_values_to_not_be_null, column: %s}
"""
COLUMNS = ("target", "count", "amount", "color", "city", "product", "text", "flag", "moment", "day")


def make(path: Path, rows: int) -> None:
    """Write a made-up table of 20 columns: 8 real (2 with gaps), 4 whole (1 with gaps), 5 text, flag, moment, date."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    for start in range(0, rows, ROW_GROUP):
        number, random = min(ROW_GROUP, rows - start), np.random.default_rng(start)

        def drawn(values: list[str], number: int = number, random: Any = random) -> pa.Array:
            return pa.DictionaryArray.from_arrays(random.integers(0, len(values), number), values).dictionary_decode()

        def gaps(share: float, number: int = number, random: Any = random) -> Any:
            return random.random(number) < share

        columns = {"row": pa.array(np.arange(start, start + number))}
        for i in range(8):
            columns[f"real_{i}"] = pa.array(random.normal(size=number), mask=gaps(0.02) if i < 2 else None)
        columns |= {
            "count": pa.array(random.integers(0, 1000, number)),
            "age": pa.array(random.integers(0, 90, number).astype("int32"), mask=gaps(0.05)),
            "amount": pa.array(random.integers(0, 1_000_000, number)),
            "color": drawn(["red", "green", "blue"]),
            "city": drawn([f"city {i}" for i in range(50)]),
            "product": drawn([f"product {i}" for i in range(5000)]),
            "text": pa.array([f"{value:08x}" for value in random.integers(0, 2_000_000, number).tolist()]),
            "flag": pa.array(random.random(number) < 0.5),
            "moment": pa.array(np.datetime64("2015-01-01", "us") + random.integers(0, 10**14, number).astype("m8[us]")),
            "day": pa.array(
                np.datetime64("2015-01-01") + random.integers(0, 3000, number).astype("m8[D]"), pa.date32()
            ),
            "target": drawn(["no", "no", "yes"]),
        }
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def by_pandas(path: Path) -> None:
    """Read and write once, and print what the table takes in memory, in bytes."""
    import pandas as pd

    frame = pd.read_parquet(path)
    frame.to_parquet(path.with_suffix(".copy"))
    print(int(frame.memory_usage(deep=True).sum()))


def child(root: Path, *command: str) -> tuple[float, float, float, str]:
    """Run a child and return its seconds, its seconds of CPU, its peak resident size in MB, and its last line."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GOODFIT", "MLFLOW"))}
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *command], cwd=root, env=clean, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}: {output}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output.strip().split("\n")[-1]


def measured(root: Path, repeats: int) -> tuple[dict[str, dict[str, list[float]]], float]:
    """Return seconds, CPU seconds and peaks (MB) per step and repeat, and the size of the table in memory (MB)."""
    names = ("pandas", *STAGES)
    figures: dict[str, dict[str, list[float]]] = {
        figure: {name: [] for name in names} for figure in ("seconds", "cpu_seconds", "peak_mb")
    }
    size = 0.0
    for _ in range(repeats):
        for name in names:
            ours = [f"{PROJECT}/pipeline/{name}.py"]
            *found, last = child(root, *([__file__, "--pandas", "input/rows.parquet"] if name == "pandas" else ours))
            for figure, value in zip(figures.values(), found, strict=True):
                figure[name].append(value)
            size = int(last) / 2**20 if name == "pandas" else size
            print(f"{name:10s}", *(f"{value:8.1f}" for value in found), "" if name == "pandas" else last, flush=True)
    return figures, size


def ratio(figure: dict[str, list[float]]) -> float:
    """Return the three stages' sum over pandas, the median over the repeats."""
    sums = [sum(values) for values in zip(*(figure[name] for name in STAGES), strict=True)]
    return round(statistics.median(ours / theirs for ours, theirs in zip(sums, figure["pandas"], strict=True)), 2)


def result(rows: int, repeats: int, root: Path) -> dict[str, Any]:
    """Prepare the workspace, measure, and return what is claimed beside its limits."""
    (root / "input").mkdir()
    child(root, __file__, "--make", "input/rows.parquet", "--rows", str(rows))
    reals = "".join(REAL % (i, i) for i in range(8))
    suite = SUITE + reals + "".join(FULL % name for name in COLUMNS)
    for name, text in (("dvc.yaml", GRAPH), ("params.yaml", PARAMS), ("suite.yaml", suite)):
        (root / name).write_text(text)
    figures, size = measured(root, repeats)
    medians = {
        figure: {name: round(statistics.median(values), 1) for name, values in steps.items()}
        for figure, steps in figures.items()
    }
    memory = {name: round(max(values) / size, 2) for name, values in figures["peak_mb"].items()}
    ratios = {"memory": max(memory[name] for name in STAGES), "time": ratio(figures["seconds"])}
    return {
        "what": f"{rows:,} rows x 20 columns of Parquet through {', '.join(STAGES)}",
        "expectations": suite.count("- {"),
        **medians,
        "table_in_memory_mb": round(size),
        "peak_over_table": memory,
        "ratio": ratios,
        "ratio_of_cpu_time": ratio(figures["cpu_seconds"]),
        "limit": LIMITS,
        "within_limits": all(ratios[name] <= LIMITS[name] for name in LIMITS),
        "repeats": repeats,
        "machine": {"cpus": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--pandas", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make(options.make, options.rows)
    elif options.pandas:
        by_pandas(options.pandas)
    else:
        with tempfile.TemporaryDirectory() as folder:
            found = result(options.rows, options.repeats, Path(folder))
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(found, indent=2) + "\n")
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
