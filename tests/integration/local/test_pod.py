"""The stand-in for Pod answers as the contract says Pod does. Source: docs/contract-pod.md, callbacks."""

import json

import pytest
from aiohttp.test_utils import TestClient, TestServer

from local.pod import StandInPod
from podjobs.backends.files import FileStorage

TOKEN = "token"  # noqa: S105 - made for these tests
HEADERS = {"Authorization": f"Token {TOKEN}"}
POST = "/rest/store_remote_encoded_video/?id=3"
VIDEO = "/rest/videos/3/"
EMPTY_INFO = {
    "duration": 3,
    "encoding_log": {},
    **{f"list_{name}_files": {} for name in ("mp4", "hls", "mp3", "m4a", "thumbnail", "overview")},
}
BODY = {
    "start": None,
    "stop": None,
    "video_id": 3,
    "video_path": "/pod/media/videos/a/b.mp4",
    "cut_start": None,
    "cut_end": None,
}


@pytest.fixture
def media_dir(tmp_path):
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


@pytest.fixture
def pod(media_dir):
    return StandInPod(TOKEN, "/pod/media", FileStorage(media_dir, "/pod/media"))


@pytest.fixture
async def client(pod):
    async with TestClient(TestServer(pod.application())) as client:
        yield client


def write_info(media_dir, **fields):
    folder = media_dir / "videos/a/0003"
    folder.mkdir(parents=True)
    (folder / "info_video.json").write_text(json.dumps(EMPTY_INFO | fields))


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Token wrong"}, {"Authorization": TOKEN}])
async def test_store_without_the_token_is_401(client, headers):
    assert (await client.post(POST, json=BODY, headers=headers)).status == 401


async def test_store_imports_once_and_is_400_the_second_time(media_dir, pod, client):
    write_info(media_dir, list_mp4_files={"360": "/pod/media/videos/a/0003/360p.mp4"})
    (media_dir / "videos/a/0003/360p.mp4").touch()

    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 200
    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 400

    assert await (await client.get(VIDEO, headers=HEADERS)).json() == {
        "id": 3, "slug": "0003-video", "video": "http://pod.example.org/media/videos/a/b.mp4", "duration": 3,
        "encoding_in_progress": False, "encoded": True, "get_encoding_step": "0 : end of encoding",
    }  # fmt: skip


async def test_store_skips_files_that_are_not_there(media_dir, client):
    write_info(media_dir, list_mp4_files={"360": "/pod/media/videos/a/0003/360p.mp4"})
    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 200
    assert (await (await client.get(VIDEO, headers=HEADERS)).json())["encoded"] is False


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/rest/videos/3/"), ("POST", "/rest/store_remote_encoded_video/?id=3")]
)
async def test_deleted_video_is_404_in_the_words_of_rest_framework(client, method, path):
    await client.delete("/control/videos/3")
    answer = await client.request(method, path, json=BODY, headers=HEADERS)
    assert (answer.status, await answer.json()) == (404, {"detail": "No Video matches the given query."})


async def test_launch_encode_requests_it_unless_the_video_is_in_progress(media_dir, pod, client):
    pod.broker_url = "memory://"
    launch = "/rest/launch_encode_view/?slug=0003-video"
    write_info(media_dir)
    await client.post(POST, json=BODY, headers=HEADERS)
    first, second = [await (await client.get(launch, headers=HEADERS)).json() for _ in range(2)]
    assert (first["encoding_in_progress"], first["get_encoding_step"]) == (True, "2 : start remote encoding")
    assert first == second
    assert not (media_dir / "videos/a/0003/info_video.json").exists()


async def test_store_of_a_video_sent_again_is_200_again(media_dir, client):
    write_info(media_dir)
    await client.post(POST, json=BODY, headers=HEADERS)

    await client.post("/control/videos/3")

    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 200


@pytest.mark.parametrize("field", BODY)
async def test_store_with_a_field_missing_is_500(media_dir, client, field):
    write_info(media_dir)
    body = {name: value for name, value in BODY.items() if name != field}

    assert (await client.post(POST, json=body, headers=HEADERS)).status == 500


async def test_store_without_info_video_json_is_500_and_can_be_repeated(media_dir, client):
    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 500

    write_info(media_dir)

    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 200


@pytest.mark.parametrize("field", EMPTY_INFO)
async def test_store_with_a_fact_missing_in_info_video_json_is_500(media_dir, client, field):
    write_info(media_dir)
    file = media_dir / "videos/a/0003/info_video.json"
    file.write_text(json.dumps({name: value for name, value in EMPTY_INFO.items() if name != field}))

    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 500


async def test_store_with_an_overview_picture_without_its_track_is_500(media_dir, client):
    write_info(media_dir, list_overview_files={"0": "/pod/media/videos/a/0003/overview.png"})

    assert (await client.post(POST, json=BODY, headers=HEADERS)).status == 500


TRANSCRIBED = "/rest/store_remote_transcripted_video/?id=3"
VTT = "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nGood morning.\n"


def write_captions(media_dir, text, name="c.vtt"):
    folder = media_dir / "temp"
    folder.mkdir(parents=True)
    (folder / name).write_text(text)
    # only the name counts: Pod looks for it in its own temp folder
    return {"video_id": 3, "msg": "Done.", "temp_vtt_file": f"/elsewhere/{name}"}


async def test_store_captions_takes_the_file_and_keeps_the_track(media_dir, pod, client):
    body = write_captions(media_dir, VTT)

    assert (await client.post(TRANSCRIBED, json=body, headers=HEADERS)).status == 200
    assert (await client.post(TRANSCRIBED, json=body, headers=HEADERS)).status == 500  # the file is gone

    assert (media_dir / "tracks" / "0003.vtt").read_text() == VTT
    assert list((media_dir / "temp").iterdir()) == []
    assert not pod.videos[3].in_progress


async def test_store_captions_without_a_cue_makes_no_track(media_dir, client):
    body = write_captions(media_dir, "WEBVTT\n")
    assert (await client.post(TRANSCRIBED, json=body, headers=HEADERS)).status == 200
    assert not (media_dir / "tracks").exists()


@pytest.mark.parametrize("text", ["", "No captions."])
async def test_store_captions_that_are_not_webvtt_is_500(media_dir, client, text):
    body = write_captions(media_dir, text)
    assert (await client.post(TRANSCRIBED, json=body, headers=HEADERS)).status == 500


@pytest.mark.parametrize("field", ["msg", "temp_vtt_file"])
async def test_store_captions_with_a_field_missing_is_500(media_dir, client, field):
    body = write_captions(media_dir, VTT)
    del body[field]
    assert (await client.post(TRANSCRIBED, json=body, headers=HEADERS)).status == 500
