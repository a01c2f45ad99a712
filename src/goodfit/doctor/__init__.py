"""Say what is wrong with a workspace, and mend what can be mended: `goodfit doctor`, `goodfit doctor --fix`."""

from collections.abc import Callable, Iterator
from pathlib import Path

from goodfit.doctor.champion import examine_champion
from goodfit.doctor.dvc_state import examine_cache, examine_lock_file, examine_path_locks
from goodfit.doctor.environment import examine_git, examine_permissions, examine_versions
from goodfit.doctor.finding import Finding
from goodfit.doctor.tracker import examine_tracker
from goodfit.doctor.workspace import examine_lease, examine_litter, examine_manifests

EXAMINATIONS: tuple[Callable[[Path], Iterator[Finding]], ...] = (
    examine_versions,
    examine_permissions,
    examine_git,
    examine_lock_file,
    examine_path_locks,
    examine_cache,
    examine_lease,
    examine_manifests,
    examine_litter,
    examine_tracker,
    examine_champion,
)
QUICK = (examine_lock_file, examine_path_locks, examine_litter)
"""What a crash can leave in the way of the next `dvc repro`; cheap enough to look at before every one."""


def examine(root: Path, examinations: tuple[Callable[[Path], Iterator[Finding]], ...] = EXAMINATIONS) -> list[Finding]:
    """Return what each examination of the workspace finds, in order."""
    return [finding for look in examinations for finding in look(root)]


def mend(findings: list[Finding]) -> list[Finding]:
    """Mend every finding that says how; return those that stay wrong."""
    for finding in findings:
        if not finding.ok and finding.mend:
            finding.mend()
    return [finding for finding in findings if not finding.ok and not finding.mend]


__all__ = ["EXAMINATIONS", "QUICK", "Finding", "examine", "mend"]
