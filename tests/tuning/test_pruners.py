"""Who is ended at an epoch, by every rule; and how a batch is judged, by trials and within a budget."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from goodfit.tuning import PRUNERS, Batch, Proposal, Trial, TuneSection
from goodfit.tuning.judging import Judge
from goodfit.tuning.pruners import Contender, NonePruner, Standing


def standing(epoch: int, values: dict[int, float], finished: dict[int, float] | None = None) -> Standing:
    def flat(numbers: dict[int, float]) -> dict[int, Contender]:
        return {n: Contender(n, (v,) * epoch) for n, v in numbers.items()}

    return Standing(epoch, 27, flat(values), list(flat(finished or {}).values()))


def losers(kind: str, state: Standing, **options: Any) -> list[int]:
    family = PRUNERS[kind]
    return sorted(PRUNERS.build(family.options(**options)).losers(state))


@pytest.mark.parametrize(("epoch", "values", "ended"), [(1, 8, [4, 5, 6, 7]), (2, 4, [2, 3]), (16, 3, [2])])
def test_halving_keeps_a_half_at_each_rung(epoch: int, values: int, ended: list[int]) -> None:
    assert losers("halving", standing(epoch, {n: float(n) for n in range(values)})) == ended


def test_halving_ends_nobody_between_rungs() -> None:
    assert all(losers("halving", standing(e, {0: 0.0, 1: 1.0})) == [] for e in (3, 5, 6, 7, 9, 15, 17, 27))


@pytest.mark.parametrize(("steps", "first"), [(200, 1), (16, 1), (15, 2), (3, 6), (1, 16)])
def test_halving_waits_until_a_trial_has_taken_sixteen_steps(steps: int, first: int) -> None:
    """After three steps on a small table, chance would decide."""
    compared = []
    for epoch in range(1, 27):
        state = standing(epoch, {n: float(n) for n in range(8)})
        if losers("halving", replace(state, steps=steps)):
            compared.append(epoch)
    assert compared == [first * 2**n for n in range(5) if first * 2**n < 27]


def test_a_judge_counts_the_steps_of_the_trial_that_takes_the_fewest() -> None:
    pruner = PRUNERS.build(PRUNERS["halving"].options())
    for steps, ended in (({0: 16, 1: 99}, [1]), ({0: 99, 1: 15}, [])):
        judge = Judge(pruner, batch(2), 1, {0: 27, 1: 27}, steps=steps)
        assert sorted(judge(1, {0: 1.0, 1: 2.0})) == ended


@pytest.mark.parametrize("kind", PRUNERS)
@pytest.mark.parametrize("steps", [None, 200, 3])
def test_no_pruner_ends_anyone_before_the_epoch_at_which_it_says_it_looks_next(kind: str, steps: int | None) -> None:
    """Until then members may train without being judged."""
    pruner, looks, quiet = PRUNERS.build(PRUNERS[kind].options()), 0, 0
    for epoch in range(1, 27):
        following = pruner.next_look(epoch, 27, steps)
        assert epoch < following <= 27
        for between in range(epoch + 1, following):
            quiet += 1
            assert not pruner.losers(replace(standing(between, {n: float(n) for n in range(8)}), steps=steps))
        looks += bool(pruner.losers(replace(standing(following, {n: float(n) for n in range(8)}), steps=steps)))
    assert looks > 0 or kind in ("none", "wilcoxon", "patient", "hyperband")
    assert (quiet > 0) == (kind == "halving")


def test_a_pruner_that_looked_in_between_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    pruner = PRUNERS.build(PRUNERS["halving"].options())
    monkeypatch.setattr(type(pruner), "next_look", lambda self, epoch, epochs, steps: min(epoch + 3, epochs))
    monkeypatch.setattr(PRUNERS, "build", lambda options: pruner)
    with pytest.raises(AssertionError):
        test_no_pruner_ends_anyone_before_the_epoch_at_which_it_says_it_looks_next("halving", None)


@pytest.mark.parametrize(
    ("behind", "lead"),
    [
        ({0: 1}, 1),
        ({0: 2}, 2),
        ({0: 4}, 4),
        ({0: 8}, 4),
        ({0: 15, 1: 8}, 1),
        ({0: 16, 1: 4}, 4),
        ({0: 25}, 2),
        ({1: 26}, 1),
    ],
)
def test_paused_trials_train_ahead_to_the_next_rung_and_by_four_epochs_at_most(
    behind: dict[int, int], lead: int
) -> None:
    pruner = PRUNERS.build(PRUNERS["halving"].options())
    assert Judge(pruner, batch(2), 1, {0: 27, 1: 27}).lead(behind) == lead
    assert Judge(pruner, batch(2), 1, {0: 27, 1: 27}, limit=1_000).lead(behind) == 1  # each epoch may be the last
    assert Judge(PRUNERS.build(PRUNERS["median"].options()), batch(2), 1, {0: 27, 1: 27}).lead(behind) == 1


def test_a_lead_looks_at_the_rungs_of_those_who_take_it() -> None:
    """Whoever else trains: a process that goes on from a checkpoint has other trials beside them."""
    pruner = PRUNERS.build(PRUNERS["halving"].options())
    for others in ({}, {2: 99}):
        judge = Judge(pruner, batch(3), 2, {0: 27, 1: 12} | others, steps={0: 99, 1: 6} | dict.fromkeys(others, 1))
        assert judge.lead({0: 8, 1: 8}) == 4
        assert judge.lead({2: 8, 3: 8}) == 4  # rungs after 3, 6 and 12 epochs
        assert judge.lead({2: 4, 3: 4}) == 2


def test_halving_by_a_third_from_a_later_rung() -> None:
    values, options = {n: float(n) for n in range(9)}, {"reduction": 3, "first": 3}
    assert losers("halving", standing(3, values), **options) == [3, 4, 5, 6, 7, 8]
    assert losers("halving", standing(9, {0: 0.0, 1: 1.0, 2: 2.0}), **options) == [1, 2]
    assert all(losers("halving", standing(epoch, values), **options) == [] for epoch in (1, 2, 4, 8, 10, 27))


@pytest.mark.parametrize(("epoch", "ended"), [(1, [2, 3]), (2, [2, 3]), (4, []), (8, []), (16, [])])
def test_halving_keeps_a_batch_of_which_all_are_among_the_best_of_the_search_but_for_the_first_rungs(
    epoch: int, ended: list[int]
) -> None:
    """A sampler that learns makes better batches: at late rungs half of each would end better ones than it keeps."""
    earlier = {number: float(number) for number in range(10, 14)}
    assert losers("halving", standing(epoch, {0: 0.0, 1: 1.0, 2: 2.0, 3: 3.0}, earlier)) == ended
    assert losers("hyperband", standing(9, {0: 0.0, 3: 1.0}, {9: 5.0, 12: 6.0}), brackets=1) == [3]


def test_halving_ends_a_batch_that_earlier_trials_beat() -> None:
    earlier = {n: 0.1 for n in range(100, 108)}
    assert losers("halving", standing(4, {0: 1.0, 1: 2.0}, earlier)) == [0, 1]
    assert losers("halving", standing(4, {0: 0.01, 1: 2.0}, earlier)) == [1]


def test_hyperband_compares_within_brackets_that_begin_later_and_later() -> None:
    values = {n: float(n) for n in range(9)}
    assert losers("hyperband", standing(3, values)) == [3, 6]
    assert losers("hyperband", standing(9, values)) == [3, 4, 6, 7]


def test_median_ends_what_was_never_better_than_the_median() -> None:
    values = {n: float(n) for n in range(6)}
    assert losers("median", standing(4, values)) == [3, 4, 5]
    assert losers("median", standing(3, values)) == []
    assert losers("median", standing(4, {0: 1.0, 1: 2.0})) == []


def test_patient_ends_what_stands_still_and_is_not_the_best() -> None:
    running = {
        0: Contender(0, (3.0, 1.0, 1.0, 1.0)),
        1: Contender(1, (3.0, 2.0, 2.0, 2.0)),
        2: Contender(2, (4, 3, 2, 1.5)),
    }
    assert losers("patient", Standing(4, 27, running), patience=2) == [1]


def test_wilcoxon_ends_what_is_worse_on_every_fold_and_spares_what_may_be_chance() -> None:
    leader = Contender(0, (1.0,) * 4, tuple((1.0 + f / 10,) * 4 for f in range(5)))
    worse = Contender(1, (1.5,) * 4, tuple((1.5 + f / 9,) * 4 for f in range(5)))
    mixed = Contender(2, (1.1,) * 4, tuple((1.0 + f / 10 + (0.3 if f == 0 else -0.01),) * 4 for f in range(5)))
    assert losers("wilcoxon", Standing(4, 27, {0: leader, 1: worse, 2: mixed})) == [1]


@pytest.mark.parametrize("kind", sorted(PRUNERS))
def test_a_pruner_never_ends_everyone_of_a_batch_that_is_the_first(kind: str) -> None:
    replicas = {n: Contender(n, (float(n),) * 9, ((float(n),) * 9,) * 5) for n in range(9)}
    for epoch in range(1, 10):
        running = {n: Contender(n, c.curve[:epoch], c.replicas) for n, c in replicas.items()}
        assert len(losers(kind, Standing(epoch, 27, running))) < 9


def batch(count: int, earlier: tuple[Trial, ...] = (), spent: int = 0) -> Batch:
    return Batch(tuple(Proposal(n, {}, n) for n in range(count)), (), earlier, spent)


def test_a_judge_ends_all_members_of_a_trial_by_the_mean_of_its_folds() -> None:
    judge = Judge(PRUNERS.build(PRUNERS["halving"].options(first=1, reduction=3)), batch(3), 2, {0: 27, 1: 27, 2: 27})
    values = {0: 1.0, 1: 1.2, 2: 0.1, 3: 9.0, 4: 2.0, 5: 0.5}
    assert sorted(judge(1, values)) == [2, 3, 4, 5]


def test_a_judge_that_hears_an_epoch_again_says_the_same() -> None:
    """What a resumed population reports again, before it goes on."""
    calm, resumed = (
        Judge(PRUNERS.build(PRUNERS["median"].options()), batch(6), 1, dict.fromkeys(range(6), 9)) for _ in "ab"
    )
    for epoch in range(1, 6):
        values = {n: n + 1 / epoch for n in range(6)}
        expected = calm(epoch, values)
        for member, value in values.items():
            resumed.heard(member, epoch, value)
            resumed.heard(member, epoch, value)
        if epoch > 3:
            assert sorted(resumed(epoch, values)) == sorted(expected) == [3, 4, 5]


def loss(number: int, epoch: int) -> float:
    """Of trials 0 to 7, which are new, and of 8 and 9, which were paused; 9 was good early and is no longer."""
    return {8: 0.1, 9: 0.5}.get(number, number + 3.0 / epoch)


def played(judge: Judge, first: int, running: frozenset[int]) -> Iterator[frozenset[int]]:
    """Judge epoch by epoch, who was paused first, being 15 epochs ahead; yield who is left."""
    for level in range(first, 12):
        for epoch, numbers in ((level + 15, {8, 9}), (level, set(range(8)))):
            if present := running & numbers:
                running -= set(judge(epoch, {number: loss(number, epoch) for number in present}))
        yield running


@pytest.mark.parametrize("kind", [kind for kind in PRUNERS if PRUNERS[kind].facts["replicas"] == 1])
def test_a_judge_that_goes_on_after_a_crash_ends_whom_it_would_have_ended(kind: str) -> None:
    """Also where a trial that was paused has lost while its mates are at epochs that it has behind it."""

    def judge() -> Judge:
        made = Judge(PRUNERS.build(PRUNERS[kind].options()), batch(8), 1, dict.fromkeys(range(10), 27))
        for number, epoch in product((8, 9), range(1, 16)):
            made.heard(number, epoch, loss(number, epoch))
        return made

    everyone = frozenset(range(10))
    calm = list(played(judge(), 1, everyone))
    assert len(calm) == 11 and (kind == "none" or calm[-1] < everyone)
    for killed in range(1, 11):
        resumed = judge()
        for level, trained in enumerate([everyone, *calm[: killed - 1]], start=1):
            for number in sorted(trained):
                epoch = level + 15 if number > 7 else level
                resumed.heard(number, epoch, loss(number, epoch))
        assert list(played(resumed, killed + 1, calm[killed - 1])) == calm[killed:]


def test_the_budget_of_epochs_ends_a_batch_and_lets_the_best_finish_where_none_has() -> None:
    judge = Judge(NonePruner(), batch(4), 1, dict.fromkeys(range(4), 10), limit=26)
    spent = 0
    running = {n: float(n) for n in range(4)}
    for epoch in range(1, 11):
        spent += len(running)
        for loser in judge(epoch, running):
            running.pop(loser)
    assert list(running) == [0]
    assert 26 * 0.9 <= spent <= 26 * 1.1


@pytest.mark.parametrize(("kind", "options"), [("halving", {"first": 2}), ("hyperband", {"brackets": 1})])
def test_the_best_value_so_far_is_compared(kind: str, options: dict[str, Any]) -> None:
    """Trial 0 has been where nobody else was; its latest epoch is a bad one, as epochs are."""
    running = {0: Contender(0, (0.1, 0.9)), 3: Contender(3, (0.5, 0.4))}
    assert losers(kind, Standing(2, 18, running), **options) == [3]


def test_a_trial_that_completes_within_a_batch_lets_the_others_end_now_and_after_a_crash() -> None:
    """Trial 1 takes two epochs, the others nine; of time that is up then nobody is spared."""
    up = False
    calm, resumed = (Judge(NonePruner(), batch(3), 1, {0: 9, 1: 2, 2: 9}, late=lambda: up) for _ in "ab")
    for epoch in (1, 2):
        assert not calm(epoch, {0: 1.0, 1: 2.0, 2: 3.0})
        for number in range(3):
            resumed.heard(number, epoch, number + 1.0)
    up = True
    assert sorted(calm(3, {0: 1.0, 2: 3.0})) == sorted(resumed(3, {0: 1.0, 2: 3.0})) == [0, 2]


def test_what_a_crash_left_in_the_journal_does_not_change_what_the_budget_of_epochs_ends() -> None:
    """Trial 1 has completed; a process that goes on has its outcome before it is at that epoch again."""
    done = Trial(1, "COMPLETE", 1.0, 2, 0.0, {}, 0)
    told = Batch(batch(3).proposals, (done,))
    calm, resumed = (Judge(NonePruner(), one, 1, {0: 9, 1: 2, 2: 9}, limit=12) for one in (batch(3), told))
    for epoch in range(1, 6):
        running = {0: 1.0, 1: 2.0, 2: 3.0} if epoch <= 2 else {0: 1.0, 2: 3.0}
        assert calm(epoch, running) == resumed(epoch, running) == ({0, 2} if epoch == 5 else set())


def test_time_that_is_up_ends_everyone_once_a_trial_has_completed() -> None:
    done = Trial(9, "COMPLETE", 1.0, 5, 0.0, {}, 0)
    late = {"late": lambda: True}
    assert sorted(Judge(NonePruner(), batch(2, (done,)), 1, {0: 9, 1: 9}, **late)(1, {0: 1.0, 1: 2.0})) == [0, 1]
    assert sorted(Judge(NonePruner(), batch(2), 1, {0: 9, 1: 9}, **late)(1, {0: 1.0, 1: 2.0})) == [1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pruner": "wilcoxon", "folds": 3}, "at least 4, and it is 3"),
        ({"sampler": "nsga2", "pruner": "none"}, "weighs two objectives"),
        ({"against": "parameters", "pruner": "none"}, "tpe takes one objective"),
        ({"against": "parameters", "sampler": "random"}, "no place between two objectives"),
        ({"against": "gap", "sampler": "nsga2"}, "no place between two objectives"),
        ({"against": "gap", "rescore": {"top": 2}}, "compares one objective"),
        ({"folds": 1}, "one fold has nothing to train on"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TuneSection.model_validate(options)
