"""URLs of Redis, as operators and Celery write them, and as they are opened.

    redis://[[user]:password@]host[:6379]/db       rediss://… over TLS       unix:///path?db=5
    redis+sentinel://[[user]:password@]host[:26379],host[:26379],…/master/db       rediss+sentinel://… over TLS
    redis+cluster://[[user]:password@]host[:6379],host[:6379],…       rediss+cluster://… over TLS; for jobs alone

Options are a query: `?ssl_ca_certs=/etc/ssl/our-ca.pem&ssl_certfile=…&ssl_keyfile=…`.
"""

import os
import re
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, SecretStr

SENTINEL_PORT = 26379
NODE_PORT = 6379
_SENTINEL = re.compile(r"(rediss?)\+sentinel://(?:([^/?#]*)@)?([^/?#@]*)(?:/([^/?#]*))?(?:/([^/?#]*))?(?:\?([^#]*))?")
_CLUSTER = re.compile(r"(rediss?)\+cluster://(?:([^/?#]*)@)?([^/?#@]*)(?:/0?)?(?:\?([^#]*))?")
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?")
_LARGEST_PORT = 65_535
_SENTINEL_LOGIN = ("sentinel_username", "sentinel_password")
_FILES = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")
_OPTIONS = frozenset(
    {*_FILES, "ssl_cert_reqs", "ssl_check_hostname", "ssl_ciphers", "ssl_password"}
    | {"client_name", "db", "health_check_interval", "password", "username", "virtual_host"}
)
"""What may stand in a query. Time limits, retries and the size of the pool are ours: blocking reads depend on them."""
_FORMS: Final = "must be a redis://, rediss://, unix://, redis+socket://, redis+sentinel:// or rediss+sentinel:// URL"
_ONE_SERVER: Final = (
    "must not be in cluster mode: Celery and RQ use keys of several slots at once, so only PODJOBS_REDIS_URL, for "
    "jobs, may begin with redis+cluster:// or rediss+cluster://; give this setting a Redis without it"
)


@dataclass(frozen=True, slots=True)
class SentinelService:
    """A master that Sentinel watches, and how to ask for it."""

    master: str
    """Its name in Sentinel's configuration."""
    master_url: str
    """Login, database and options of its connections; without a host, which Sentinel names."""
    sentinel_urls: tuple[str, ...]
    """Of the Sentinels, with their login and the same options of TLS."""

    @property
    def is_tls(self) -> bool:
        """Whether all of this is over TLS."""
        return self.master_url.startswith("rediss:")


@dataclass(frozen=True, slots=True)
class ClusterService:
    """The node of a cluster that has the jobs' keys, and how to ask for it."""

    master_url: str
    """Login and options of the connections to nodes; without a host."""
    addresses: tuple[str, ...]
    """Of nodes that may be asked, as host:port."""

    @property
    def is_tls(self) -> bool:
        """Whether all of this is over TLS."""
        return self.master_url.startswith("rediss:")

    def node_url(self, address: str) -> str:
        """The URL of a node."""
        head, slashes, rest = self.master_url.rpartition("/")
        return f"{head}{address}{slashes}{rest}"


def redis_url(url: str) -> str:
    """Translate a broker URL from Celery's notation into ours.

    Args:
        url: in one of the forms above, or redis+socket:// (Celery's name for unix://).

    Returns:
        For redis://, rediss:// and unix://, what the Redis client reads; for Sentinel, what `sentinel_service` reads;
        for a cluster, what `cluster_service` reads.

    Raises:
        ValueError: the URL is not for Redis; the message repeats no part that may be secret.
    """
    if url.startswith("sentinel://"):
        raise ValueError(
            "must name the master that Sentinel watches: instead of sentinel://host:26379;sentinel://…, "
            "write redis+sentinel://host:26379,host:26379/<name of the master>/<database>"
        )
    if url.startswith(("redis+sentinel:", "rediss+sentinel:")):
        return _read_sentinel_url(url)
    if url.startswith(("redis+cluster:", "rediss+cluster:")):
        return _read_cluster_url(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("must have a host and a port, as in redis://host:6379/7") from None
    query = _read_query(parts.query)
    if parts.scheme in {"redis+socket", "unix"}:
        if "virtual_host" in query:
            query["db"] = query.pop("virtual_host")
        # by hand: urlunsplit omits the slashes before an empty host, which the client requires
        return f"unix://{parts.netloc}{parts.path}" + (f"?{urlencode(query)}" if query else "")
    if parts.scheme not in {"redis", "rediss"}:
        raise ValueError(_FORMS)
    if port == 0:
        raise ValueError("must have a host and a port, as in redis://host:6379/7")
    _check_database(parts.path.strip("/"), "redis://host:6379/7")
    if parts.scheme == "redis" and any(name.startswith("ssl") for name in query):
        raise ValueError("must begin with rediss:// if it has options of TLS, which redis:// would ignore")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))


def sentinel_service(url: str) -> SentinelService | None:
    """What a URL says of Sentinel; None: it names its server itself.

    Args:
        url: as returned by `redis_url`.
    """
    found = _SENTINEL.fullmatch(url)
    if found is None:
        return None
    scheme, login, hosts, master, database, written = found.groups(default="")
    query = dict(parse_qsl(written))
    own_login = ":".join(quote(query.pop(name, ""), safe="") for name in _SENTINEL_LOGIN)
    tls = {name: value for name, value in query.items() if name.startswith("ssl_")}
    own_login = own_login if own_login != ":" else ""
    return SentinelService(
        master=master,
        master_url=_join(scheme, login, "", database, query),
        sentinel_urls=tuple(_join(scheme, own_login, host, "", tls) for host in hosts.split(",")),
    )


