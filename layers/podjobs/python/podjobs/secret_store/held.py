"""The secrets that this process holds: read with its settings, and again while it runs.

They are read again when what they say is not accepted any more, and when they are older than PODJOBS_SECRETS_TTL_S; one
reading at a time, and none within a few seconds of the last. What was read counts once whoever works with it has taken
it (`adopt`); until then, and if it cannot be used, what was read before goes on.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from podjobs.secret_store import FUNCTION_SECRET, PREVIOUS_FOR_S, SecretsError
from podjobs.secret_store.documents import Document
from podjobs.secret_store.file import read_file
from podjobs.secret_store.references import VARIABLE, FileSecret, Reference, read_references

LEAST_AGE_S = 5.0
"""Secrets that were read more recently are not read again."""
TTL_S = 300.0
OVERRULED = (
    "Settings of a secret are in the environment, too, which takes precedence: their rotation would change nothing. "
    "Take them out of the environment."
)


@dataclass(frozen=True, slots=True)
class SecretState:
    """What can be said of a secret."""

    secret: str
    version: str
    """When it was made."""
    read: str
    """When it was read last."""
    fault: str = ""
    """Why it could not be read since then."""


class HeldSecrets:
    """The secrets of a process. Safe for threads."""

    def __init__(self, written: str) -> None:
        """Begin without any; `begin` reads them.

        Args:
            written: which they are, as in the setting.
        """
        self.ttl_s = TTL_S
        self.adopt: Callable[[], None] | None = None
        """Takes the new settings into use. Raises SecretsError if they are of no use; then the old ones go on."""
        self._written = written
        self._lock = threading.RLock()  # whoever adopts secrets reads settings, which asks for them
        self._references: tuple[Reference, ...] = ()
        self._documents: dict[Reference, Document] = {}
        self._settings: Mapping[str, Any] = {}
        self._previous: tuple[Any, float] | None = None
        self._tried_at_s = float("-inf")
        self._read_at: datetime | None = None
        self._faults: tuple[str, ...] = ()
        self._reading: threading.Thread | None = None

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings in all secrets."""
        return self._settings

    @property
    def advice(self) -> str:
        """What an operator should change; empty: nothing."""
        if not self._faults or self._read_at is None:
            return ""
        since = f"What was read at {self._read_at:%Y-%m-%d %H:%M:%S} UTC is still used."
        return " ".join((*self._faults, since))

    def accepted(self, name: str) -> tuple[Any, ...]:
        """What is accepted as a setting: what it is now and, for a while, what it was before; nothing if there is none.

        Args:
            name: of the setting.
        """
        now = (self._settings[name],) if name in self._settings else ()
        previous = self._previous
        if name == FUNCTION_SECRET and previous is not None and time.monotonic() < previous[1]:
            return (*now, previous[0])
        return now

    def states(self) -> list[SecretState]:
        """What can be said of each secret."""
        read = f"{self._read_at:%Y-%m-%d %H:%M:%S} UTC" if self._read_at else ""
        fault = " ".join(self._faults)
        return [SecretState(str(one), document.version, read, fault) for one, document in self._documents.items()]

    @property
    def overruled(self) -> list[str]:
        """Settings that the environment holds, too, which takes precedence: their rotation changes nothing."""
        return sorted(name for name in self._settings if os.environ.get(name))

    def log_start(self) -> None:
        """Log what was read."""
        said = [f"{state.secret} {state.version}" for state in self.states()]
        _log().info("Settings were read from secrets.", secrets=said)
        if self.overruled:
            _log().warning(OVERRULED, settings=self.overruled)

    @property
    def is_incomplete(self) -> bool:
        """Whether there is a secret that could not be read at all, so that settings may be missing."""
        return not self._documents or any(one not in self._documents for one in self._references)

    def begin(self) -> tuple[str, ...]:
        """Read the secrets, unless they were read before. Returns the faults; what has none is held nevertheless."""
        with self._lock:
            if self._read_at is not None:
                return ()
            self._tried_at_s = time.monotonic()
            documents, self._faults = self._read_all()
            self._take(documents)
            self._read_at = None if self._faults else datetime.now(tz=UTC)
            return self._faults

    def renew(self, least_age_s: float = LEAST_AGE_S) -> None:
        """Read the secrets again, and take what has changed into use. What goes wrong is logged, and changes nothing.

        Waits while another thread does so.

        Args:
            least_age_s: nothing is done if they were read, or tried to be read, within this time.
        """
        with self._lock:
            if time.monotonic() - self._tried_at_s < least_age_s:
                return
            self._tried_at_s = time.monotonic()
            documents, faults = self._read_all()
            if faults:
                self._faults = faults
                _log().error("Secrets cannot be read again; what was read before goes on.", reasons=faults)
                return
            self._replace(documents)

    def renew_if_old(self) -> None:
        """Read the secrets again, beside what else is done, if they are older than they may be."""
        if time.monotonic() - self._tried_at_s < self.ttl_s or (self._reading and self._reading.is_alive()):
            return
        self._reading = threading.Thread(target=self.renew, args=(self.ttl_s,), daemon=True, name="secrets")
        self._reading.start()

    def _replace(self, documents: dict[Reference, Document]) -> None:
        """Take other documents into use, if whoever works with them can use them."""
        before = (self._documents, self._settings, self._previous)
        self._take(documents)
        changed = sorted(
            name for name in {*before[1], *self._settings} if before[1].get(name) != self._settings.get(name)
        )
        if changed and self.adopt is not None:
            try:
                self.adopt()
            except Exception as error:  # noqa: BLE001 - whatever a new secret breaks, the old one goes on
                self._documents, self._settings, self._previous = before
                # of an error that is not ours, nothing is repeated: a library may quote what it was given
                reason = str(error) if isinstance(error, SecretsError) else type(error).__name__
                self._faults = (f"The new secrets cannot be used: {reason}",)
                # no traceback, for the same reason
                _log().error("The new secrets cannot be used; those before go on.", reason=reason, settings=changed)
                return
        self._faults, self._read_at = (), datetime.now(tz=UTC)
        if changed:
            _log().info("Secrets have changed, and the new ones are in use.", settings=changed)

    def _take(self, documents: dict[Reference, Document]) -> None:
        old = self._settings.get(FUNCTION_SECRET)
        self._documents = documents
        self._settings = {name: value for one in documents.values() for name, value in one.settings.items()}
        now_s = time.monotonic()
        stated = next((one for one in documents.values() if FUNCTION_SECRET in one.previous), None)
        if stated is not None:
            self._previous = (stated.previous[FUNCTION_SECRET], now_s + stated.previous_for_s)
        elif old is not None and old != self._settings.get(FUNCTION_SECRET):
            self._previous = (old, now_s + PREVIOUS_FOR_S)

    def _read_all(self) -> tuple[dict[Reference, Document], tuple[str, ...]]:
        """Read all secrets. Returns those that could be read, and what is wrong with the others."""
        documents: dict[Reference, Document] = {}
        faults: list[str] = []
        try:
            self._references = read_references(self._written)
        except SecretsError as error:
            return {}, error.faults
        for reference in self._references:
            try:
                documents[reference] = _read(reference)
            except SecretsError as error:
                faults += error.faults
        faults += [fault for document in documents.values() for fault in document.faults]
        return documents, (*faults, *_find_ambiguous(documents))


