"""The page that administrators read says what the code does."""

from pathlib import Path

from local.settings_doc import NAMES, setting_names, settings_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


def test_settings_page_in_docs_is_what_the_classes_say():
    assert PAGE.read_text(encoding="utf-8") == settings_page(), "Run scripts/docs and commit docs/settings.md."


def test_settings_page_every_setting_has_a_description():
    rows = [line for line in settings_page().splitlines() if line.startswith("| `")]

    assert rows
    assert [row for row in rows if row.endswith("|  |")] == []


def test_setting_names_that_secrets_are_checked_with_are_those_of_the_classes():
    assert NAMES.read_text(encoding="ascii") == setting_names(), "Run scripts/docs and commit what it has written."
