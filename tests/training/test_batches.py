"""Batches are slices of a permutation that only the seed and the epoch decide."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goodfit.training.batches import Batch, batch_sizes, order


def numbered(rows: int) -> Batch:
    numbers = torch.arange(rows)
    return Batch(numbers.float()[:, None], numbers[:, None], numbers.float())


@given(rows=st.integers(1, 5000), batch_size=st.integers(1, 700))
def test_every_row_has_its_place_and_no_batch_is_a_leftover_of_one(rows: int, batch_size: int) -> None:
    sizes = batch_sizes(rows, batch_size)
    assert sum(sizes) == rows
    assert max(sizes) <= batch_size + 1
    if rows > 1 and batch_size > 1:
        assert min(sizes) > 1


@given(rows=st.integers(1, 400), epoch=st.integers(1, 9))
def test_an_epoch_is_a_permutation(rows: int, epoch: int) -> None:
    assert sorted(order(rows, 7, epoch).tolist()) == list(range(rows))


def test_columns_and_target_stay_together_and_members_have_their_own_rows() -> None:
    orders = torch.stack([order(100, seed, 1) for seed in (3, 4)])
    taken = numbered(100).take_each(orders[:, 10:30])
    assert taken.numeric.shape == (2, 20, 1)
    assert torch.equal(taken.target, orders[:, 10:30].float())
    assert taken.numeric[..., 0].tolist() == taken.target.tolist() == taken.categorical[..., 0].tolist()


def test_only_seed_and_epoch_decide_the_order() -> None:
    torch.manual_seed(1)
    first = order(100, seed=5, epoch=2).tolist()
    torch.manual_seed(2)
    assert order(100, seed=5, epoch=2).tolist() == first
    assert order(100, seed=5, epoch=3).tolist() != first
    assert order(100, seed=6, epoch=2).tolist() != first


def test_trap_batch_norm_raises_on_a_last_batch_of_one_row() -> None:
    norm = torch.nn.BatchNorm1d(4)
    sliced = torch.randn(33, 4).split(32)
    with pytest.raises(ValueError, match="more than 1 value"):
        for part in sliced:
            norm(part)
    walked = 0
    for part in torch.randn(33, 4).split(batch_sizes(33, 32)):
        norm(part)
        walked += 1
    assert walked == 1
