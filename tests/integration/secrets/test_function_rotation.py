"""A real function process whose secrets are rotated while it works: no step fails of it, nothing is restarted."""

import asyncio
import contextlib

import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from adapter.delivery import FunctionBusyError
from adapter.delivery.http import HttpDelivery
from adapter.delivery.rq.delivery import RqDelivery
from adapter.redis.connections import open_redis
from local.pod import StandInPod
from podjobs.backends.files import FileStorage
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.relocations import Relocation, Whereabouts
from podjobs.contract.steps import Step
from podjobs.contract.workflows import LOCATE
from support.jobs import encoding_job
from support.kept_secrets import SecretFile
from support.parts import new_function, new_worker_pool, running_redis
from support.processes import REPOSITORY
from support.secrets_manager import SecretsManager

pytestmark = pytest.mark.slow

MAIN = REPOSITORY / "functions/notification/main.py"
NAME = "podjobs/functions"
FIRST, SECOND, THIRD = "first-of-the-secrets", "second-of-the-secrets", "third-of-the-secrets"
TOKENS = [f"token-{number}" for number in range(4)]
STEP_S = 0.1
LIMIT_S = 60
"""A step whose worker lost its connection as it took it is given to another one after a quarter of a minute."""
JUST_READ_S = 6
"""After which secrets are read again if what they say is refused."""


class Notification:
    """The function, its Pod, and a secret with the token of one and the secret of the other."""

    def __init__(self, folder, kind):
        self.media = folder / "media"
        (self.media / "videos").mkdir(parents=True)
        (self.media / "videos/7.mp4").write_bytes(b"video")
        self.pod = StandInPod(TOKENS[0], "/media", FileStorage(self.media, "/media"))
        self.file = SecretFile(folder / "secret.json") if kind == "file" else None
        self.manager = None if self.file else SecretsManager()
        self.publish(TOKENS[0], FIRST)

    def publish(self, token, secret):
        """Have the secret say so."""
        settings = {"POD_API_TOKEN": token, "PODJOBS_FUNCTION_SECRET": secret}
        if self.file:
            self.file.write(**settings)
        else:
            self.manager.put(NAME, settings)

    def settings(self, pod_url):
        kept = (
            {"PODJOBS_SECRETS": self.file.setting} if self.file else {"PODJOBS_SECRETS": NAME, **self.manager.settings}
        )
        place = {"MEDIA_ROOT": "/media", "MEDIA_URL": self.media.as_uri(), "POD_API_URL": f"{pod_url}/rest"}
        return kept | place | {"THREADS": "8"}


@contextlib.asynccontextmanager
async def running(notification, folder):
    async with TestServer(notification.pod.application()) as pod:
        program = new_function("notification", MAIN, notification.settings(str(pod.make_url(""))), folder)
        program.start()
        try:
            yield await asyncio.to_thread(program.wait)  # it asks Pod, which is served here
        finally:
            program.kill()
            if notification.manager:
                notification.manager.__exit__()


def question(number):
    """A step that asks Pod about a video."""
    job = encoding_job(f"job-{number}")
    return Step(job=job, step_id="locate-1", function="notification", action=LOCATE, accepted_at=0, timeout_s=30)


class Stream:
    """Steps that come one after another, as long as it runs."""

    def __init__(self, delivery):
        self._delivery = delivery
        self.done = 0
        self.shut_out = []
        self.task = asyncio.create_task(self._run())

    async def _run(self):
        number = 0
        while True:
            number += 1
            try:
                reply = await self._delivery.deliver(question(number))
                assert isinstance(reply, Relocation)
                assert reply.whereabouts is Whereabouts.UNCHANGED
                self.done += 1
            except FunctionBusyError as error:  # held, and delivered again: no attempt is lost
                self.shut_out.append(error)
            await asyncio.sleep(STEP_S)

    async def wait_for_more(self, count=8):
        """Wait for so many steps to be done from now on."""
        wanted = self.done + count
        async with asyncio.timeout(LIMIT_S):
            while self.done < wanted:
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.02)

    async def end(self):
        """Let no more come."""
        self.task.cancel()
        await asyncio.wait([self.task])


