"""A training whose loss is no number any more."""

from goodfit.errors import ConfigurationError, Fault


class DivergedError(ConfigurationError):
    """The loss became NaN or infinite: the settings are wrong; in a search, a failed trial and nothing worse."""

    def __init__(self, epoch: int, name: str, value: float) -> None:
        remedy = "Lower training.optimizer.lr, or set regularization.gradient_clip.norm (1.0, say)."
        super().__init__([Fault(f"epoch {epoch}: {name}", "is not finite: the training has diverged", value, remedy)])
