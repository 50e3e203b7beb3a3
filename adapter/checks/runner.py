"""Whether the runner API answers on this machine, and whether its clients can be reached."""

import asyncio
import ipaddress
import json
import socket
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp

from adapter.runner_settings import RunnerClient
from adapter.settings import AdapterSettings
from podjobs.contract.examinations import Finding, Verdict
from podjobs.contract.redaction import redact

SUBJECT = "runner"
ANSWER_BYTES = 4000


async def look_at_runner(settings: AdapterSettings, session: aiohttp.ClientSession) -> list[Finding]:
    """Ask the runner API of this machine how it is."""
    place = f"{settings.podjobs_runner_host}:{settings.podjobs_runner_port}"
    url = f"http://{place}{settings.podjobs_runner_root}/api/health"
    try:
        async with session.get(url, allow_redirects=False) as response:
            status, content = response.status, await response.content.read(ANSWER_BYTES)
    except (aiohttp.ClientError, OSError):
        said = (
            f"Nothing answers at {place}. That is well if the adapters with the runner API are on other machines; "
            "otherwise start one here, or correct PODJOBS_RUNNER_HOST and PODJOBS_RUNNER_PORT."
        )
        return [Finding(subject=SUBJECT, part="API", verdict=Verdict.NOTE, said=said)]
    return [Finding(subject=SUBJECT, part="API", **judge_answer(status, content))]


def judge_answer(status: int, content: bytes) -> dict[str, object]:
    """Judge what its health page says: a verdict, and a sentence. Pure."""
    try:
        found = json.loads(content)
        said = {name: str(found.get(name, "")) for name in ("status", "results", "detail")}
    except (ValueError, AttributeError):
        return {"verdict": Verdict.FAULT, "said": f"It answers with status {status}, and not as the runner API does."}
    if status != HTTPStatus.OK or said["status"] != "healthy":
        reason = redact(said["detail"]) or f"its status is {status}"
        return {"verdict": Verdict.FAULT, "said": f"It is not well: {reason}"}
    if said["results"] != "ok":
        return {
            "verdict": Verdict.FAULT,
            "said": "It takes tasks, but cannot read the media storage: Pod can fetch no results. Give the adapter "
            "MEDIA_URL, and what it takes to read there; its log says what is missing.",
        }
    return {"verdict": Verdict.OK, "said": "It takes tasks, and gives results."}


async def look_at_client(name: str, client: RunnerClient) -> list[Finding]:
    """Find out whether the machines of a client are known, and may be connected to."""
    hosts = sorted({*client.notify_hosts, *client.hosts_of_sources})
    loop = asyncio.get_running_loop()
    faults = []
    for host in hosts:
        machine = urlsplit(f"//{host}").hostname or host
        try:
            found = await loop.getaddrinfo(machine, None, type=socket.SOCK_STREAM)
        except OSError:
            faults.append(
                f"{machine} is not known here. Correct it in PODJOBS_RUNNER_CLIENTS, unless the functions know it."
            )
            continue
        if fault := judge_addresses(machine, [str(address[4][0]) for address in found], private=client.private):
            faults.append(fault)
    part, verdict = f"client {name}", Verdict.NOTE if faults else Verdict.OK
    said = " ".join(faults) or f"It may name {', '.join(hosts)}."
    return [Finding(subject=SUBJECT, part=part, verdict=verdict, said=said)]


def judge_addresses(machine: str, addresses: list[str], *, private: bool) -> str:
    """Why these addresses of a machine are not connected to, with the remedy; empty: they are. Pure."""
    local = [one for one in addresses if not ipaddress.ip_address(one.partition("%")[0]).is_global]
    if not local or private:
        return ""
    return (
        f"{machine} is {local[0]}, an address of the local network, which is not connected to. Set private for the "
        "client in PODJOBS_RUNNER_CLIENTS, and PODJOBS_FETCH_PRIVATE of the function encoding."
    )
