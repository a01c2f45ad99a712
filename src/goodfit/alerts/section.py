"""The `alerts` section of params.yaml."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from goodfit.alerts.alert import Kind
from goodfit.alerts.channels import CHANNELS
from goodfit.registry import Section

if TYPE_CHECKING:
    ChannelSection = Section
else:
    ChannelSection = CHANNELS.section()


class AlertsSection(Section):
    """Who is told what `goodfit retrain` came to. Addresses and passwords come from the environment.

    Options:
        on: what is told: that a retrain failed, that columns have drifted, that a version was promoted, that the
            champion is older than `stale_days`.
        stale_days: age of the champion's version, in days.
        repeat_hours: the same thing is told again only after so many hours; promotions are always told.
        channels: where it is told.
    """

    on: list[Kind] = ["failure", "drift", "promotion", "stale"]
    stale_days: Annotated[float, Field(gt=0)] = 30.0
    repeat_hours: Annotated[float, Field(ge=0)] = 24.0
    channels: list[ChannelSection] = []
