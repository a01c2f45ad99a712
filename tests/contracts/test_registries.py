"""What every member of every family keeps to, so that adding one is a small file and an import line."""

import importlib
import inspect
import pkgutil
import re
from collections import Counter
from pathlib import Path

import pytest

import goodfit
from goodfit.alerts import CHANNELS
from goodfit.calibration import THRESHOLDS
from goodfit.evaluation import GATES, INSPECTIONS
from goodfit.metrics import METRICS
from goodfit.models import MODELS, NUMERIC_EMBEDDINGS, Inputs, NoBlocks
from goodfit.optimizers import OPTIMIZERS
from goodfit.registry import Registry, Section
from goodfit.regularizers import REGULARIZERS
from goodfit.retraining import POLICIES
from goodfit.schedules import SCHEDULES
from goodfit.sources import SOURCES
from goodfit.splits import SPLITS
from goodfit.tasks import TASKS
from goodfit.tuning import PRUNERS, SAMPLERS, Space

FAMILIES = (
    CHANNELS,
    GATES,
    INSPECTIONS,
    METRICS,
    MODELS,
    NUMERIC_EMBEDDINGS,
    OPTIMIZERS,
    POLICIES,
    PRUNERS,
    REGULARIZERS,
    SAMPLERS,
    SCHEDULES,
    SOURCES,
    SPLITS,
    TASKS,
    THRESHOLDS,
)
RUNTIME = {"model": (Inputs(3, (4, 20)), 2, NoBlocks()), "numeric embedding": (3,), "sampler": (Space(), 1, 2)}
MEMBERS = [pytest.param(family, kind, id=f"{family.family}-{kind}") for family in FAMILIES for kind in family]
OPTION = re.compile(r"^    (\w+(?:, \w+)*): (.+)$", re.MULTILINE)


def test_every_family_has_members():
    assert all(len(family) > 0 for family in FAMILIES)
    assert len(MEMBERS) >= 40


def test_no_family_is_left_out_of_these_contracts():
    found = []
    for module in pkgutil.iter_modules(goodfit.__path__):
        if module.name == "__main__":  # runs the commands
            continue
        package = importlib.import_module(f"goodfit.{module.name}")
        found += [value for value in vars(package).values() if isinstance(value, Registry)]
    assert {id(registry) for registry in found} == {id(family) for family in FAMILIES}


@pytest.mark.parametrize(("family", "kind"), MEMBERS)
def test_a_member_builds_with_its_defaults(family, kind):
    member = family[kind]
    required = [name for name, field in member.options.model_fields.items() if field.is_required()]
    if required:
        pytest.skip(f"needs {', '.join(required)}")
    assert isinstance(family.build(member.options(), *RUNTIME.get(family.family, ())), member.cls)


@pytest.mark.parametrize(("family", "kind"), MEMBERS)
def test_a_member_is_documented(family, kind):
    doc = inspect.cleandoc(vars(family[kind].cls)["__doc__"] or "")
    first = doc.split("\n\n")[0]
    assert first.strip().endswith((".", ":")), f"the first paragraph of {kind} is no sentence: {first}"


@pytest.mark.parametrize(("family", "kind"), MEMBERS)
def test_every_option_is_described_and_nothing_else_is(family, kind):
    options = family[kind].options
    assert described(options) == sorted(set(options.model_fields) - {"kind"})


@pytest.mark.parametrize(("family", "kind"), MEMBERS)
def test_a_member_has_a_file_of_its_own_named_like_it(family, kind):
    home = family[kind].cls.__module__
    assert home.rpartition(".")[2] == kind
    assert Counter(family[other].cls.__module__ for other in family)[home] == 1


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.family)
def test_a_family_is_one_folder_with_one_import_line_for_each_member(family):
    kinds = list(family)
    package = importlib.import_module(family[kinds[0]].cls.__module__.rpartition(".")[0])
    lines = Path(package.__file__).read_text().splitlines()
    for kind in kinds:
        naming = [line for line in lines if "import" in line and re.search(rf"\b{kind}\b", line)]
        assert len(naming) == 1, f"{package.__name__} does not import {kind} in one line"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.family)
def test_the_members_of_a_family_state_the_same_facts(family):
    stated = Counter(frozenset(family[kind].facts) for kind in family)
    optional = {"split": {"needs", "keeps_units"}}.get(family.family, set())
    assert len({facts - optional for facts in stated}) == 1


def test_every_hand_written_section_describes_its_fields():
    for module in pkgutil.walk_packages(goodfit.__path__, "goodfit."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    sections = [cls for cls in everything_below(Section) if cls.__name__.endswith("Section") and cls is not Section]
    checked = [cls for cls in sections if cls.__module__.startswith("goodfit") and not made_at_run_time(cls)]
    assert len(checked) >= 6
    for cls in checked:
        names = sorted(field.alias or name for name, field in cls.model_fields.items() if name not in inherited(cls))
        assert described(cls) == names, cls


def inherited(cls):
    """Return the fields that a registry gave a section: its members describe them."""
    return {
        name
        for base in cls.__mro__[1:]
        if base.__module__ == "goodfit.registry"
        for name in getattr(base, "model_fields", ())
    }


def described(model):
    _, _, listed = inspect.cleandoc(model.__doc__ or "").partition("Options:\n")
    found = [name for names, _ in OPTION.findall(listed) for name in names.split(", ")]
    return sorted(found)


def made_at_run_time(cls):
    return cls.__name__.startswith("_") or cls.__module__ == "goodfit.registry"


def everything_below(cls):
    for child in cls.__subclasses__():
        yield child
        yield from everything_below(child)
