"""Make the tracker agree with the workspace: runs on every `dvc repro`, in well under a second when nothing changed."""

from goodfit.stage import Stage, run_stage, say  # isort: skip  (first, so that a failing import has its exit code)
from goodfit.registry import Section
from goodfit.tracking import TrackingSection, record


class Params(Section):
    """What `record` reads."""

    tracking: TrackingSection


def tell(stage: Stage[Params]) -> None:
    """Read run.json and the reports; write to the tracker only."""
    say(str(record(stage.params.tracking, stage.root)))


if __name__ == "__main__":
    run_stage("record", Params, tell)
