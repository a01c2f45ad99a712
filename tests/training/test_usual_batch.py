"""How many rows a step takes where nobody says."""

from hypothesis import given
from hypothesis import strategies as st

from goodfit.training import FitSections, usual_batch
from goodfit.training.batches import batch_sizes


def test_it_grows_with_the_rows() -> None:
    known = {20: 20, 341: 32, 618: 32, 3_000: 128, 4_225: 128, 6_144: 256, 32_000: 512, 100_000: 1024, 10**7: 1024}
    assert {rows: usual_batch(rows) for rows in known} == known


@given(rows=st.integers(1, 10**7))
def test_it_is_never_larger_than_the_rows_and_never_falls(rows: int) -> None:
    assert 1 <= usual_batch(rows) <= min(rows, 1024)
    assert usual_batch(rows) <= usual_batch(rows + 1)
    assert batch_sizes(rows, None) == batch_sizes(rows, usual_batch(rows))


def test_sections_are_settled_once() -> None:
    left_open = FitSections.model_validate({"seed": 1, "model": {"kind": "mlp"}})
    assert left_open.training.batch_size is None
    assert left_open.settled(618).training.batch_size == 32
    assert left_open.settled(618).settled(10**6).training.batch_size == 32
    set_by_hand = FitSections.model_validate({"seed": 1, "model": {"kind": "mlp"}, "training": {"batch_size": 500}})
    assert set_by_hand.settled(618) == set_by_hand
