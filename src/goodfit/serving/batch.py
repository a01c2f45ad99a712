"""`goodfit predict`: answer every row of a file, chunk by chunk; memory does not grow with the file."""

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from numpy.typing import NDArray

from goodfit.bundle import Scorer
from goodfit.checks import Expectation
from goodfit.data import Column
from goodfit.data.quarantine import POSITION, REASONS
from goodfit.errors import ConfigurationError, DataError, Fault, suggestion
from goodfit.serving.answers import unanswered
from goodfit.serving.cells import typed
from goodfit.serving.choosing import Chosen
from goodfit.serving.inputs import RowsFile, TextForm
from goodfit.serving.outputs import TableFile
from goodfit.serving.rows import RowRules, judge_rows, row_rules
from goodfit.stage import failpoint

MOST_REASONS = 20
MOST_WORKERS = 4
"""Chunks that are answered at a time, whatever the number of cores: each is in memory."""
UNANSWERED = "the model has no finite answer"


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Args:
        source: CSV or Parquet with the model's columns, in any order, and others.
        target: CSV or Parquet that is to hold the answers.
        with_input: whether the answers come beside every column of the input, not only beside ids.
        form: how text is read.
        suite: the project's expectations.
        overridden: columns whose type params.yaml sets, so that the suite is about another type.
    """

    source: Path
    target: Path
    with_input: bool = False
    form: TextForm = field(default_factory=TextForm)
    suite: Sequence[Expectation] = ()
    overridden: frozenset[str] = frozenset()

    @property
    def set_aside(self) -> Path:
        """Where the rows go that cannot be answered."""
        return self.target.with_name(f"{self.target.stem}.set-aside{self.target.suffix}")


@dataclass
class Report:
    """What came of it.

    Args:
        model: how the model is called.
        version: its number in the registry.
        rows: of the input.
        set_aside: of these, not answered.
        reasons: reason to number of rows.
        noticed: rules that set no row aside, to the number of rows that break them.
        rules_left_out: rules of the suite that cannot be asked of single rows.
    """

    model: str
    version: int | None
    rows: int = 0
    set_aside: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    noticed: Counter[str] = field(default_factory=Counter)
    rules_left_out: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values."""
        return {
            "model": self.model,
            "version": self.version,
            "rows": self.rows,
            "predicted": self.rows - self.set_aside,
            "set_aside": self.set_aside,
            "reasons": dict(self.reasons.most_common(MOST_REASONS)),
            "noticed": dict(self.noticed.most_common(MOST_REASONS)),
            "rules_left_out": self.rules_left_out,
        }


def predict_file(request: Request, chosen: Chosen, progress: Callable[[int, int | None], None]) -> Report:
    """Answer the rows of a file.

    Rows with a cell that does not fit the model, or that break a critical expectation about single rows, are written to
    `request.set_aside` with the reasons. They take part in the computation with that cell missing, and their answers
    are dropped: so no other row's answer depends on them, to the bit.

    Args:
        request: files and rules.
        chosen: the model.
        progress: told after each chunk how many rows are done, and how many there are if that is known.

    Raises:
        ConfigurationError: files of no known kind, or the same one twice.
        DataError: columns are missing, the file is damaged, or not one row can be answered; nothing is written.
    """
    if request.source.absolute() == request.target.absolute():
        raise ConfigurationError([Fault("OUTPUT", "is the input file", str(request.target), "Name another file.")])
    output, aside = TableFile(request.target), TableFile(request.set_aside)
    rows = RowsFile(request.source, request.form)
    try:
        work = _Work(request, chosen, rows)
        with output, aside:
            with closing(_in_turn(rows.chunks(), work.answered)) as chunks:
                for answered in chunks:
                    work.write(answered, output, aside)
                    failpoint("predict.chunk")  # some answers are written, the file is not in its place
                    progress(work.report.rows, rows.rows)
            if work.report.rows and work.report.set_aside == work.report.rows:
                raise _none_left(request.source, work.report)
        return work.report
    finally:
        rows.close()


@dataclass(frozen=True)
class _Answered:
    """A chunk of rows, and what came of it.

    Args:
        chunk: the rows as they are in the file.
        answers: a row for each row of the chunk.
        reasons: position of each row that is to be set aside, to why.
        counts: rule to the number of rows that break it.
    """

    chunk: pa.Table
    answers: pd.DataFrame
    reasons: dict[int, str]
    counts: Mapping[str, int]


