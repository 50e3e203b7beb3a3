"""The stand-in for Pod does with recordings what the contract says Pod does. Source: docs/contract-pod.md, studio."""

import pytest
from aiohttp.test_utils import TestClient, TestServer

from local.pod import StandInPod
from support.media_storages import POD_ROOT, STORAGES

HEADERS = {"Authorization": "Token token"}
POST = "/rest/store_remote_encoded_video_studio/?recording_id=8"
CONTROL = "/control/recordings/8"
OUTPUT = "opencast-files/a1/a1.mp4"
BODY = {"video_output": f"{POD_ROOT}/{OUTPUT}", "msg": "As it went."}


@pytest.fixture
def media(request, tmp_path):
    """Where Pod's media are: in a folder, or in a bucket that Pod has mounted."""
    with STORAGES[getattr(request, "param", "file")](tmp_path) as place:
        yield place.open()


@pytest.fixture
async def client(media):
    async with TestClient(TestServer(StandInPod("token", POD_ROOT, media).application())) as client:
        yield client


@pytest.mark.parametrize("media", STORAGES, indirect=True)
async def test_store_composed_moves_the_file_to_the_videos(media, client):
    media.write(OUTPUT, b"composed")
    answer = await client.post(POST, json=BODY, headers=HEADERS)
    assert (answer.status, await answer.json()) == (200, "ok")
    recording = await (await client.get(CONTROL)).json()
    assert (recording["comment"], recording["mails"]) == ("As it went.", [])
    assert not media.exists(OUTPUT)
    video = await (await client.get(f"/rest/videos/{recording['video_id']}/", headers=HEADERS)).json()
    assert video["encoding_in_progress"]
    assert media.exists(video["video"].removeprefix("http://pod.example.org/media/"))


@pytest.mark.parametrize("content", [None, b""])
async def test_store_composed_without_a_file_is_200_and_a_mail(media, client, content):
    if content is not None:
        media.write(OUTPUT, content)
    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 200
    recording = await (await client.get(CONTROL)).json()
    assert (recording["video_id"], recording["mails"]) == (0, [f"Wrong file or path:\n{POD_ROOT}/{OUTPUT}"])


async def test_store_composed_of_a_deleted_recording_is_404_in_the_words_of_its_rest_interface(client):
    await client.delete(CONTROL)
    answer = await client.post(POST, json=BODY, headers=HEADERS)
    assert (answer.status, "detail" in await answer.json()) == (404, True)


@pytest.mark.parametrize("body", [[], {}, {"video_output": f"{POD_ROOT}/{OUTPUT}"}])
async def test_store_composed_that_lacks_a_field_is_500(client, body):
    assert (await client.post(POST, json=body, headers=HEADERS)).status == 500


async def test_store_composed_without_the_token_is_401(client):
    assert (await client.post(POST, json=BODY)).status == 401
