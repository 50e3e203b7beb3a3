"""Certificates made for a test."""

import subprocess
from pathlib import Path
from typing import NamedTuple


class Certificate(NamedTuple):
    """Its file, and that of its key."""

    file: Path
    key: Path


def own_certificate(folder: Path) -> Certificate:
    """A certificate for 127.0.0.1 that nobody has signed but its owner."""
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    argv += ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*argv, "-keyout", made.key, "-out", made.file], check=True, capture_output=True)
    return made
