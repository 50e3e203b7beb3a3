"""The nodes of one of Pod's queues: which adapters read it, under which names, and which of them speaks for all.

As with Celery's workers, a name belongs to one process: `encode@host`, and if several adapters run on a host,
`encode-2@host` … What no adapter has in its hands, such as jobs that wait, is said by one of them: the oldest.
"""

from dataclasses import dataclass
from pathlib import Path

from adapter.redis import keys
from adapter.redis.connections import RedisClient

_SCRIPT = Path(__file__).with_name("roster.lua").read_text(encoding="utf-8")
LEASE_MS = 7000
"""For how long an adapter is listed after its latest beat: three of them, and a second."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where this adapter stands among the nodes of a queue."""

    name: str
    """Its node's name."""
    is_speaker: bool
    """Whether it says what no adapter has in its hands."""
    speaker: str
    """The name of the node that does."""
    names: dict[str, str]
    """All adapters that read the queue, this one among them → the names of their nodes."""


def find_place(adapter_id: str, rows: list[tuple[str, str, str]]) -> Place:
    """Find this adapter's place. Pure.

    Args:
        adapter_id: this adapter.
        rows: name, adapter, and since when it is there, of each node.
    """
    names = {adapter: name for name, adapter, _ in rows}
    speaker = min(rows, key=lambda row: (float(row[2]), row[1]))[1]
    return Place(names[adapter_id], speaker == adapter_id, names[speaker], names)


class Roster:
    """The nodes of one queue, in its broker's database."""

    def __init__(self, broker: RedisClient, queue: str, adapter_id: str, name: str, host: str) -> None:
        """Use a client that returns bytes.

        Args:
            broker: the queue's database.
            queue: its name.
            adapter_id: this adapter.
            name: what its node is called, before the @.
            host: after the @.
        """
        self._script = broker.register_script(_SCRIPT)
        self._key = keys.nodes(queue)
        self.adapter_id = adapter_id
        self._wanted = (name, host)
        self.place = Place(f"{name}@{host}", is_speaker=True, speaker=f"{name}@{host}", names={})
        """As it was at the latest beat."""

    async def enter(self) -> Place:
        """Enter it, or stay in it. Raises RedisError."""
        rows = await self._run("enter")
        read = [(name.decode(), adapter.decode(), since.decode()) for name, adapter, since in rows]
        self.place = find_place(self.adapter_id, read)
        return self.place

    async def leave(self) -> None:
        """Leave it. Raises RedisError."""
        await self._run("leave")

    async def _run(self, operation: str) -> list[tuple[bytes, bytes, bytes]]:
        arguments = [operation, self.adapter_id, *self._wanted, LEASE_MS]
        return list(await self._script(keys=[self._key], args=arguments))
