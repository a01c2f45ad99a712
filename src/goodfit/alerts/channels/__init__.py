"""Channels: where an alert goes. A member is one file here and one line below."""

from goodfit.alerts.channels.base import CHANNELS, Channel, Undelivered  # isort: skip
from goodfit.alerts.channels import email as email
from goodfit.alerts.channels import webhook as webhook

__all__ = ["CHANNELS", "Channel", "Undelivered"]
