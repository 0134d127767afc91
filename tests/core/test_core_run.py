"""The one loop: exact steps, the first save at step 1, a stop that saves, clocks, and what is told."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from ilk.core.errors import InputError
from ilk.core.events import Step
from ilk.core.plan import Budget, Plan
from ilk.core.run import check_finite, run, saving


class Counter:
    """Learns to count."""

    def __init__(self, pause=0.0, at=None):
        self.pause, self.at, self.taken = pause, at or {}, 0

    def steps(self, data, budget):
        while not budget.over:
            self.taken += 1
            time.sleep(self.pause)
            self.at.get(self.taken, lambda: None)()
            yield {"loss": 1.0 / self.taken}

    def describe(self, metrics):
        return f"loss {metrics['loss']:.2f}"


class Saves(list):
    """What was saved: (step, ended)."""

    def __call__(self, budget, metrics, ended):
        self.append((budget.step, ended))


def learn(learner, plan, **options):
    saves, told = Saves(), []
    budget = Budget(plan, **options)
    return run(learner, None, budget, checkpoint=saves, on=told.append), saves, told, budget


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_plan_of_steps_takes_exactly_those(steps):
    learner = Counter()
    ended, saves, _, budget = learn(learner, Plan(steps=steps))
    assert (ended, learner.taken, budget.step) == ("finished", steps, steps)
    assert saves == [(1, ""), (steps, "finished")]


def test_a_resumed_fit_counts_on():
    learner = Counter()
    ended, saves, _, budget = learn(learner, Plan(steps=10), step=6, elapsed=3.0)
    assert (ended, learner.taken, budget.step) == ("finished", 4, 10)
    assert saves == [(10, "finished")]
    assert budget.elapsed > 3.0


def test_a_fit_that_has_had_its_steps_takes_none():
    learner = Counter()
    ended, saves, _, _ = learn(learner, Plan(steps=10), step=10)
    assert (ended, learner.taken, saves) == ("finished", 0, [(10, "finished")])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_after_the_step_and_saves(number):
    before = signal.getsignal(number)
    learner = Counter(at={3: lambda: os.kill(os.getpid(), number)})
    ended, saves, _, budget = learn(learner, Plan(steps=100))
    assert (ended, learner.taken, budget.step) == ("interrupted", 3, 3)
    assert saves[-1] == (3, "interrupted")
    assert signal.getsignal(number) is before, "the handler is given back"


def test_a_second_signal_ends_at_once():
    def twice():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        learn(Counter(at={2: twice}), Plan(steps=100))
    assert signal.getsignal(signal.SIGINT) is before


def test_it_learns_in_a_thread_where_there_are_no_signals():
    found = []
    thread = threading.Thread(target=lambda: found.append(learn(Counter(), Plan(steps=3))[0]))
    thread.start()
    thread.join()
    assert found == ["finished"]


def test_seconds_end_on_time_whatever_a_step_takes():
    start = time.monotonic()
    ended, saves, _, budget = learn(Counter(pause=0.01), Plan(seconds=0.4))
    assert ended == "finished"
    assert 0.35 < time.monotonic() - start < 1.0
    assert saves[0] == (1, "")
    assert budget.progress == 1.0


def test_it_saves_on_the_way_but_never_spends_its_time_on_saving():
    saves = []

    def slow(budget, metrics, ended):
        saves.append(budget.step)
        time.sleep(0.1)

    with saving(every=0.05, share=0.5):
        run(Counter(pause=0.005), None, Budget(Plan(seconds=1.5)), checkpoint=slow, on=lambda _: None)
    assert 3 <= len(saves) <= 10


def test_the_first_step_is_told_at_once_and_the_last_in_any_case():
    _, _, told, _ = learn(Counter(), Plan(steps=50))
    steps = [event for event in told if isinstance(event, Step)]
    assert steps[0].step == 1
    assert steps[-1].step == 50
    assert len({event.step for event in steps}) == len(steps), "a step is told twice"
    assert (steps[-1].of, steps[-1].progress) == (50, 1.0)
    assert steps[-1].says.startswith("loss ")


def test_an_error_in_a_step_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        learn(Counter(at={2: lambda: 1 / 0}), Plan(steps=5))


def test_only_rank_0_tells_and_saves():
    plan = Plan(steps=4, rank=1, world=1)
    _, saves, told, budget = learn(Counter(), plan)
    assert (saves, told, budget.step) == ([], [], 4)


@pytest.mark.parametrize(
    "wrong", [{}, {"steps": 3, "seconds": 1.0}, {"steps": 0}, {"seconds": 0.0}, {"seconds": float("nan")}]
)
def test_a_plan_takes_either_steps_or_seconds(wrong):
    with pytest.raises(InputError):
        Plan(**wrong)


def test_progress_is_what_is_done_of_what_was_planned():
    budget = Budget(Plan(steps=4))
    seen = [budget.progress]
    while not budget.over:
        budget.advance()
        seen.append(budget.progress)
    assert seen == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert Budget(Plan(seconds=10.0), elapsed=5.0).progress == pytest.approx(0.5, abs=0.05)


def test_start_and_save_are_taken_from_the_seconds_but_something_is_left_to_learn():
    assert Budget(Plan(seconds=60.0), overhead=10.0).seconds == 50.0
    assert Budget(Plan(seconds=60.0), overhead=100.0).seconds == 3.0


def test_eta_is_told_as_soon_as_a_step_says_how_fast_it_is():
    budget = Budget(Plan(steps=4))
    assert budget.eta is None
    budget.advance()
    assert budget.eta is not None
    assert budget.eta >= 0
    assert Budget(Plan(seconds=10.0)).eta == pytest.approx(10.0, abs=0.5)


def test_the_clock_of_rank_0_rules():
    budget = Budget(Plan(seconds=1000.0))
    budget.share((0.5, True))
    assert (budget.progress, budget.over) == (0.5, True)


def test_numbers_that_are_not_finite_are_found():
    assert check_finite({"a": np.ones(2), "b": np.array([1, 2])})
    assert not check_finite({"a": np.ones(2), "b": np.array([1.0, np.nan])})


def test_a_cap_ends_a_fit_by_time_and_leaves_one_by_steps_alone():
    by_time, by_steps = Budget(Plan(seconds=1000)), Budget(Plan(steps=10))
    for budget in (by_time, by_steps):
        budget.cap(4)
        for _ in range(4):
            budget.advance()
    assert by_time.over
    assert by_time.capped
    assert by_time.progress == 1
    assert not by_steps.over
    assert not by_steps.capped
    assert by_steps.progress == 0.4
