"""Which settings of the stack are kept as secrets: each program reads these by itself, so that they can be rotated."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from podjobs.secret_store.held import held_secrets
from podjobs.secret_store.references import VARIABLE


@contextmanager
def as_environment(values: Mapping[str, str]) -> Iterator[None]:
    """Make values the environment of this process for a while."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def names_in_secrets(given: Mapping[str, str]) -> frozenset[str]:
    """The names of the settings in those secrets that can be read; what is wrong is said when settings are loaded.

    Args:
        given: the operator's environment and settings, which name the secrets and say how they are read.
    """
    held = held_secrets(given.get(VARIABLE, "").strip())
    if held is None:
        return frozenset()
    with as_environment(given):
        held.begin()
    return frozenset(held.settings)
