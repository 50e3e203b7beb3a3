"""The headers that tell browsers what the page may do. Pure. Source: W3C, Content Security Policy Level 3."""

from urllib.parse import urlsplit


def security_headers(media_url: str | None) -> dict[str, str]:
    """The headers of every answer.

    Args:
        media_url: where what jobs have made can be played; None: nowhere.
    """
    parts = urlsplit(media_url or "")
    media = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        f"media-src 'self'{media}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
