"""Answers Celery's remote control on one broker: listens to its channel, and replies for this adapter's nodes.

Whoever reaches Redis can send anything: what is no request is dropped, a command that fails costs one reply, and only
so many are answered in a second. Whatever happens here, jobs and steps go on.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import structlog
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from adapter.cancellation import cancel_and_wait
from adapter.redis.connections import RedisClient
from adapter.remote_control.control_commands import CONTROL_COMMANDS
from adapter.remote_control.event_feed import BEAT_S, EventFeed
from adapter.remote_control.inspect_commands import INSPECT_COMMANDS, Answer, Call, Desk
from adapter.remote_control.mailbox import PIDBOX, REPLIES, ControlRequest, Sending, read_request, topic, write_message
from adapter.remote_control.nodes import Node, View
from adapter.steps.versions import NewerRecordError
from podjobs.contract.errors import InvalidRequestError

logger = structlog.get_logger(__name__)

COMMANDS = INSPECT_COMMANDS | CONTROL_COMMANDS
PER_SECOND = 50
"""Requests that are answered in a second; flower asks eight questions at once."""
ANSWER_LIMIT_S = 5.0
REPLY_KEPT_S = 60
"""A list of replies that nobody reads is gone after that."""
PING_S = 10.0
"""Silence after which it is found out whether the channel is still open."""
AWAY_WAITS_S = (0.5, 1, 2, 5, 10, 30)
LEAVE_LIMIT_S = 1.0
COMPLAIN_S = 60.0
"""Between two lines in the log about messages that cannot be read."""


class RemoteControl:
    """Answers on one broker."""

    def __init__(self, broker: RedisClient, nodes: Sequence[Node], desk: Desk) -> None:
        """Answer for nodes.

        Args:
            broker: a client of the broker's database that returns bytes.
            nodes: this adapter's there; at least one.
            desk: what they answer with.
        """
        self._broker = broker
        self._nodes = nodes
        self._desk = desk
        self._database = int(broker.connection_pool.connection_kwargs.get("db") or 0)
        self._feed = EventFeed(broker, self._database, nodes, desk)
        self._second = (0, 0)
        self._complain_at_s = 0.0

    async def run(self) -> None:
        """Answer until cancelled; then leave."""
        lanes = [asyncio.create_task(self._repeat(lane)) for lane in (self._beat, self._listen)]
        try:
            await asyncio.wait(lanes)
        finally:
            await cancel_and_wait(lanes)
            await self._leave()

    async def _repeat(self, lane: Any) -> None:
        """Begin again whenever Redis was away, or refuses what it is asked."""
        failures = 0
        while True:
            began_s = time.monotonic()
            try:
                await lane()
            except RedisError as error:
                failures = 0 if time.monotonic() - began_s > AWAY_WAITS_S[-1] else failures
                if failures == 0:
                    logger.warning("Celery's remote control is interrupted.", error=str(error))
            except Exception:
                # a blind catch: a bug of ours must cost no more than an answer
                logger.exception("Internal error in Celery's remote control.")
            await asyncio.sleep(AWAY_WAITS_S[min(failures, len(AWAY_WAITS_S) - 1)])
            failures += 1

    async def _beat(self) -> None:
        while True:
            for node in self._nodes:
                await node.roster.enter()
            await self._feed.beat()
            await asyncio.sleep(BEAT_S)

    async def _listen(self) -> None:
        for node in self._nodes:
            await node.roster.enter()
        async with self._broker.pubsub() as channel:
            await channel.subscribe(topic(self._database, PIDBOX))
            logger.info("Celery's remote control is answered.", nodes=[node.place.name for node in self._nodes])
            heard_at_s = time.monotonic()
            while True:
                message = await channel.get_message(timeout=PING_S)
                if message is not None:
                    heard_at_s = time.monotonic()
                    if message["type"] == "message":
                        await self._take_turn()
                        await self._handle(message["data"])
                elif time.monotonic() - heard_at_s > 3 * PING_S:
                    raise RedisConnectionError("The channel of Celery's remote control is silent.")
                else:
                    await channel.ping()

    async def _take_turn(self) -> None:
        """Wait if too much was asked for in this second: steps have to go on meanwhile."""
        second, count = self._second
        now_s = time.monotonic()
        if int(now_s) == second and count >= PER_SECOND:
            await asyncio.sleep(second + 1 - now_s)
            now_s = second + 1
        self._second = (int(now_s), count + 1 if int(now_s) == second else 1)

    async def _handle(self, raw: bytes) -> None:
        """Answer one message, whatever it contains. Raises RedisError if the answer cannot be sent."""
        try:
            request = read_request(raw)
        except InvalidRequestError as error:
            self._complain(error)
            return
        self._desk.clock.adjust(request.clock)
        for node in self._nodes:
            await node.roster.enter()  # another adapter may have come or gone since the latest beat
        addressed = [node for node in self._nodes if request.is_for(node.place.name)]
        view = View(self._desk.reader)
        answers = [(node.place.name, await self._answer(Call(node, request, view, self._desk))) for node in addressed]
        if request.reply_list:
            await self._reply(request, [(name, answer) for name, answer in answers if answer is not None])

    async def _answer(self, call: Call) -> Answer:
        command = COMMANDS.get(call.request.method)
        if command is None:
            return {"error": f"pod-functions does not know the command {call.request.method[:100]!r}."}
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                return await command(call)
        except (RedisError, TimeoutError) as error:
            return {"error": f"The jobs' Redis does not answer: {error or 'too late'}"}
        except NewerRecordError as error:
            return {"error": str(error)}
        except Exception as error:
            # a blind catch: anybody may send anything as arguments
            logger.exception("Internal error in a command of Celery's remote control.", command=call.request.method)
            return {"error": f"Internal error in the adapter: {type(error).__name__}. Its log says more."}

    async def _reply(self, request: ControlRequest, answers: Sequence[tuple[str, Answer]]) -> None:
        """Send replies, one for each node."""
        if not answers:
            return
        key = request.reply_list.removesuffix(f".{REPLIES}")
        async with self._broker.pipeline(transaction=False) as pipeline:
            for name, answer in answers:
                headers = {"ticket": request.ticket, "clock": self._desk.clock.forward()}
                pipeline.lpush(request.reply_list, write_message({name: answer}, Sending(REPLIES, key, headers)))
            pipeline.expire(request.reply_list, REPLY_KEPT_S)
            await pipeline.execute(raise_on_error=False)

    def _complain(self, error: InvalidRequestError) -> None:
        now_s = time.monotonic()
        if now_s >= self._complain_at_s:
            self._complain_at_s = now_s + COMPLAIN_S
            logger.warning("A message on the channel of Celery's remote control was dropped.", reason=error.detail)

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(LEAVE_LIMIT_S):
                await self._feed.leave()
                for node in self._nodes:
                    await node.roster.leave()
        except (RedisError, TimeoutError):
            return  # the others notice it after some seconds
