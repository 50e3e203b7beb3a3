"""Problems, and the responses of functions that carry them."""

from aiohttp import web

from podjobs.contract.errors import PROBLEM_CONTENT_TYPE, Problem


def problem(status: int = 503, detail: str = "As the test says.") -> Problem:
    """A problem with a status."""
    return Problem(title="No.", status=status, detail=detail)


def problem_answer(status: int, detail: str = "As the test says.", **headers: str) -> web.Response:
    """A function's response that carries a problem."""
    text = problem(status, detail).model_dump_json()
    return web.Response(text=text, status=status, headers=headers, content_type=PROBLEM_CONTENT_TYPE)
