"""Tell people what retraining came to: by webhook or email, redacted, and never in the way of the work."""

from goodfit.alerts.alert import Alert
from goodfit.alerts.channels import CHANNELS
from goodfit.alerts.section import AlertsSection
from goodfit.alerts.sending import notify

__all__ = ["CHANNELS", "Alert", "AlertsSection", "notify"]
