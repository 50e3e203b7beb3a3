"""Secrets in files, as Docker and Kubernetes mount them.

Source: Kubernetes, «Secrets»: a mounted secret is replaced in place, within a minute or so of its change.
"""

import os
from dataclasses import replace
from datetime import UTC, datetime

from podjobs.secret_store import SecretsError
from podjobs.secret_store.documents import Document, read_document
from podjobs.secret_store.references import FileSecret

SIZE_LIMIT_BYTES = 1024 * 1024
"""Largest secret of Kubernetes."""


def read_file(secret: FileSecret) -> Document:
    """Read a file. Raises SecretsError."""
    try:
        with secret.path.open("rb") as file:
            content = file.read(SIZE_LIMIT_BYTES + 1)
            changed = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, tz=UTC)
    except FileNotFoundError:
        raise SecretsError(f"The {secret} does not exist. Mount it, or correct PODJOBS_SECRETS.") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SecretsError(f"The {secret} cannot be read: {reason}. Let this user read it.") from None
    if len(content) > SIZE_LIMIT_BYTES:
        raise SecretsError(f"The {secret} is longer than {SIZE_LIMIT_BYTES} bytes. Correct PODJOBS_SECRETS.")
    return replace(read_document(content, str(secret)), version=f"of {changed:%Y-%m-%d %H:%M:%S} UTC")
