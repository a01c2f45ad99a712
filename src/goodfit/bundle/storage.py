"""A bundle on disk: weights.safetensors, bundle.json, and manifest.json as their seal. No code, no pickle."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from goodfit.bundle.allocation import AllocationBound
from goodfit.bundle.assembly import assembled
from goodfit.bundle.bundle import Bundle
from goodfit.bundle.ensemble import Ensemble, Part, networks_in
from goodfit.bundle.record import Record, interval_in, part_records, parts_in, rule_in
from goodfit.bundle.seal import RECORD, WEIGHTS, Sealed, parsed, refused, write_sealed
from goodfit.bundle.weights import packed, unpacked
from goodfit.data import Schema
from goodfit.models import Model
from goodfit.params import check
from goodfit.preprocessing import Preprocessor
from goodfit.regularizers import Regularization
from goodfit.tasks import task_named

MAX_COLUMNS = 100_000
SPARE_BYTES = 1 << 26
"""What building may take beside the weights: indices, tables of activations."""


def save_bundle(folder: Path, bundle: Bundle) -> None:
    """Write a bundle; equal bundles give equal bytes, and the manifest comes last.

    Raises:
        DataError: the weights are not finite.
    """
    record = Record(
        model=bundle.model_options,
        regularization=bundle.regularization,
        columns=bundle.schema.to_dict(),
        preprocessor=bundle.preprocessor.to_dict(),
        threshold=bundle.threshold,
        temperature=bundle.temperature,
        rule=bundle.rule.to_dict() if bundle.rule else None,
        interval=bundle.interval.to_dict() if bundle.interval else None,
        networks=1 if bundle.parts else networks_in(bundle.model),
        parts=part_records(bundle.parts),
        trained_on=list(bundle.trained_on),
    )
    text = json.dumps(record.model_dump(), sort_keys=True, allow_nan=False, ensure_ascii=False)
    state = bundle.model.state_dict()
    content = packed(state)
    unpacked(content, state, folder / WEIGHTS)  # what could not be loaded is not written
    write_sealed(folder, {RECORD: f"{text}\n".encode(), WEIGHTS: content})


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle as untrusted data: nothing of it is run, and whatever does not fit is refused.

    Raises:
        DataError: a file is missing, alien, a link, changed, malformed or too large; or the weights are those of
            another model, or not finite.
    """
    files, place = Sealed(folder), folder / RECORD
    content, tree = files.read(WEIGHTS), parsed(files.read(RECORD), place)
    with _understood(place):
        record = check(tree, Record, place.name)
        schema, preprocessor = Schema.from_dict(record.columns), Preprocessor.from_dict(record.preprocessor)
        _check_agreement(schema, preprocessor)
        rule, interval = rule_in(record), interval_in(record)
        with torch.random.fork_rng(devices=[]), AllocationBound(4 * len(content) + SPARE_BYTES):
            model = _built(record, schema, preprocessor)
    model.load_state_dict(unpacked(content, model.state_dict(), folder / WEIGHTS))
    settings = record.model, record.regularization, model.eval()
    found = Bundle(schema, preprocessor, *settings, record.threshold, record.temperature, rule, interval)
    return replace(found, parts=parts_in(record), trained_on=tuple(record.trained_on))


def _check_agreement(schema: Schema, preprocessor: Preprocessor) -> None:
    target = preprocessor.target.to_dict()
    if target["column"] != schema.target.name or target.get("classes", []) != list(schema.classes):
        raise ValueError("the preprocessor encodes another target than the schema names")
    features = {column.name for column in schema.features}
    if alien := sorted(set(preprocessor.columns) - features):
        raise ValueError(f"the preprocessor reads '{alien[0]}', which is no feature of the schema")
    if len(features) > MAX_COLUMNS:
        raise ValueError(f"it has more than {MAX_COLUMNS:,} columns")


def _built(record: Record, schema: Schema, preprocessor: Preprocessor) -> Model:
    task, classes = task_named(schema.task), len(schema.classes)

    def one(part: Part) -> Model:
        blocks, outputs = Regularization(part.regularization), task.outputs(classes)
        networks = [assembled(part.model_options, blocks, preprocessor, outputs) for _ in range(part.networks)]
        return networks[0] if len(networks) == 1 else Ensemble(networks, task)

    if not record.parts:
        return one(Part(record.model, record.regularization, networks=record.networks))
    parts = parts_in(record)
    return Ensemble([one(part) for part in parts], task, [part.votes for part in parts])


@contextmanager
def _understood(place: Path) -> Iterator[None]:
    """Turn whatever malformed content makes our own parts raise into a refusal that names the file."""
    try:
        yield
    except Exception as error:
        raise refused(place, f"does not describe a model that this version can build: {error}") from error