def _read(reference: Reference) -> Document:
    if isinstance(reference, FileSecret):
        return read_file(reference)
    try:
        from podjobs.secret_store.aws import read_secret  # noqa: PLC0415 - boto3, only if it is needed
    except ImportError:
        raise SecretsError(f"The {reference} cannot be read: the package boto3 is not installed here.") from None
    return read_secret(reference)


def _find_ambiguous(documents: Mapping[Reference, Document]) -> list[str]:
    holders: dict[str, list[str]] = {}
    for reference, document in documents.items():
        for name in document.settings:
            holders.setdefault(name, []).append(str(reference))
    return [
        f"{name} is in more than one secret: the {' and the '.join(where)}. Keep one of them."
        for name, where in holders.items()
        if len(where) > 1
    ]


def _log() -> Any:
    """Where this module logs. Loads its library, a tenth of a second: commands that only read have nothing to log."""
    import structlog  # noqa: PLC0415 - see above

    return structlog.get_logger(__name__)


_HELD: dict[str, HeldSecrets] = {}
"""By what the setting says: settings are read in several environments when a stack is configured."""


def held_secrets(written: str | None = None) -> HeldSecrets | None:
    """The secrets that this process holds; None: it has none.

    Args:
        written: which they are; None: as the environment says.
    """
    written = os.environ.get(VARIABLE, "").strip() if written is None else written
    return _HELD.setdefault(written, HeldSecrets(written)) if written else None
