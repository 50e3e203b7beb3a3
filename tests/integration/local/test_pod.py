"""The stand-in for Pod answers as the contract says Pod does. Source: docs/contract-pod.md, callbacks."""

import json

import pytest
from aiohttp.test_utils import TestClient, TestServer

from local.pod import StandInPod
from support.media_storages import POD_ROOT, STORAGES

TOKEN = "token"  # noqa: S105 - made for these tests
HEADERS = {"Authorization": f"Token {TOKEN}"}
POST = "/rest/store_remote_encoded_video/?id=3"
VIDEO = "/rest/videos/3/"
INFO = "videos/a/0003/info_video.json"
EMPTY_INFO = {
    "duration": 3,
    "encoding_log": {},
    **{f"list_{name}_files": {} for name in ("mp4", "hls", "mp3", "m4a", "thumbnail", "overview")},
}
BODY = {
    "start": None,
    "stop": None,
    "video_id": 3,
    "video_path": f"{POD_ROOT}/videos/a/b.mp4",
    "cut_start": None,
    "cut_end": None,
}


@pytest.fixture(params=STORAGES)
def media(request, tmp_path):
    """Where Pod's media are: in a folder, or in a bucket that Pod has mounted."""
    with STORAGES[request.param](tmp_path) as place:
        yield place.open()


@pytest.fixture
def pod(media):
    return StandInPod(TOKEN, POD_ROOT, media)


@pytest.fixture
async def client(pod):
    async with TestClient(TestServer(pod.application())) as client:
        yield client


def write_info(media, **fields):
    media.write(INFO, json.dumps(EMPTY_INFO | fields).encode())


def read(media, key):
    with media.open(key) as file:
        return file.read().decode()


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Token wrong"}, {"Authorization": TOKEN}])
async def test_store_without_the_token_is_401(client, headers):
    assert (await client.post(POST, json=BODY, headers=headers)).status == 401


async def test_store_imports_once_and_is_400_the_second_time(media, pod, client):
    write_info(media, list_mp4_files={"360": f"{POD_ROOT}/videos/a/0003/360p.mp4"})
    media.write("videos/a/0003/360p.mp4", b"")

    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 200
    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 400

    assert await (await client.get(VIDEO, headers=HEADERS)).json() == {
        "id": 3, "slug": "0003-video", "video": "http://pod.example.org/media/videos/a/b.mp4", "duration": 3,
        "encoding_in_progress": False, "encoded": True, "get_encoding_step": "0 : end of encoding",
    }  # fmt: skip


async def test_store_skips_files_that_are_not_there(media, client):
    write_info(media, list_mp4_files={"360": f"{POD_ROOT}/videos/a/0003/360p.mp4"})
    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 200
    assert (await (await client.get(VIDEO, headers=HEADERS)).json())["encoded"] is False


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/rest/videos/3/"), ("POST", "/rest/store_remote_encoded_video/?id=3")]
)
async def test_deleted_video_is_404_in_the_words_of_rest_framework(client, method, path):
    await client.delete("/control/videos/3")
    answer = await client.request(method, path, json=BODY, headers=HEADERS)
    assert (answer.status, await answer.json()) == (404, {"detail": "No Video matches the given query."})


async def test_launch_encode_requests_it_unless_the_video_is_in_progress(media, pod, client):
    pod.broker_url = "memory://"
    launch = "/rest/launch_encode_view/?slug=0003-video"
    write_info(media)
    await client.post(POST, json=BODY, headers=HEADERS)
    first, second = [await (await client.get(launch, headers=HEADERS)).json() for _ in range(2)]
    assert (first["encoding_in_progress"], first["get_encoding_step"]) == (True, "2 : start remote encoding")
    assert first == second
    assert not media.exists(INFO)


async def test_store_of_a_video_sent_again_is_200_again(media, client):
    write_info(media)
    await client.post(POST, json=BODY, headers=HEADERS)

    await client.post("/control/videos/3")

    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 200


@pytest.mark.parametrize("field", BODY)
async def test_store_with_a_field_missing_is_500(media, client, field):
    write_info(media)
    body = {name: value for name, value in BODY.items() if name != field}

    assert (await client.post(POST, json=body, headers=HEADERS)).status == 500


async def test_store_without_info_video_json_is_500_and_can_be_repeated(media, client):
    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 500

    write_info(media)

    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 200


@pytest.mark.parametrize("field", EMPTY_INFO)
async def test_store_with_a_fact_missing_in_info_video_json_is_500(media, client, field):
    write_info(media)
    media.write(INFO, json.dumps({name: value for name, value in EMPTY_INFO.items() if name != field}).encode())

    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 500


async def test_store_with_an_overview_picture_without_its_track_is_500(media, client):
    write_info(media, list_overview_files={"0": f"{POD_ROOT}/videos/a/0003/overview.png"})

    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 500


TRANSCRIBED = "/rest/store_remote_transcripted_video/?id=3"
VTT = "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nGood morning.\n"


def write_captions(media, text, name="c.vtt"):
    media.write(f"temp/{name}", text.encode())
    # only the name counts: Pod looks for it in its own temp folder
    return {"video_id": 3, "msg": "Done.", "temp_vtt_file": f"/elsewhere/{name}"}


async def test_store_captions_takes_the_file_and_keeps_the_track(media, pod, client):
    body = write_captions(media, VTT)

    assert (await client.post(TRANSCRIBED, json=body, headers=HEADERS)).status == 200
    assert (await client.post(TRANSCRIBED, json=body, headers=HEADERS)).status == 500  # the file is gone

    assert read(media, "tracks/0003.vtt") == VTT
    assert media.list_files("temp") == ()
    assert not pod.videos[3].in_progress


async def test_store_captions_without_a_cue_makes_no_track(media, client):
    body = write_captions(media, "WEBVTT\n")
    assert (await client.post(TRANSCRIBED, json=body, headers=HEADERS)).status == 200
    assert media.list_files("tracks") == ()


@pytest.mark.parametrize("text", ["", "No captions."])
async def test_store_captions_that_are_not_webvtt_is_500(media, client, text):
    body = write_captions(media, text)
    assert (await client.post(TRANSCRIBED, json=body, headers=HEADERS)).status == 500


@pytest.mark.parametrize("field", ["msg", "temp_vtt_file"])
async def test_store_captions_with_a_field_missing_is_500(media, client, field):
    body = write_captions(media, VTT)
    del body[field]
    assert (await client.post(TRANSCRIBED, json=body, headers=HEADERS)).status == 500
