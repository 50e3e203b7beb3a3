"""One setting that may change while the process runs, as long as it comes from a secret."""

from podjobs.secret_store.held import HeldSecrets, held_secrets


class SecretSetting:
    """A setting as it is now, if a secret holds it; else as it was at the start."""

    def __init__(self, name: str, at_start: str | None) -> None:
        """Look where it comes from.

        Args:
            name: of the setting.
            at_start: its value; None: it is not set.
        """
        self._name = name
        self._last = at_start
        held = held_secrets()
        # else the environment takes precedence
        comes_from_secret = held is not None and at_start is not None and held.settings.get(name) == at_start
        self._held: HeldSecrets | None = held if comes_from_secret else None

    @property
    def is_set(self) -> bool:
        """Whether there is one."""
        return self._last is not None

    @property
    def now(self) -> str | None:
        """What it is; None: it is not set. A setting that is taken out of a secret stays what it was."""
        if self._held is not None:
            self._last = str(self._held.settings.get(self._name, self._last))
        return self._last

    @property
    def accepted(self) -> tuple[str, ...]:
        """What it is and, for a while, what it was before; nothing: it is not set."""
        now = self.now
        if now is None or self._held is None:
            return () if now is None else (now,)
        return (now, *(str(value) for value in self._held.accepted(self._name) if value != now))

    def renew(self) -> None:
        """Look whether there is another one. May take seconds."""
        if self._held is not None:
            self._held.renew()
