"""Numbers of things: one, none and many of them, in English and in French."""

import pytest

from adapter.inspection.overview import DEAD_LETTERS, Remark
from adapter.page.rendering import Renderer
from adapter.plurals import counted, is_plural


@pytest.mark.parametrize(("count", "said"), [(0, "0 jobs"), (1, "1 job"), (2, "2 jobs"), (1000, "1000 jobs")])
def test_number_has_the_words_that_fit_it(count, said):
    assert counted(count, "job", "jobs") == said


@pytest.mark.parametrize(
    ("count", "english", "french"), [(0, True, False), (1, False, False), (2, True, True), (21, True, True)]
)
def test_none_is_plural_in_english_and_singular_in_french(count, english, french):
    assert (is_plural(count, "en"), is_plural(count, "fr")) == (english, french)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "1 dead letter waits for a decision: `podjobs dead list`."),
        (2, "2 dead letters wait for a decision: `podjobs dead list`."),
    ],
)
def test_remark_about_a_number_of_things_says_it_as_english_does(count, said):
    assert str(Remark.counting(DEAD_LETTERS, count)) == said


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 0, "0 jobs were cancelled."),
        ("fr", 0, "0 tâche a été annulée."),
        ("fr", 1, "1 tâche a été annulée."),
        ("fr", 2, "2 tâches ont été annulées."),
    ],
)
def test_page_counts_in_its_language(language, count, said):
    assert (
        Renderer(language, "").counted("%(count)s job was cancelled.", "%(count)s jobs were cancelled.", count) == said
    )
