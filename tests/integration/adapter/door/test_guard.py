"""Faults that nobody foresaw: they cost the message its place, not the queue its door."""

from structlog.testing import capture_logs

from adapter.door.room import Room

QUEUE = "encoding"


class FaultyIntake:
    """Fails at what the messages say."""

    tasks = frozenset()

    def __init__(self):
        self.stored = []

    async def room(self):
        return Room(100)

    def read(self, message):
        if message.raw == b"unreadable":
            raise ZeroDivisionError("A bug.")
        return message.raw

    async def store(self, items):
        if b"unstorable" in items:
            raise LookupError("Another bug.")
        self.stored += items


async def test_door_unforeseen_fault_makes_a_dead_letter_is_logged_with_its_traceback_and_stops_nothing(
    broker, run_door, wait_empty, dead
):
    await broker.lpush(QUEUE, b"first", b"unreadable", b"unstorable", b"last")
    intake = FaultyIntake()
    with capture_logs() as logs:
        await run_door(QUEUE, intake)
        await wait_empty(QUEUE)
    assert intake.stored == [b"first", b"last"]
    assert {entry["raw"] for entry in await dead()} == {"unreadable", "unstorable"}
    traced = {type(line["exc_info"]) for line in logs if line.get("exc_info")}
    assert traced == {ZeroDivisionError, LookupError}
