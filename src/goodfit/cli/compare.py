"""`goodfit compare`: two models on the same test rows, on one page."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goodfit.cli.preflight import load_script
from goodfit.files import digest_of_file, write_text
from goodfit.params import dotted, load_params
from goodfit.stage import say

if TYPE_CHECKING:
    from goodfit.evaluation import Contender
    from goodfit.registry import Section

SPLITS = ("train", "valid", "test")
SAID = {"better": "the first is better", "worse": "the second is better", "undecided": "not shown to differ"}
PAGE = Path("reports/compare.html")
TRAINED_ON = "data/train.parquet"


def compare(
    first: Annotated[str, typer.Argument(help="MLflow run id, or the folder of a bundle.")],
    second: Annotated[str, typer.Argument(help="MLflow run id, or the folder of a bundle.")],
    out: Annotated[Path, typer.Option(help="Where to write the page.")] = PAGE,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Judge two models on the rows of data/test.parquet, paired, and write one page about it."""
    # torch, MLflow and pandas take seconds to import; the other verbs need not wait for them.
    from goodfit.data import read_table
    from goodfit.evaluation import compare_models, render_comparison
    from goodfit.evaluation.ordering import follow_in_time

    root = Path.cwd()
    params = load_params(root / "params.yaml", load_script(root, "evaluate").Params)
    with tempfile.TemporaryDirectory() as folder:
        one = _contender(root, params, first, Path(folder) / "first")
        two = _contender(root, params, second, Path(folder) / "second")
    paths = {split: root / f"data/{split}.parquet" for split in SPLITS}
    tables = {split: read_table(path) for split, path in paths.items() if split == "test" or path.exists()}
    in_time = len(tables) == len(SPLITS) and follow_in_time(tables)
    found = compare_models(one, two, tables["test"], params.evaluate, params.seed, in_time=in_time)
    write_text(out, render_comparison(found))
    if as_json:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False))
        return
    say(found.headline)
    if found.others:
        say(found.others)
    for name in found.metrics:
        values = " and ".join(f"{estimate.value:.4g}" for estimate in found.estimates[name])
        difference = found.comparison[name]
        interval = f"{difference.difference:+.4g} [{difference.low:+.4g}, {difference.high:+.4g}]"
        say(f"{name}: {values}; first minus second {interval}: {SAID[difference.finding]}")
    for caution in found.cautions:
        say(f"beware: {caution}")
    say(f"The page: {out}")


def _contender(root: Path, params: "Section", name: str, folder: Path) -> "Contender":
    """Return a model from a folder or from the tracking store."""
    from goodfit.bundle import load_bundle
    from goodfit.evaluation import Contender
    from goodfit.tracking import fetch_model

    if Path(name).is_dir():
        bundle = load_bundle(Path(name))
        return Contender(name, bundle, _settings(bundle.model_options, bundle.regularization))
    folder.mkdir()
    fetched = fetch_model(params.tracking, root, name, folder)  # type: ignore[attr-defined]  # the stage's sections
    known = fetched.tags.get(f"dvc.{TRAINED_ON}.md5")
    split = root / TRAINED_ON
    other = known is not None and split.exists() and known != digest_of_file(split)
    warning = f"{name} was trained on other rows than {TRAINED_ON} holds now; it may have seen some of the test rows."
    return Contender(name, load_bundle(fetched.bundle), fetched.params, (warning,) if other else ())


def _settings(model: "Section", regularization: "Section") -> dict[str, str]:
    values = {**dotted(model, "model."), **dotted(regularization, "regularization.")}
    return {name: str(value) for name, value in values.items()}
