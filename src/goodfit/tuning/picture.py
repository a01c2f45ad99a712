"""A search on one page, and its journal beside it: reports/search."""

import shutil
from collections.abc import Iterator
from html import escape
from pathlib import Path

from goodfit.files import write_text
from goodfit.tuning.cube import place_of
from goodfit.tuning.drawing import HEIGHT, MARGIN, WIDTH, Plane, picture, text
from goodfit.tuning.importance import importances
from goodfit.tuning.result import SearchResult, edge_notes, ranked
from goodfit.tuning.search import JOURNAL
from goodfit.tuning.section import TuneSection
from goodfit.tuning.trial import Trial

MOST = 200
"""Trials that a picture draws: more lines show less."""
STYLE = """
body{font:14px/1.5 system-ui,sans-serif;max-width:720px;margin:2em auto;padding:0 1em;color:#222}
svg{width:100%;height:auto} svg text{font-size:11px;fill:#555} .frame{fill:none;stroke:#ccc}
polyline{fill:none;stroke-width:1} .all{stroke:#9db8d9;stroke-opacity:.6} .lost{stroke:#bbb;stroke-opacity:.6}
.best{stroke:#c0392b;stroke-width:2} circle.all{fill:#3b6ea5;stroke:none} circle.lost{fill:#bbb;stroke:none}
circle.best{fill:#c0392b} rect.bar{fill:#3b6ea5} .axis{stroke:#999}
"""


def write_pictures(folder: Path, result: SearchResult, section: TuneSection, state: Path) -> None:
    """Write index.html, which needs nothing else, and journal.jsonl, from which `goodfit search` reads."""
    body = "".join(_page(result, section)) if result.trials else "<p>Nothing was searched (tune.trials is 0).</p>"
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Search</title><style>{STYLE}</style>'
    write_text(folder / "index.html", f"{head}<h1>Search</h1>{body}</html>\n")
    if (state / JOURNAL).exists():
        shutil.copyfile(state / JOURNAL, folder / "journal.jsonl")


def _page(result: SearchResult, section: TuneSection) -> Iterator[str]:
    counts = {state: sum(t.state == state for t in result.trials) for state in ("COMPLETE", "PRUNED", "FAIL")}
    states = ", ".join(f"{count} {state}" for state, count in counts.items())
    yield f"<p>{len(result.trials)} trials: {states}. Objective: {escape(section.objective)}, lower is better.</p>"
    best = result.best_trial
    if best is not None:
        rows = "".join(f"<tr><td>{escape(k)}</td><td>{escape(str(v))}</td></tr>" for k, v in best.params.items())
        yield f"<p>Chosen: trial {best.number}, {best.value:.6g}.</p><table>{rows}</table>"
        edges = edge_notes(result.space, best.params)
        yield "".join(f"<p><b>At an edge:</b> {escape(note)}</p>" for note in edges)
    yield f"<h2>Optimization history</h2>{history(result)}"
    yield f"<h2>Rungs</h2><p>Each line is a trial; grey ones were ended.</p>{rungs(result)}"
    yield f"<h2>Importance of the options</h2>{_importance(result)}"
    yield f"<h2>Parallel coordinates</h2>{parallel(result)}"


def history(result: SearchResult) -> str:
    """Return each trial's value by its number, and the best completed so far."""
    valued = [(trial, float(trial.value)) for trial in result.trials if trial.value is not None]
    plane = Plane([(t.number, value) for t, value in valued], "trial", "objective")
    line: list[tuple[float, float]] = []
    for trial, value in valued:
        complete = trial.state == "COMPLETE"
        plane.dot((trial.number, value), "all" if complete else "lost", f"trial {trial.number}: {value:.6g}")
        if complete:
            line.append((trial.number, min(value, line[-1][1] if line else value)))
    plane.line(line, "best")
    return str(plane)


def rungs(result: SearchResult) -> str:
    """Return what each trial was judged by after each epoch, to where it was ended."""
    drawn = _drawn(result)
    curves = {trial.number: list(enumerate(trial.judged, 1)) for trial in drawn}
    plane = Plane([(float(e), v) for curve in curves.values() for e, v in curve], "epoch", "objective")
    for trial in drawn:
        points = [(float(epoch), value) for epoch, value in curves[trial.number]]
        if points:
            plane.line(points, _style(trial, result))
            plane.dot(points[-1], _style(trial, result), f"trial {trial.number}, {trial.state}")
    return str(plane)


def parallel(result: SearchResult) -> str:
    """Return one line per trial over one axis per searched option, each on its own scale."""
    axes = result.space.axes
    across = [MARGIN + index * (WIDTH - 2 * MARGIN) / max(1, len(axes) - 1) for index in range(len(axes))]
    parts = []
    for index, (x, axis) in enumerate(zip(across, axes, strict=True)):
        bottom = HEIGHT - MARGIN
        parts.append(f'<line x1="{x:.1f}" y1="{MARGIN}" x2="{x:.1f}" y2="{bottom}" class="axis"/>')
        parts.append(text(x, MARGIN - 8 - 13 * (index % 2), axis.path.rpartition(".")[2], "middle"))
        low, high = (axis.dimension.low, axis.dimension.high) if axis.dimension.choices is None else ("", "")
        parts += [text(x, bottom + 14, str(low), "middle"), text(x, MARGIN - 1, str(high), "middle")]
    for trial in sorted(_drawn(result), key=lambda t: _style(t, result) == "best"):
        known = [(x, axis) for x, axis in zip(across, axes, strict=True) if axis.path in trial.params]
        places = [(x, HEIGHT - MARGIN - place_of(a, trial.params[a.path]) * (HEIGHT - 2 * MARGIN)) for x, a in known]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" class="{_style(trial, result)}"/>')
    return picture(parts, HEIGHT)


def _importance(result: SearchResult) -> str:
    shares, epoch = importances(result.space, result.trials)
    if not shares:
        return "<p>Too few trials to say.</p>"
    parts = []
    for row, (name, share) in enumerate(shares.items()):
        y = 12 + 24 * row
        width = share * (WIDTH - 330)
        parts += [text(270, y + 12, name, "end"), text(285 + width, y + 12, f"{share:.0%}", "start")]
        parts.append(f'<rect x="280" y="{y}" width="{width:.1f}" height="16" class="bar"/>')
    when = "at the end of each trial" if not epoch else f"after epoch {epoch}, which half of the trials reached"
    return f"<p>Share of the spread {when} (PED-ANOVA).</p>{picture(parts, 24.0 * len(shares) + 20)}"


def _drawn(result: SearchResult) -> list[Trial]:
    """Return the best trials and the latest others, in order, so many that a picture can show them."""
    best = ranked(result.trials)[: MOST // 2]
    others = [trial for trial in result.trials if trial.state != "FAIL" and trial not in best][-(MOST - len(best)) :]
    return sorted([*best, *others], key=lambda trial: trial.number)


def _style(trial: Trial, result: SearchResult) -> str:
    if trial == result.best_trial:
        return "best"
    return "all" if trial.state == "COMPLETE" else "lost"
