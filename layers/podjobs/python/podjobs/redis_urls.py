"""URLs of Redis, as Celery writes them and as the Redis client reads them. Pure."""

from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, SecretStr


def redis_url(url: str) -> str:
    """Translate a broker URL from Celery's notation into the Redis client's.

    Args:
        url: redis://, rediss:// or redis+socket:// (Celery's name for unix://).

    Raises:
        ValueError: the URL is not for Redis; the message repeats no part that may be secret.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if parts.scheme in {"redis+socket", "unix"}:
        if "virtual_host" in query:
            query["db"] = query.pop("virtual_host")
        # by hand: urlunsplit omits the slashes before an empty host, which the client requires
        return f"unix://{parts.netloc}{parts.path}" + (f"?{urlencode(query)}" if query else "")
    if parts.scheme not in {"redis", "rediss"}:
        raise ValueError("must be a redis://, rediss:// or redis+socket:// URL")
    if parts.path.strip("/") and not parts.path.strip("/").isdigit():
        raise ValueError("must end with the number of a database, as in redis://host:6379/7")
    if query.get("ssl_cert_reqs", "").startswith("CERT_"):
        query["ssl_cert_reqs"] = query["ssl_cert_reqs"].removeprefix("CERT_").lower()
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))


def _translate(url: SecretStr) -> SecretStr:
    return SecretStr(redis_url(url.get_secret_value()))


RedisUrl = Annotated[SecretStr, AfterValidator(_translate)]
"""A setting that holds such a URL, which may contain a password."""