def _in_turn(chunks: Iterator[pa.Table], answer: Callable[[pa.Table], _Answered]) -> Generator[_Answered, None, None]:
    """Answer several chunks at once, and yield them in the file's order.

    Each core takes a chunk through everything: that wastes less than all cores on each product of matrices in turn,
    where they wait for each other.
    """
    threads = torch.get_num_threads()
    workers = min(threads, MOST_WORKERS)
    alone = partial(torch.set_num_threads, threads // workers)
    waiting: deque[Future[_Answered]] = deque()
    try:
        with ThreadPoolExecutor(1, "read") as reader, ThreadPoolExecutor(workers, "answer", alone) as pool:
            coming = reader.submit(next, chunks, None)
            while (chunk := coming.result()) is not None:
                coming = reader.submit(next, chunks, None)
                waiting.append(pool.submit(answer, chunk))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
    finally:
        torch.set_num_threads(threads)  # the product's library knows one number for all


class _Work:
    def __init__(self, request: Request, chosen: Chosen, rows: RowsFile) -> None:
        bundle = chosen.bundle
        self.request, self.rows, self.scorer = request, rows, Scorer(bundle)
        needed = bundle.preprocessor.columns
        _refuse_missing(rows, needed)
        target = bundle.schema.target.name
        there = [column for column in bundle.schema.columns if column.name in rows.names and column.name != target]
        self.rules: RowRules = row_rules(request.suite, [c.name for c in there if c.name not in request.overridden])
        judged = {name for rule in self.rules.critical + self.rules.others for name in rule.columns}
        self.columns: list[Column] = [column for column in there if column.name in judged.union(needed)]
        self.levels = {column.column: frozenset(column.levels) for column in bundle.preprocessor.coded}
        ids = [name for name in bundle.schema.names("id") if name in rows.names]
        self.kept = rows.names if request.with_input else ids
        rows.code(c.name for c in self.columns if c.type == "categorical" and c.name not in self.kept)
        self.report = Report(chosen.name, chosen.version, rules_left_out=self.rules.left_out)
        _refuse_collisions(rows, self.kept, [POSITION, *self.scorer.predict(pd.DataFrame(self._empty())).columns])

    def answered(self, chunk: pa.Table) -> _Answered:
        """Judge and answer the rows of a chunk; nothing is written or counted yet, and other threads do the same."""
        frame, reasons = self._frame(chunk)
        judged = judge_rows(frame, self.rules)
        for row, text in judged.reasons.items():
            reasons[row] = f"{reasons[row]}; {text}" if row in reasons else text
        answers = self.scorer.predict(frame)
        for row in np.flatnonzero(unanswered(answers)).tolist():
            reasons.setdefault(row, UNANSWERED)
        return _Answered(chunk, answers, reasons, judged.counts)

    def write(self, answered: _Answered, output: TableFile, aside: TableFile) -> None:
        """Write the rows of a chunk, and count them."""
        chunk, answers, reasons = answered.chunk, answered.answers, answered.reasons
        first, count = self.report.rows, chunk.num_rows
        positions: NDArray[np.int64] = np.arange(first, first + count)
        good = np.ones(count, dtype=bool)
        good[list(reasons)] = False
        table = pa.Table.from_pandas(answers, preserve_index=False).replace_schema_metadata(None)
        beside = [(name, chunk.column(name)) for name in self.kept]
        whole = pa.table(
            [pa.array(positions), *(values for _, values in beside), *table.columns],
            names=[POSITION, *(name for name, _ in beside), *table.column_names],
        )
        output.write(whole if good.all() else whole.filter(pa.array(good)))
        if reasons:
            bad = sorted(reasons)
            lost = self.rows.decoded(chunk.take(pa.array(bad))).append_column(POSITION, pa.array(positions[bad]))
            aside.write(lost.append_column(REASONS, pa.array([reasons[row] for row in bad])))
        self.report.rows += count
        self.report.set_aside += len(reasons)
        self.report.reasons.update(part for text in reasons.values() for part in text.split("; "))
        critical = {f"{rule.name}({', '.join(rule.columns)})" for rule in self.rules.critical}
        self.report.noticed.update({name: n for name, n in answered.counts.items() if name not in critical})

    def _frame(self, chunk: pa.Table) -> tuple[pd.DataFrame, dict[int, str]]:
        values: dict[str, pd.Series] = {}
        reasons: dict[int, list[str]] = {}
        for column in self.columns:
            cells = self.rows.cells(chunk, column.name)
            found = typed(
                column, cells, self.levels.get(column.name, frozenset()), self.request.form.dates.get(column.name)
            )
            values[column.name] = found.values
            for row in np.flatnonzero(found.misfits).tolist():
                reasons.setdefault(row, []).append(f"'{column.name}' is no {column.type} value")
        return pd.DataFrame(values, copy=False), {row: "; ".join(texts) for row, texts in reasons.items()}

    def _empty(self) -> dict[str, pd.Series]:
        nothing = {
            "numeric": pa.float64(),
            "boolean": pa.float64(),
            "categorical": pa.string(),
            "datetime": pa.timestamp("us"),
        }
        return {c.name: typed(c, pa.array([], nothing[c.type]), frozenset()).values for c in self.columns}


def _refuse_missing(rows: RowsFile, needed: Sequence[str]) -> None:
    faults = [
        Fault(f"{rows.path}: column '{name}'", "is missing, and the model needs it", None, suggestion(name, rows.names))
        for name in needed
        if name not in rows.names
    ]
    if faults:
        raise DataError(faults)


def _refuse_collisions(rows: RowsFile, kept: Sequence[str], made: Sequence[str]) -> None:
    faults = [
        Fault(
            f"{rows.path}: column '{name}'", "has the name of a column of answers", None, "Rename it, or leave it out."
        )
        for name in kept
        if name in made
    ]
    if faults:
        raise DataError(faults)


def _none_left(source: Path, report: Report) -> DataError:
    told = "; ".join(f"{reason} in {count:,}" for reason, count in report.reasons.most_common(3))
    rule = f"not one of {report.rows:,} rows can be answered: {told}"
    return DataError([Fault(str(source), rule, None, "Look at the file, or at the expectation suite.")])
