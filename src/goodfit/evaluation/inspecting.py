"""Ask every enabled inspection; one that fails loses its own finding and nothing else."""

import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from goodfit.data import Schema
from goodfit.errors import ConfigurationError, Fault, shorten
from goodfit.evaluation.inspections import INSPECTIONS, Finding, Inspection, Subject
from goodfit.preprocessing import Preprocessor
from goodfit.registry import Section
from goodfit.stage import say

PLACE = "params.yaml: evaluate"


@dataclass(frozen=True)
class Inspected:
    """What was found.

    Args:
        findings: inspection to its finding, in the order of the page.
        failures: inspection to why it has none, in one line.
        tracebacks: inspection to the trace of its failure, for the log.
    """

    findings: Mapping[str, Finding] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    tracebacks: Mapping[str, str] = field(default_factory=dict)


def refuse_misfits(section: Section, schema: Schema, preprocessor: Preprocessor) -> None:
    """Check the options of every enabled inspection against the schema and the levels of the train rows.

    Raises:
        ConfigurationError: with every fault, by dotted path.
    """
    faults = [
        Fault(f"{PLACE}.{kind}.{fault.place}", fault.rule, fault.value, fault.remedy)
        for kind, member in enabled(section, schema)
        for fault in (*member.faults(schema), *member.level_faults(preprocessor))
    ]
    if faults:
        raise ConfigurationError(faults)


def inspect_all(subject: Subject, section: Section) -> Inspected:
    """Ask every enabled inspection that applies to the task, and go on where one fails unexpectedly."""
    found: dict[str, Finding] = {}
    failed: dict[str, str] = {}
    traces: dict[str, str] = {}
    for kind, member in enabled(section, subject.schema):
        try:
            finding = member.inspect(subject)
        except ConfigurationError:
            raise
        except Exception as error:
            failed[kind] = f"{type(error).__name__}: {shorten(str(error), 300)}"
            traces[kind] = traceback.format_exc()
            say(f"evaluate: the inspection '{kind}' failed and is left out: {failed[kind]}", stderr=True)
            continue
        if finding is not None:
            found[kind] = finding
    return Inspected(found, failed, traces)


def enabled(section: Section, schema: Schema) -> Iterator[tuple[str, Inspection]]:
    """Yield the inspections that are switched on and apply to the task, in the order of the page."""
    for kind in sorted(INSPECTIONS, key=lambda kind: (INSPECTIONS[kind].facts["order"], kind)):
        member = INSPECTIONS[kind].cls(**dict(getattr(section, kind)))
        if member.enabled and schema.task in INSPECTIONS[kind].facts["tasks"]:
            yield kind, member
