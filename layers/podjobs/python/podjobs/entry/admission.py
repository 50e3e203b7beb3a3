"""Which HTTP requests a function answers: the adapter's, and questions whether the function is there.

Whoever can send steps can have files read and written, and learns what they contain. So a request has to carry the
secret of adapter and functions, and nothing is taken that a web page can make a browser send: no `Origin`, none of the
content types that need no preflight. All this is checked before a byte of the body is read.

Source: RFC 6750, 2.1 (Bearer); RFC 9110, 15.5 (statuses); Fetch, CORS-safelisted request headers.
"""

import hmac
from http import HTTPStatus

import flask
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from podjobs.contract.bounds import REQUEST_BYTES
from podjobs.events import STRUCTURED_CONTENT_TYPE
from podjobs.secret_store.setting import SecretSetting
from podjobs.settings import SAME_SECRET

QUESTIONS = frozenset({"GET", "HEAD"})
"""Methods that ask whether the function is there."""
METHODS = ("GET", "HEAD", "POST")
BLOCK_BYTES = 64 * 1024


class RefusedError(Exception):
    """A request that is not answered; the message says why."""

    def __init__(self, status: HTTPStatus, detail: str, **headers: str) -> None:
        """Keep the answer.

        Args:
            status: of the response.
            detail: complete sentences.
            headers: of the response; underscores stand for hyphens.
        """
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def admit(request: flask.Request, secret: SecretSetting) -> None:
    """Check a request, all but its body.

    Args:
        request: of any kind.
        secret: what it has to carry, unless it is not set. A question may come without.

    Raises:
        RefusedError: it is not answered.
    """
    if "Origin" in request.headers:
        raise RefusedError(HTTPStatus.FORBIDDEN, "Web pages are not answered: the adapter sends no header 'Origin'.")
    is_question = request.method in QUESTIONS
    if not (is_question and "Authorization" not in request.headers):
        _check_secret(request, secret)
    if request.method not in METHODS:
        detail = f"The method {request.method[:20]!r} is not supported."
        raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, detail, Allow=", ".join(METHODS))
    if is_question and (request.content_length or "Transfer-Encoding" in request.headers):
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"A {request.method} request has no body here.")
    if not is_question:
        _check_content_type(request)
    if request.content_length is not None and request.content_length > REQUEST_BYTES:
        raise _too_long()


def knows_secret(request: flask.Request, secret: SecretSetting) -> bool:
    """Whether a request carries the secret, or the one before it while that is accepted."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    shown = given.strip(" ").encode("utf-8", "surrogatepass")
    # bytes: only they are compared in constant time whatever was given
    known = [hmac.compare_digest(shown, accepted.encode()) for accepted in secret.accepted]
    return any(known) and scheme.lower() == "bearer"


def _check_secret(request: flask.Request, secret: SecretSetting) -> None:
    if not secret.is_set or knows_secret(request, secret):
        return
    is_shown = "Authorization" in request.headers
    if is_shown:
        secret.renew()  # the adapter may have learnt of a new one first
        if knows_secret(request, secret):
            return
    what = "another secret than the function's" if is_shown else "no secret"
    detail = f"The request carries {what}. {SAME_SECRET}"
    raise RefusedError(HTTPStatus.UNAUTHORIZED, detail, WWW_Authenticate='Bearer realm="podjobs"')


def _check_content_type(request: flask.Request) -> None:
    binary = "ce-specversion" in request.headers and request.mimetype == "application/json"
    if not binary and request.mimetype != STRUCTURED_CONTENT_TYPE:
        detail = (
            f"The request is not a CloudEvent: its content type must be {STRUCTURED_CONTENT_TYPE}, or application/json "
            "beside the headers of binary mode."
        )
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


def read_body(request: flask.Request) -> bytes:
    """Read a request's body, of which no more than the limit is ever in memory.

    Raises:
        RefusedError: it is too long, or it ended early.
    """
    body = bytearray()
    try:
        # not get_data: what comes in chunks has no length that could be checked before
        while block := request.stream.read(BLOCK_BYTES):
            body += block
            if len(body) > REQUEST_BYTES:
                raise _too_long()
    except RequestEntityTooLarge:
        raise _too_long() from None
    except HTTPException as error:  # werkzeug's, when the connection breaks
        raise RefusedError(HTTPStatus.BAD_REQUEST, "The request's body could not be read to its end.") from error
    return bytes(body)


def _too_long() -> RefusedError:
    return RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request is longer than {REQUEST_BYTES} bytes.")
