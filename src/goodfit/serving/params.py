"""The sections of params.yaml that say how rows are to be read, judged and answered."""

from pathlib import Path

from pydantic import Field

from goodfit.checks import Expectation, ValidateSection, read_suite
from goodfit.data import SchemaSection
from goodfit.params import load_params
from goodfit.registry import Section
from goodfit.serving.inputs import TextForm
from goodfit.sources import SourceSection
from goodfit.tracking import TrackingSection

PARAMS = "params.yaml"


class PredictParams(Section):
    """Where rows came from in training, and what they had to be."""

    source: SourceSection
    schema_: SchemaSection = Field(alias="schema")
    validate_: ValidateSection = Field(alias="validate")


class ModelParams(Section):
    """Where models are registered."""

    tracking: TrackingSection


def tracking_section(root: Path) -> TrackingSection:
    """Read the `tracking` section."""
    return load_params(root / PARAMS, ModelParams).tracking


def project_rules(root: Path) -> tuple[TextForm, tuple[Expectation, ...], frozenset[str]]:
    """Return how text is read, the suite, and the columns whose type params.yaml sets; nothing of it without a project.

    Raises:
        ConfigurationError: params.yaml or the suite is wrong.
    """
    if not (root / PARAMS).exists():
        return TextForm(), (), frozenset()
    params = load_params(root / PARAMS, PredictParams)
    return text_form(params.source), read_suite(root / params.validate_.suite), frozenset(params.schema_.types)


def text_form(source: Section) -> TextForm:
    """Return how delimited text is read: as the project's source reads it, if that is a csv source."""
    options = source.model_dump()
    if options.get("kind") != "csv":
        return TextForm()
    names = tuple(options["names"]) if options["names"] else None
    missing, dates = tuple(options["missing"]), dict(options["dates"])
    return TextForm(options["delimiter"], options["quotes"], options["header"], names, missing, dates)
