"""Removes secrets from text that goes into errors, logs and Pod's pages. Pure.

URLs keep what people need to recognise them: scheme, host, port and path. User info, query and fragment are removed,
since they can grant access to private media (presigned URLs, SAS tokens, passwords). This applies to URLs within other
text, percent-encoded, nested and truncated ones; a part of a URL whose meaning is unclear is removed.
"""

import re

CUT = "…"

_COLON = r"\\*(?::|%(?:25)*3a)"  # a filter graph escapes it by backslashes
_SLASH = r"(?:/|%(?:25)*2f)"
_SCHEME = rf"[a-z][a-z0-9+.-]{{0,30}}{_COLON}{_SLASH}{_SLASH}"
_URL = re.compile(rf"{_SCHEME}\S*", re.IGNORECASE)
_SCHEME_AND_AUTHORITY = re.compile(rf"({_SCHEME})((?:(?!{_SLASH})\S)*)", re.IGNORECASE)
_QUERY = re.compile(r"[?#]|%(?:25)*(?:3f|23)", re.IGNORECASE)
_AT = re.compile(r"@|%(?:25)*40")
_HOST = re.compile(rf"(?:\[[0-9a-f:.]+\]|[^:@%\[\]]*)(?:{_COLON}\d*)?", re.IGNORECASE)
_HOSTS = re.compile(r"(?:\[[0-9a-f:.]+\]|[^:@%\[\],]+):\d+(?:,(?:\[[0-9a-f:.]+\]|[^:@%\[\],]+):\d+)*", re.IGNORECASE)
"""Several, of a URL of Redis Sentinel or a cluster. Each has a port, as redis_urls writes them: else it may be a
password."""
_MANY_HOSTS = re.compile(r"rediss?\+(?:sentinel|cluster):", re.IGNORECASE)
_PUNCTUATION = "\"'`.,:;)]}>|"
"""Characters that follow a URL in a sentence rather than being part of it."""

_PARAMETER = re.compile(
    r"((?:signature|token|secret|password|passwd|credential|access_?key_?id|key-pair-id|\bsig|_sig)(?:=|%(?:25)*3d))"
    r"[^\s&]+",
    re.IGNORECASE,
)
"""Parameters of a query without its URL. Source: the presigned URLs of AWS (both versions), CloudFront, Google Cloud
Storage, Azure and OpenStack Swift."""
_HEADER = re.compile(
    r"\b((?:proxy-)?authorization|(?:set-)?cookie|x-amz-security-token)(\s*:\s*)[^\r\n]+", re.IGNORECASE
)


def redact(text: str) -> str:
    """Remove everything secret from text.

    Args:
        text: a sentence, a line of a log, an argument of a command.

    Returns:
        The same text with `…` in place of each removed part; text without URLs and credentials is not changed.
    """
    text = _URL.sub(lambda found: _redact_url(found[0]), text)
    text = _PARAMETER.sub(rf"\1{CUT}", text)
    return _HEADER.sub(rf"\1\2{CUT}", text)


def _redact_url(url: str) -> str:
    bare = url.rstrip(_PUNCTUATION)
    after = url[len(bare) :]
    query = _QUERY.search(bare)
    kept = bare[: query.start()] if query else bare
    shown, done = "", 0
    for found in _SCHEME_AND_AUTHORITY.finditer(kept):
        scheme, authority = found.groups()
        *user_info, host = _AT.split(authority)
        hosts = _HOSTS if _MANY_HOSTS.match(scheme) else _HOST
        if not hosts.fullmatch(host):  # a password that contains a slash, or a URL truncated within the user info
            return f"{shown}{kept[done : found.start()]}{scheme}{CUT}{after}"
        shown += f"{kept[done : found.start()]}{scheme}{CUT + '@' if user_info else ''}{host}"
        done = found.end()
    return f"{shown}{kept[done:]}{'?' + CUT if query else ''}{after}"
