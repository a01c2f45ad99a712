"""The wrapper that makes a script under pipeline/ a stage that can be trusted.

It succeeds only when the completion manifest was written last; turns signals into exit codes; dies with its parent;
refuses to run beside a live twin; and names the folder for state that must survive a crash.
"""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, NoReturn, TypeVar

from goodfit.errors import Fault, MachineError
from goodfit.files import digest_of_path, digest_of_value, remove
from goodfit.params import dotted, load_params, read_yaml
from goodfit.registry import Section
from goodfit.stage.failpoints import failpoint
from goodfit.stage.failure import report_failure
from goodfit.stage.graph import read_entry
from goodfit.stage.lease import lease
from goodfit.stage.manifest import complete, forget
from goodfit.stage.memory import collect_seldom, refuse_narrow_address_space
from goodfit.stage.parent import watch_parent
from goodfit.stage.signals import install_handlers

P = TypeVar("P", bound=Section)
LEASE = Path(".goodfit/lease")
LOCK_COPY = Path(".goodfit/dvc.lock.good")


@dataclass(frozen=True)
class Stage(Generic[P]):
    """What a stage's body is given.

    Attributes:
        name: the stage in dvc.yaml.
        root: the workspace.
        params: the sections the stage reads, checked.
        key: sha256 of everything that determines the result: data, code and resolved params.
        inputs: path to md5, DVC's, of each dependency that is data.
        outputs: the paths dvc.yaml declares.
        determinants: what `key` is the digest of: digests of `dependencies` by path, `params` by dotted name.
    """

    name: str
    root: Path
    params: P
    key: str
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    determinants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """The folder for resumable state of exactly this configuration; it survives crashes."""
        return self.root / ".goodfit" / "state" / self.name / self.key[:16]

    def state_without(self, *names: str) -> Path:
        """Return the folder for state that the named sections of params.yaml and paths of code do not determine.

        It survives an edit of them.
        """
        left = {
            kind: {
                name: value for name, value in values.items() if name not in names and name.split(".")[0] not in names
            }
            for kind, values in self.determinants.items()
        }
        return self.state.with_name(digest_of_value(left)[:16])


def run_stage(
    name: str,
    model: type[P],
    body: Callable[[Stage[P]], None],
    *,
    last: Callable[[Stage[P]], None] | None = None,
) -> NoReturn:
    """Run one stage in the current folder and exit with the contract's code.

    Args:
        name: the stage in dvc.yaml.
        model: the sections of params.yaml that it reads.
        body: what it does.
        last: done after the manifest is written, such as dropping state that is no longer needed.
    """
    root = Path.cwd()
    install_handlers()
    try:
        with lease(root / LEASE, name):
            watch_parent()
            stage = _prepared(name, model, root)
            body(stage)
            failpoint(f"{name}.before_manifest")
            complete(root, name, stage.key, stage.outputs)
            if last:
                last(stage)
    except BaseException as error:
        _leave(report_failure(name, error, root))
    _leave(0)


def _prepared(name: str, model: type[P], root: Path) -> Stage[P]:
    if not os.access(root, os.W_OK):
        raise MachineError(
            [Fault(str(root), "cannot be written to", None, "Give yourself write permission on the folder.")]
        )
    params = load_params(root / "params.yaml", model)
    entry = read_entry(root, name)
    _keep_lock(root)
    forget(root, name)
    for path in entry.outputs:
        remove(root / path)
        _sweep(root / path)
    digests = {path: _digest(root, path) for path in entry.dependencies}
    determinants = {"dependencies": digests, "params": dotted(params)}
    inputs = {path: digests[path] for path in entry.inputs}
    return Stage(name, root, params, digest_of_value(determinants), inputs, entry.outputs, determinants)


def _sweep(path: Path) -> None:
    """Remove what a killed process left half-written beside an output; the lease says that nobody is writing."""
    for litter in path.parent.glob(f".{path.name}.*.tmp"):
        remove(litter)


def _digest(root: Path, path: str) -> str:
    if not (root / path).exists():
        raise MachineError(
            [
                Fault(
                    path,
                    "does not exist, and dvc.yaml names it as a dependency",
                    None,
                    "Run dvc repro, which makes what is missing in order.",
                )
            ]
        )
    return digest_of_path(root / path)


def _keep_lock(root: Path) -> None:
    """Keep the last dvc.lock that could be read: DVC writes it in place, and a kill can leave half of it."""
    lock = root / "dvc.lock"
    try:
        read_yaml(lock)
        (root / LOCK_COPY).parent.mkdir(parents=True, exist_ok=True)
        temporary = root / f"{LOCK_COPY}.{os.getpid()}"
        shutil.copyfile(lock, temporary)
        temporary.replace(root / LOCK_COPY)
    except Exception:
        return


def _leave(code: int) -> NoReturn:
    """Exit without the interpreter's long goodbye, in which a library's exit handler could change the code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
    os._exit(code)


def guard_imports() -> None:
    """Give what fails before `run_stage` is reached, such as an import that fails, its exit code and line.

    And make imports quicker.
    """
    sys.excepthook = _report_uncaught
    refuse_narrow_address_space()
    collect_seldom()


def _report_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _leave(report_failure(Path(sys.argv[0]).stem, error, Path.cwd()))
