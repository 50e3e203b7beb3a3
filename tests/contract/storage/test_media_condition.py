"""What is looked at in the media root when an operator asks: the same with every backend."""

from concurrent.futures import ThreadPoolExecutor

from podjobs.backends.media_condition import ID_FILE, media_id


def test_everybody_who_looks_sees_one_id_which_stays(storage, media):
    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(lambda _: media_id(media.open()), range(4)))
    assert len(ids) == 1
    assert media_id(storage) in ids


def test_media_root_whose_file_was_deleted_gets_another_id(storage):
    before = media_id(storage)
    storage.delete(ID_FILE)
    assert media_id(storage) != before


def test_id_is_the_last_word_of_a_file_that_says_what_it_is_for(storage):
    found = media_id(storage)
    with storage.open(ID_FILE) as file:
        text = file.read().decode()
    assert text.startswith("pod-functions tells by this file")
    assert text.split()[-1] == found
    assert len(found) == 32
