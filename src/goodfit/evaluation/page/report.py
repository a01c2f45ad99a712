"""reports/report.html: one file, readable on a phone, without script, network or trust in what the data say."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from goodfit.evaluation.decision import decide
from goodfit.evaluation.inspecting import Inspected
from goodfit.evaluation.inspections import Finding
from goodfit.evaluation.page import views
from goodfit.evaluation.page.context import Context
from goodfit.evaluation.result import Evaluation
from goodfit.evaluation.verdict import strongest
from goodfit.evaluation.versus import Versus
from goodfit.metrics import METRICS

MAX_CLASSES = 30
"""A confusion matrix of more classes is no longer readable, and is left to reports/evaluation/confusion.csv."""
TEMPLATES = (
    "report.base.jinja",
    "report.macros.jinja",
    "report.html.jinja",
    "report.compare.jinja",
    "report.finding.jinja",
)


def render_report(evaluation: Evaluation, context: Context) -> str:
    """Return the page; equal evaluations and contexts give equal pages."""
    return rendered(
        "report.html.jinja",
        evaluation=evaluation,
        context=context,
        decision=decide(evaluation, context.gates, context.leaks),
        best=strongest(evaluation),
        facts={name: METRICS[name].facts for name in evaluation.metrics},
        settings=sorted(context.settings.items()),
        pictures=views.pictures(evaluation.plots, context.curves),
        confusion=evaluation.confusion if len(evaluation.classes) <= MAX_CLASSES else [],
        findings=views.finding_views(evaluation.inspected),
        regularization=views.regularization(context.settings),
        search=views.search(context.trials),
        cost=views.cost_lines(context.cost),
        features=evaluation.schema.features if evaluation.schema else (),
        most=views.MAX_LISTED,
    )


def render_comparison(versus: Versus) -> str:
    """Return the page for two models."""
    return rendered("report.compare.jinja", versus=versus, facts={name: METRICS[name].facts for name in versus.metrics})


def render_finding(kind: str, finding: Finding, folder: str) -> str:
    """Return the page for one finding, whose tables lie in `folder`."""
    (view,) = views.finding_views(Inspected({kind: finding}))
    return rendered("report.finding.jinja", finding=view, folder=folder)


def rendered(template: str, **values: Any) -> str:
    """Return a page from one of the packaged templates, with its style and the policy that lets in nothing else."""
    style = Markup(_packaged("report.css"))
    # `page` autoescapes whatever it is given; only charts.py makes Markup
    page = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=DictLoader({name: _packaged(name) for name in TEMPLATES}),
    )
    page.filters |= {"figure": views.figure, "short": views.short, "shown": views.shown, "shown_long": views.shown_long}
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return page.get_template(template).render(style=style, style_digest=digest, **values)


def _packaged(name: str) -> str:
    return (files("goodfit.evaluation") / name).read_text(encoding="utf-8")
