"""Rules of captions, and the width they count with."""

import pytest

from podjobs.transcription.captions.rules import CueRules, columns


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("l’été", 5), ("e\u0301te\u0301", 3), ("a\u200b\ufe0f", 1), ("你好a", 5)]
)
def test_columns_wide_and_combining_characters(text, width):
    assert columns(text) == width


@pytest.mark.parametrize("times", [{"min_s": 8}, {"min_gap_s": 1}, {"max_line_chars": 5}, {"max_lines": 0}])
def test_cue_rules_that_cannot_be_kept_are_refused(times):
    with pytest.raises(ValueError, match=r"min_s|greater than or equal"):
        CueRules(**times)
