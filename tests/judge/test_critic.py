"""What a user of the critic would notice: it tells apart what differs, admits what does not, and loads safely."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ilk.core.errors import FolderError
from ilk.core.folder import pack, unpack
from ilk.judge import critic


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def sets(shift: float, count: int = 300, held: int = 300, width: int = 6) -> tuple[np.ndarray, ...]:
    """Real and made numbers, to learn from and held out; made ones lie further along the first axis."""
    draw = np.random.default_rng(0)
    made = np.eye(width)[0] * shift
    sizes = ((count, 0), (count, 1), (held, 0), (held, 1))
    return tuple((draw.normal(size=(n, width)) * 3 + 7 + made * 3 * sort).astype(np.float32) for n, sort in sizes)


def test_error_rates_hold_on_data_that_it_never_saw():
    fitted = critic.fit(*sets(2.0), seed=0)
    draw = np.random.default_rng(5)
    real, made = draw.normal(size=(2, 4000, 6)) * 3 + 7
    made[:, 0] += 6
    alarms, misses = fitted.error_at(0.5)
    assert abs((fitted.realness(real) <= 0.5).mean() - alarms) < 0.06
    assert abs((fitted.realness(made) > 0.5).mean() - misses) < 0.06
    assert alarms < 0.25
    assert misses < 0.25


def test_probabilities_mean_what_they_say():
    """Of all that get about 80 %, about 80 % are real."""
    fitted = critic.fit(*sets(1.0, count=1000, held=1000), seed=0)
    draw = np.random.default_rng(5)
    x, real = draw.normal(size=(8000, 6)) * 3 + 7, np.repeat([1, 0], 4000)
    x[4000:, 0] += 3
    says = fitted.realness(x)
    for low in (0.2, 0.4, 0.6):
        here = (says >= low) & (says < low + 0.2)
        assert abs(real[here].mean() - says[here].mean()) < 0.08


def test_where_nothing_differs_it_is_not_sure():
    fitted = critic.fit(*sets(0.0), seed=0)
    says = fitted.realness(np.random.default_rng(5).normal(size=(1000, 6)) * 3 + 7)
    assert abs(says.mean() - 0.5) < 0.05
    assert np.abs(says - 0.5).max() < 0.25


def test_no_error_rate_is_zero_because_few_were_looked_at():
    fitted = critic.fit(*sets(9.0, held=50), seed=0)
    assert fitted.error_at(0.5) == (1 / 51, 1 / 51)
    rates = [fitted.error_at(t) for t in np.linspace(0, 1, 21)]
    assert rates == sorted(rates, key=lambda pair: pair[0])
    assert all(0 < share <= 1 for pair in rates for share in pair)


def test_few_held_out_examples_are_replaced_by_unseen_parts_and_it_is_said():
    parts = sets(2.0, count=60, held=critic.ENOUGH)
    assert critic.fit(*parts, seed=0).calibrated_on == "40 held-out real ones and 40 fresh samples"
    few = critic.fit(parts[0], parts[1], parts[2][:39], parts[3][:39], seed=0)
    assert few.calibrated_on == "60 real ones that the model had learned from and 60 fresh samples"
    assert few.error_at(0.5)[0] > 0.02  # not the rates of what each member learned by heart


def test_same_seed_same_bits_and_another_seed_others():
    first, second, other = (critic.fit(*sets(1.0), seed=seed).arrays() for seed in (0, 0, 1))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["inner"], other["inner"])


def test_numbers_that_never_change_or_are_far_off_do_no_harm():
    parts = [np.concatenate([part, np.full((len(part), 1), 5.0, np.float32)], axis=1) for part in sets(2.0)]
    fitted = critic.fit(*parts, seed=0)
    wild = np.array([[1e30] * 7, [-1e30] * 7, [7.0] * 6 + [5.0]], np.float32)
    assert np.isfinite(fitted.realness(wild)).all()


def test_saved_and_loaded_it_is_the_same():
    fitted = critic.fit(*sets(1.0), seed=0)
    loaded = critic.load(unpack(pack(fitted.arrays()), "critic"))
    rows = sets(1.0)[2]
    assert np.array_equal(loaded.realness(rows), fitted.realness(rows))
    assert (loaded.calibrated_on, loaded.error_at(0.3)) == (fitted.calibrated_on, fitted.error_at(0.3))


@pytest.mark.parametrize(
    "harm",
    [
        lambda a: a.pop("inner"),
        lambda a: a.update(extra=np.zeros(1, np.float32)),
        lambda a: a.update(scale=-a["scale"]),
        lambda a: a.update(real=a["real"][::-1].copy()),
        lambda a: a.update(mean=a["mean"][:-1]),
        lambda a: a.update(bias=a["bias"] * np.nan),
        lambda a: a.update(made=np.zeros(0, np.float32)),
        lambda a: a.update(inner=a["inner"].astype(np.int32)),
    ],
)
def test_a_strangers_arrays_are_refused_in_a_sentence(harm):
    arrays = critic.fit(*sets(1.0, count=20, held=0), seed=0).arrays()
    harm(arrays)
    with pytest.raises(FolderError, match="critic"):
        critic.load(arrays)
