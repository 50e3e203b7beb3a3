"""Forecasts of a real adapter's jobs, whose steps never take as planned, are as good as is promised."""

from statistics import median

import pytest

from benchmarks.forecast_error import MOST_ERROR, ask, watch_jobs, within

pytestmark = pytest.mark.slow


def test_forecasts_from_a_tenth_of_the_work_on_are_off_by_a_fifth_at_most(tmp_path):
    questions = ask(watch_jobs(tmp_path, jobs=60, per_s=1.6))
    assert len(questions) > 200
    assert min(question.progress for question in questions) >= 0.1
    assert median(question.total for question in questions) <= MOST_ERROR / 2
    assert within(questions) >= 0.8