def cluster_service(url: str) -> ClusterService | None:
    """What a URL says of a cluster; None: it is not for one.

    Args:
        url: as returned by `redis_url`.
    """
    found = _CLUSTER.fullmatch(url)
    if found is None:
        return None
    scheme, login, hosts, written = found.groups(default="")
    return ClusterService(_join(scheme, login, "", "", dict(parse_qsl(written))), tuple(hosts.split(",")))


def _join(scheme: str, login: str, host: str, path: str, query: dict[str, str]) -> str:
    # by hand: urlunsplit omits the slashes before an empty host
    return f"{scheme}://{login}{'@' if login else ''}{host}/{path}" + (f"?{urlencode(query)}" if query else "")


def _read_sentinel_url(url: str) -> str:
    example = "redis+sentinel://host:26379,host:26379/<name of the master>/<database>"
    found = _SENTINEL.fullmatch(url)
    if found is None:
        raise ValueError(
            f"must have the form {example}; in a password, write / ? and # percent-encoded (%2F, %3F, %23)"
        )
    scheme, login, hosts, master, database, written = found.groups(default="")
    query = _read_query(written, *_SENTINEL_LOGIN, "ssl")
    if query.pop("ssl", "false").lower() in {"true", "yes", "1"}:
        scheme = "rediss"
    if scheme == "redis" and any(name.startswith("ssl_") for name in query):
        raise ValueError("must begin with rediss+sentinel:// if it has options of TLS")
    if not re.fullmatch(r"[A-Za-z0-9._-]+", master):  # the characters that Sentinel allows
        raise ValueError(f"must contain the name of the master that Sentinel watches, as in {example}")
    _check_database(database, example)
    listed = ",".join(_read_host(host, example) for host in hosts.split(","))
    return _join(f"{scheme}+sentinel", login, listed, f"{master}/{database or 0}", query)


def _read_cluster_url(url: str) -> str:
    example = "redis+cluster://host:6379,host:6379"
    found = _CLUSTER.fullmatch(url)
    if found is None:
        raise ValueError(
            f"must have the form {example}, without a database, for a cluster has only one; in a password, write / ? "
            "and # percent-encoded (%2F, %3F, %23)"
        )
    scheme, login, hosts, written = found.groups(default="")
    query = _read_query(written)
    if int(query.pop("db", query.pop("virtual_host", "0"))):
        raise ValueError("must not name a database: a cluster has only the database 0")
    if scheme == "redis" and any(name.startswith("ssl_") for name in query):
        raise ValueError("must begin with rediss+cluster:// if it has options of TLS")
    listed = ",".join(_read_host(host, example, NODE_PORT) for host in hosts.split(","))
    return _join(f"{scheme}+cluster", login, listed, "", query)


def _read_host(host: str, example: str, port: int = SENTINEL_PORT) -> str:
    found = _HOST.fullmatch(host.strip())
    if found is None or not 0 < int(found[2] or port) <= _LARGEST_PORT:
        raise ValueError(f"must list the servers as host:port, with commas between them, as in {example}")
    return f"{found[1]}:{found[2] or port}"


def _check_database(database: str, example: str) -> None:
    if database and not (database.isascii() and database.isdigit()):
        raise ValueError(f"must end with the number of a database, as in {example}")


def _read_query(written: str, *more: str) -> dict[str, str]:
    query = dict(parse_qsl(written))
    allowed = _OPTIONS.union(more)
    if not allowed.issuperset(query):  # their names may be parts of a password with a question mark
        raise ValueError(f"has an option that is not known; known are {', '.join(sorted(allowed))}")
    if query.get("ssl_cert_reqs", "").startswith("CERT_"):
        query["ssl_cert_reqs"] = query["ssl_cert_reqs"].removeprefix("CERT_").lower()
    if query.get("ssl_cert_reqs", "none") not in {"none", "optional", "required"}:
        raise ValueError("must have none, optional or required as ssl_cert_reqs")
    if query.get("ssl_check_hostname", "true").lower() not in {"true", "false", "yes", "no", "1", "0"}:
        raise ValueError("must have true or false as ssl_check_hostname")
    if "ssl_keyfile" in query and "ssl_certfile" not in query:
        raise ValueError("must have ssl_certfile, too, if it has ssl_keyfile")
    for name in ("db", "virtual_host", "health_check_interval"):
        if not query.get(name, "0").isdigit():
            raise ValueError(f"must have a number as {name}")
    return query


def _translate(url: SecretStr) -> SecretStr:
    translated = redis_url(url.get_secret_value())
    for name, path in parse_qsl(translated.partition("?")[2]):
        if name in _FILES and not os.access(path, os.R_OK):
            raise ValueError(f"names a file that is missing here or cannot be read: its {name}")
    return SecretStr(translated)


def _refuse_cluster(url: SecretStr) -> SecretStr:
    if cluster_service(url.get_secret_value()) is not None:
        raise ValueError(_ONE_SERVER)
    return url


JobsUrl = Annotated[SecretStr, AfterValidator(_translate)]
"""A setting that holds such a URL, which may contain a password. Files that it names must be readable."""
RedisUrl = Annotated[JobsUrl, AfterValidator(_refuse_cluster)]
"""The same for Pod's queues and those of RQ, which cannot be in cluster mode."""
