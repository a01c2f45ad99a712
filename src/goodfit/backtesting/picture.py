"""The curve of staleness and the policies, as one page without script or network."""

from html import escape

import numpy as np

from goodfit.backtesting.policies import Advice, Policy

WIDTH, HEIGHT, EDGE = 640, 240, 48
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #ddd}"
    "tr.chosen{background:#e8f2ff}svg{width:100%;height:auto}text{font-size:12px;fill:#444}"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(advice: Advice, title: str) -> str:
    """Return HTML: the recommendation, the curve, and a row for each policy."""
    rows = "".join(
        f"<tr{' class=chosen' if _chosen(policy, advice) else ''}><td>{escape(policy.words)}</td>"
        f"<td>{policy.quality:.4g}</td><td>{policy.loss:+.2g}</td><td>{policy.retrains}</td>"
        f"<td>{policy.seconds:.0f} s</td></tr>"
        for policy in (*advice.policies, *advice.rules)
    )
    metric = escape(advice.lived.metric)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{STYLE}</style>'
        f"<h1>How often to retrain</h1><p>{escape(advice.sentence)}.</p>"
        f"<h2>How fast a model goes stale</h2>{curve(advice)}"
        f"<p>Mean loss of {metric} against a model that was trained just before, on the same rows.</p>"
        f"<h2>Policies</h2><table><tr><th>retrain<th>{metric}<th>loss<th>retrains<th>training</tr>{rows}</table>"
        f"<p>{len(advice.lived.rows)} periods, from {escape(advice.lived.starts[0])}; scored from "
        f"{escape(advice.lived.starts[advice.lived.first])}. "
        "The settings are the same each time; no search is repeated.</p>"
    )


def curve(advice: Advice) -> str:
    """Return an SVG of the loss by age."""
    found = [(age, value) for age, value in enumerate(advice.staleness) if np.isfinite(value)]
    values = [value for _, value in found] or [0.0]
    low, high = min(0.0, *values), max(0.0, *values)
    span = (high - low) or 1.0
    last = max((age for age, _ in found), default=0) or 1

    def point(age: float, value: float) -> tuple[float, float]:
        x = EDGE + age / last * (WIDTH - 2 * EDGE)
        return round(x, 1), round(HEIGHT - EDGE - (value - low) / span * (HEIGHT - 2 * EDGE), 1)

    line = " ".join(f"{x},{y}" for x, y in (point(age, value) for age, value in found))
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="3" fill="#0b5fff"/>' for x, y in (point(*pair) for pair in found))
    left, zero = point(0, 0.0)
    right, _ = point(last, 0.0)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Loss by age of the model">'
        f'<line x1="{left}" y1="{zero}" x2="{right}" y2="{zero}" stroke="#999"/>'
        f'<polyline points="{line}" fill="none" stroke="#0b5fff" stroke-width="2"/>{dots}'
        f'<text x="4" y="{EDGE}">{high:+.2g}</text><text x="4" y="{HEIGHT - EDGE}">{low:+.2g}</text>'
        f'<text x="{EDGE}" y="{HEIGHT - 12}">age 0</text>'
        f'<text x="{WIDTH - EDGE}" y="{HEIGHT - 12}" text-anchor="end">{last} periods</text></svg>'
    )


def _chosen(policy: Policy, advice: Advice) -> bool:
    return not policy.rule and policy.every == advice.recommended
