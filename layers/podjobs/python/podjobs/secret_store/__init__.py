"""Settings that are kept as secrets: in AWS Secrets Manager, or in files that are replaced in place.

Each secret is a JSON object of settings, `{"POD_API_TOKEN": "…"}`. They are read when the settings are, held for the
process (`held.py`), and read again while it runs, so that a secret can be rotated without a restart.

Nothing here puts a value into a message, a log or a `repr`.
"""

FUNCTION_SECRET = "PODJOBS_FUNCTION_SECRET"  # noqa: S105 - a setting's name
"""The setting of which the previous value is still accepted for a while: adapter and functions learn of a new one at
different moments."""
PREVIOUS_FOR_S = 3600.0
"""How long: longer than all of them take to learn of it."""


class SecretsError(Exception):
    """Secrets cannot be used; each fault is a complete sentence, without any value."""

    def __init__(self, *faults: str) -> None:
        """Keep the faults."""
        super().__init__(" ".join(faults))
        self.faults = faults
