"""Secrets in a file, as tests rotate them."""

import json
from pathlib import Path
from typing import Any

from podjobs.secret_store.held import HeldSecrets, held_secrets


class SecretFile:
    """A file of settings that are kept as secrets."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.setting = f"file://{path}"
        """As in PODJOBS_SECRETS."""

    def write(self, **settings: Any) -> None:
        """Replace what it says."""
        self.path.write_text(json.dumps(settings), encoding="utf-8")

    @property
    def held(self) -> HeldSecrets:
        """What this process holds of it."""
        held = held_secrets(self.setting)
        assert held
        return held

    def let_pass(self, seconds: float) -> None:
        """As if so much time had passed since it was read."""
        self.held._tried_at_s -= seconds
