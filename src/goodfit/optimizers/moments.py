"""What the members of Adam's family share."""

from goodfit.optimizers.base import Decayed, Epsilon, LearningRate, Optimizer


class Moments(Optimizer):
    """An optimizer with running means of the gradient and of its square.

    Options:
        lr: base learning rate.
        beta1: share of the running mean of gradients that is kept at each step.
        beta2: share of the running mean of squared gradients that is kept at each step.
        epsilon: added to the running size, against division by zero.
    """

    def __init__(
        self, *, lr: LearningRate = 1e-3, beta1: Decayed = 0.9, beta2: Decayed = 0.999, epsilon: Epsilon = 1e-8
    ) -> None:
        self.lr = lr
        self.betas = (beta1, beta2)
        self.epsilon = epsilon
