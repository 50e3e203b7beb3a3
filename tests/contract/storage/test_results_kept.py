"""Results that were to be fetched over HTTP go when they have been kept long enough; nothing else does."""

import time

import pytest

from podjobs.contract.errors import InvalidRequestError, MissingFileError
from podjobs.contract.jobs import RecoveryJob
from podjobs.contract.ports.storage import PIECE_BYTES
from podjobs.contract.reply_to import Nobody
from podjobs.contract.runner_places import result_folder, source_folder
from podjobs.media import abandoned_work
from podjobs.media.abandoned_work import remove_abandoned


def recovery(*known, results_before, dry_run=False):
    return RecoveryJob(
        id="r", target="work", known=known, known_at=time.time(), results_before=results_before, dry_run=dry_run,
        reply_to=Nobody(),
    )  # fmt: skip


def put_result(storage, job_id):
    storage.write(f"{result_folder(job_id)}/360p_talk.mp4", b"video")
    storage.write(f"{result_folder(job_id)}/info_video.json", b"{}")
    storage.write(f"{source_folder(job_id)}/dressing/mark.png", b"picture")


def jobs_left(media):
    return {key.split("/")[1] for key in media.list_everything() if key.startswith("runner/")}


def test_results_older_than_wanted_go_with_everything_in_their_folder(storage, media):
    put_result(storage, "old")
    put_result(storage, "known")
    storage.write("videos/talk.mp4", b"content")
    later = time.time() + 60
    says = "The result of one task that had been kept long enough for runner clients {} removed."
    assert (
        says.format("would be") in remove_abandoned(recovery("known", results_before=later, dry_run=True), storage).log
    )
    assert jobs_left(media) == {"old", "known"}
    assert says.format("was") in remove_abandoned(recovery("known", results_before=later), storage).log
    assert jobs_left(media) == {"known"}
    assert storage.exists("videos/talk.mp4")


def test_results_that_are_not_old_enough_stay(storage, media):
    put_result(storage, "young")
    remove_abandoned(recovery(results_before=time.time() - 60), storage)
    remove_abandoned(recovery(results_before=None), storage)
    assert jobs_left(media) == {"young"}


def test_very_many_results_are_removed_in_several_turns(storage, media, monkeypatch):
    monkeypatch.setattr(abandoned_work, "MOST_RESULTS", 2)
    for name in ("a", "b", "c"):
        storage.write(f"{result_folder(name)}/x", b"x")
    log = remove_abandoned(recovery(results_before=time.time() + 60), storage).log
    assert any("1 more are left" in sentence for sentence in log)
    assert jobs_left(media) == {"c"}


def test_folder_directly_in_the_media_root_is_not_removed(storage):
    storage.write("videos/talk.mp4", b"content")
    with pytest.raises(InvalidRequestError, match="as a whole"):
        storage.remove_tree("videos")
    assert storage.exists("videos/talk.mp4")
    storage.remove_tree("videos/nothing")


def test_folders_are_listed_with_the_time_of_their_last_file(storage):
    assert storage.list_folders("runner") == []
    begun = time.time()
    put_result(storage, "a")
    storage.write("runner/file", b"no folder")
    (found,) = storage.list_folders("runner")
    assert found.name == "a"
    assert begun - 2 <= found.changed_at <= time.time() + 2


@pytest.mark.parametrize("sizes", [(PIECE_BYTES, PIECE_BYTES, 5), (7,)])
def test_joined_pieces_are_one_file_and_gone(storage, media, sizes):
    pieces = [bytes([number]) * size for number, size in enumerate(sizes)]
    for number, piece in enumerate(pieces):
        storage.write(f"videos/piece-{number}", piece)
    storage.join([f"videos/piece-{number}" for number in range(len(pieces))], "videos/whole")
    with storage.open("videos/whole") as file:
        assert file.read() == b"".join(pieces)
    assert storage.list_files("videos") == ("videos/whole",)


def test_pieces_of_which_one_is_missing_make_no_file(storage):
    storage.write("videos/piece-0", b"x")
    with pytest.raises(MissingFileError):
        storage.join(["videos/piece-0", "videos/piece-1"], "videos/whole")
    assert storage.list_files("videos") == ("videos/piece-0",)