@pytest.mark.parametrize("kind", ["aws", "file"])
async def test_function_goes_on_when_pods_token_and_its_own_secret_are_rotated(tmp_path, kind):
    notification = Notification(tmp_path, kind)
    async with running(notification, tmp_path) as function:
        pid = function.process.pid
        deliveries = {one: HttpDelivery(function.page, STEPS, "test", 5, SecretStr(one)) for one in (FIRST, SECOND)}
        stream = Stream(deliveries[FIRST])
        await stream.wait_for_more()
        await asyncio.sleep(JUST_READ_S)

        # the secret first, then Pod: the step that is shut out is repeated at once
        notification.publish(TOKENS[1], FIRST)
        await stream.wait_for_more()
        notification.pod.token = TOKENS[1]
        await stream.wait_for_more()
        assert stream.shut_out == []

        # Pod first: steps are held until the secret is there
        await asyncio.sleep(JUST_READ_S)
        notification.pod.token = TOKENS[2]
        while not stream.shut_out:
            await asyncio.sleep(STEP_S)
        assert {error.retry_after_s for error in stream.shut_out} == {15}
        notification.publish(TOKENS[2], FIRST)
        await stream.wait_for_more()

        # the functions' secret: those who know the old one and those who know the new one are answered
        await asyncio.sleep(JUST_READ_S)
        before = len(stream.shut_out)
        notification.publish(TOKENS[2], SECOND)
        assert isinstance(await deliveries[SECOND].deliver(question(0)), Relocation)
        await stream.wait_for_more()
        assert len(stream.shut_out) == before

        await stream.end()
        await asyncio.gather(*(delivery.close() for delivery in deliveries.values()))
        assert function.is_running
        assert function.process.pid == pid
        said = function.said()
        assert [word for word in (*TOKENS, FIRST, SECOND, "Traceback") if word in said] == []
        assert said.count("Secrets have changed, and the new ones are in use.") == 3


async def test_workers_of_rq_go_on_when_the_password_of_their_queue_and_pods_token_are_rotated(tmp_path):
    notification = Notification(tmp_path, "file")
    with running_redis(tmp_path / "redis") as port:
        pod = TestServer(notification.pod.application())
        await pod.start_server()
        admin = open_redis(f"redis://127.0.0.1:{port}/0", text=True)
        await admin.execute_command("ACL", "SETUSER", "rq", "on", f">{FIRST}", "allkeys", "allchannels", "+@all")

        def publish(token, password):
            url = f"redis://rq:{password}@127.0.0.1:{port}/0"
            notification.file.write(POD_API_TOKEN=token, PODJOBS_RQ_URL=url)

        publish(TOKENS[0], FIRST)
        queue = f"redis://127.0.0.1:{port}/0"
        settings = notification.settings(str(pod.make_url("")))
        pool = new_worker_pool("notification", MAIN, settings, tmp_path, queue, 2)
        pool.settings.pop("PODJOBS_RQ_URL")  # it is in the secret
        pool.start()
        delivery = RqDelivery("rq:notification", STEPS, "test", 5, open_redis(queue, text=True))
        try:
            await asyncio.to_thread(pool.wait)
            stream = Stream(delivery)
            family = {process.pid for process in pool.family()}
            await stream.wait_for_more()
            await asyncio.sleep(JUST_READ_S)

            publish(TOKENS[1], SECOND)
            notification.pod.token = TOKENS[1]
            await admin.execute_command("ACL", "SETUSER", "rq", "resetpass", f">{SECOND}")
            await admin.execute_command("CLIENT", "KILL", "USER", "rq")
            await stream.wait_for_more(20)

            await stream.end()
            assert family <= {process.pid for process in pool.family()}
            said = pool.said()
            assert [word for word in (*TOKENS, FIRST, SECOND, "Traceback") if word in said] == []
        finally:
            pool.kill()
            await delivery.close()
            await admin.aclose()
            await pod.close()
