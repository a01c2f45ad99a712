"""Whether to retrain: what goes before the policy, and then the policy."""

from dataclasses import dataclass

from goodfit.retraining.policies import POLICIES, Situation, Verdict
from goodfit.retraining.policies.base import HOUR, days
from goodfit.retraining.section import RetrainSection


@dataclass(frozen=True)
class Standing:
    """What the registry says.

    Args:
        champion: version that is champion, None without one.
        latest: the newest version, None without one.
        latest_made: when it was made, in seconds since the epoch.
        judged: whether a decision about it was written down.
    """

    champion: int | None
    latest: int | None = None
    latest_made: float = 0.0
    judged: bool = True

    @property
    def stays(self) -> str:
        """Return who is champion if nothing comes of it, in words."""
        return "there is no champion" if self.champion is None else f"version {self.champion} stays champion"


def overrides(standing: Standing, *, force: bool) -> Verdict | None:
    """Return the verdict where the policy is not asked: no champion yet, work left open, or a person wants it."""
    if force:
        return Verdict(True, "asked for by hand")
    if standing.champion is None:
        return Verdict(True, "there is no champion")
    if not standing.judged:
        return Verdict(True, f"version {standing.latest} was registered, and nobody has judged it")
    return None


def decide(section: RetrainSection, standing: Standing, situation: Situation) -> Verdict:
    """Return the policy's verdict, held back during the cooldown."""
    verdict = POLICIES.build(section.policy).decide(situation)
    end = standing.latest_made + section.cooldown_hours * HOUR
    if verdict.retrain and situation.now < end:
        left = days(end - situation.now)
        return Verdict(False, f"{verdict.reason}; but the cooldown lasts {left} more", end)
    return verdict
