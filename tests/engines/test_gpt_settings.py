"""What is chosen for a text and a budget."""

import pytest

from ilk.core.plan import Plan
from ilk.core.spaces import Tokens
from ilk.engines.gpt import default_settings

SPACE = Tokens(vocabulary=2048, length=256, start=0, end=1)


def chosen(tokens, seconds, **more):
    return default_settings(SPACE, tokens=tokens, plan=Plan(seconds=seconds, threads=2, **more))


@pytest.mark.parametrize(("tokens", "seconds"), [(430_000, 43), (100_000_000, 600), (20_000, 2)])
def test_a_text_that_is_read_a_few_times_is_read_as_it_is(tokens, seconds):
    settings = chosen(tokens, seconds)
    assert (settings.dropout, settings.noise, settings.passes) == (0, 0, 5)


@pytest.mark.parametrize(("tokens", "seconds"), [(430_000, 180), (40_000, 60), (5_000_000, 3_600)])
def test_a_text_that_is_read_often_is_read_with_parts_left_out(tokens, seconds):
    settings = chosen(tokens, seconds)
    assert settings.dropout > 0
    assert settings.noise > 0
    assert settings.passes == 5


def test_more_time_and_more_text_get_a_larger_network():
    widths = [chosen(tokens, seconds).width for tokens, seconds in ((430_000, 600), (20_000_000, 600), (10**9, 3_600))]
    assert widths == sorted(set(widths))
    assert chosen(430_000, 43, size="large").width == 2 * chosen(430_000, 43).width
