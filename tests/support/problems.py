"""Problems, and the responses of functions that carry them."""

from aiohttp import web

from podjobs.contract.errors import PROBLEM_CONTENT_TYPE, NotNowError, Problem, StepError


def problem(status: int = 503, detail: str = "As the test says.") -> Problem:
    """A problem with a status."""
    return Problem(title="No.", status=status, detail=detail)


def problem_answer(status: int, detail: str = "As the test says.", **headers: str) -> web.Response:
    """A function's response that carries a problem."""
    text = problem(status, detail).model_dump_json()
    return web.Response(text=text, status=status, headers=headers, content_type=PROBLEM_CONTENT_TYPE)


def answer_of(error: StepError) -> web.Response:
    """What a function answers when its handler raises this."""
    headers = {"Retry-After": f"{error.retry_after_s:.0f}"} if isinstance(error, NotNowError) else {}
    text = Problem.of(error).model_dump_json()
    return web.Response(text=text, status=int(error.status), headers=headers, content_type=PROBLEM_CONTENT_TYPE)
