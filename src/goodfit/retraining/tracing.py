"""`goodfit trace`: from a version back to its data, code, settings and environment, and what was decided about it."""

from typing import Any

from goodfit.errors import ConfigurationError, Fault
from goodfit.tracking import ModelRegistry

DATA, ENVIRONMENT = "dvc.", "goodfit.environment."
DECIDED = ("decision", "reason", "previous_champion", "retrain_run")


def trace(registry: ModelRegistry, number: int) -> dict[str, Any]:
    """Return everything that led to a version, as JSON-able values.

    Raises:
        ConfigurationError: there is no such version.
    """
    version = registry.versions.get(number)
    if version is None:
        rule, remedy = "is no version of the model", "goodfit history lists them."
        raise ConfigurationError([Fault(f"version of '{registry.model}'", rule, number, remedy)])
    tags, run = version.tags, registry.run(version.run_id) if version.run_id else None
    aliases = registry.versions.aliases()
    return {
        "model": registry.model,
        "version": number,
        "aliases": sorted(alias for alias, held in aliases.items() if held == number),
        "run": version.run_id or None,
        "data": {
            name.removeprefix(DATA).removesuffix(".md5"): text
            for name, text in sorted(tags.items())
            if name.startswith(DATA) and name.endswith(".md5")
        },
        "commit": tags.get("goodfit.git_commit"),
        "dirty": tags.get("goodfit.git_dirty"),
        "params_digest": tags.get("goodfit.params_digest"),
        "params": dict(sorted(run.params.items())) if run else {},
        "environment": {
            name.removeprefix(ENVIRONMENT): text for name, text in sorted(tags.items()) if name.startswith(ENVIRONMENT)
        },
        "bundle": tags.get("goodfit.bundle"),
        "metrics": {name: value for name, value in sorted(run.metrics.items()) if name.startswith("test/")}
        if run
        else {},
        "decided": {name: tags[f"goodfit.{name}"] for name in DECIDED if f"goodfit.{name}" in tags},
        "champion": [decision.to_dict() for decision in registry.succession.history() if decision.version == number],
    }
