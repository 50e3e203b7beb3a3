"""supervisord's configuration: what is written is what is run."""

import configparser
import shlex
from pathlib import Path

import pytest

from local.programs import ADAPTER_ORDER, Program, supervisord_conf


def command_of(argv: tuple[str, ...]) -> list[str]:
    """Read the command as supervisord does."""
    conf = supervisord_conf((Program("p", argv, ADAPTER_ORDER, 1),), Path("/state"), as_root=False)
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    parser.read_string(conf)
    command = shlex.split(parser["program:p"]["command"] % {})
    return command[-len(argv) :]


@pytest.mark.parametrize(
    "part", ["plain", "with space", 'a "quote"', "l'été", "100%", "%(here)s", "a ;b", "a #1", "", "\\"]
)
def test_supervisord_conf_argument_arrives_unchanged(part):
    assert command_of(("program", part, "last")) == ["program", part, "last"]
