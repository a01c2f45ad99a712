import math

import pytest
import torch

from goodfit.models import MODELS, Inputs, NoBlocks
from goodfit.models.activations import ACTIVATION_NAMES, activation
from goodfit.models.initialization import gain


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_a_signal_keeps_its_size_through_ten_layers(name):
    torch.manual_seed(0)
    model = MODELS.build(MODELS["mlp"].options(layers=10, width=256, activation=name), Inputs(64, ()), 1, NoBlocks())
    with torch.no_grad():
        signal = model.body[:-1](torch.randn(512, 64))  # what goes into the last activation
    assert 0.5 < float(signal.square().mean()) < 2


def test_known_gains():
    assert gain("relu") == pytest.approx(math.sqrt(2), abs=1e-6)
    assert gain("selu") == pytest.approx(1, abs=1e-5)
    assert gain("tanh") == pytest.approx(1.5927, abs=1e-3)


def test_without_the_gain_a_signal_dies():
    torch.manual_seed(0)
    signal = torch.randn(512, 256)
    for _ in range(10):
        signal = activation("relu")(signal @ torch.randn(256, 256) / 16)
    assert float(signal.square().mean()) < 0.01
