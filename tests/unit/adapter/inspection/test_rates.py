"""How long steps take, from what was learned."""

import math

import pytest

from adapter.inspection.forecast.rates import Rates, pace_of


def test_rate_of_an_action_is_its_seconds_by_its_weights():
    rates = Rates({"encoding/chunk:s": "30", "encoding/chunk:w": "20", "encoding/chunk:v": "0.04"})
    assert rates.of("encoding", "chunk").seconds == 1.5
    assert rates.of("encoding", "chunk").spread == pytest.approx(math.sqrt(math.log(1.04)))


def test_rate_of_an_action_that_was_never_done_is_that_of_its_function():
    chunk = {"encoding/chunk:s": "30", "encoding/chunk:w": "20"}
    rates = Rates({**chunk, "encoding/audio:s": "10", "encoding/audio:w": "20"})
    assert rates.of("encoding", "images").seconds == 1.0
    rates = Rates(chunk)
    assert rates.of("encoding", "images").seconds == 1.5
    assert rates.of("notification", "encoding").seconds == 1.0


def test_pace_of_a_job_counts_the_more_the_more_of_its_steps_are_done():
    assert pace_of(0, 0, 0) == 1
    # five typical steps stand against its own: (20 + 50) / (10 + 50)
    assert pace_of(20, 10, 1) == pytest.approx(70 / 60)
    assert pace_of(2000, 1000, 100) == pytest.approx(2050 / 1050)
    assert pace_of(1e6, 1, 100) == 4
