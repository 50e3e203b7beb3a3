"""What a learning record store makes of a request. Pure.

Source: xAPI 1.0.3, part 3, 2.1.2 and 3.1.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

LOGIN, PASSWORD = "lrs", "s3cret-pass"


def receive(offered: Sequence[tuple[str, object]], known: Mapping[str, object]) -> tuple[HTTPStatus, list[str]]:
    """Judge statements: what is there already is not an error when it is the same.

    Args:
        offered: id in small letters, and content.
        known: what is there already: contents by id; others than those asked about may be missing.

    Returns:
        The status of the answer: below 400, all are accepted. And the ids of those that are new.
    """
    names = [name for name, _ in offered]
    if len(set(names)) < len(names):
        return HTTPStatus.BAD_REQUEST, []
    if any(known.get(name, content) != content for name, content in offered):
        return HTTPStatus.CONFLICT, []
    new = [name for name in names if name not in known]
    return (HTTPStatus.OK if new else HTTPStatus.NO_CONTENT), new
