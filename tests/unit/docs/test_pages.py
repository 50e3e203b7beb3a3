"""Pages for people: links lead somewhere, and a page says the same in every language."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from local.environments import all_settings
from support.pages import shell_commands
from support.processes import REPOSITORY

PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"), *REPOSITORY.glob("local/player/*.md")])
ENGLISH, FRENCH = REPOSITORY / "docs" / "from-celery.md", REPOSITORY / "docs" / "from-celery.fr.md"
OTHERS = {"PODJOBS_DELIVERY"}
"""Settings of `podjobs` itself."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_of_a_page_lead_to_files(page: Path):
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / unquote(link)).exists()] == []


def test_move_has_the_same_commands_in_both_languages():
    assert shell_commands(ENGLISH) == shell_commands(FRENCH)


def test_move_has_the_same_sections_and_rows_in_both_languages():
    shapes = [
        [re.match(r"#+|\||```", line) for line in page.read_text("utf-8").splitlines()] for page in (ENGLISH, FRENCH)
    ]
    english, french = ([found[0] for found in shape if found] for shape in shapes)
    assert english == french


def test_settings_of_a_server_exist():
    text = (REPOSITORY / "deploy" / "systemd" / "podjobs.env").read_text(encoding="utf-8")
    names = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE))
    assert names >= {"POD_API_TOKEN", "MEDIA_ROOT", "PODJOBS_SHARE"}
    assert names - all_settings() - OTHERS == set()
