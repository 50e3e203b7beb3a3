"""A storage that does something at a chosen call: at each in turn, every order of events is tried."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from podjobs.contract.media_paths import Key
from podjobs.contract.ports.storage import Storage

PURE = frozenset({"pod_path", "work_key"})


class EventfulStorage:
    """Another storage; before some of its calls, counted from 0, something else happens."""

    def __init__(self, storage: Storage, events: Mapping[int, Callable[[], object]]) -> None:
        self.calls = 0
        self._storage, self._events = storage, dict(events)
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        called = getattr(self._storage, name)
        if name in PURE:
            return called

        def call(*arguments: Any, **options: Any) -> Any:
            self._happen()
            return called(*arguments, **options)

        return call

    def writing(self, folder: Key) -> AbstractContextManager[Path]:
        """Two calls: files are placed at the end."""

        @contextmanager
        def writing() -> Iterator[Path]:
            self._happen()
            with self._storage.writing(folder) as path:
                yield path
                self._happen()

        return writing()

    def finish(self) -> None:
        """Let everything happen that has not yet."""
        for number in sorted(self._events):
            self._events.pop(number)()

    def _happen(self) -> None:
        with self._lock:
            number = self.calls
            self.calls += 1
            event = self._events.pop(number, None)
            if event is not None:
                event()
