"""Parts of a file are continued only by what belongs to them."""

from podjobs.fetching.parts import Kept, find_kept, name_version

OLD, NEW = name_version('"old"'), name_version('"new"')


def test_parts_without_gaps_are_kept_from_the_beginning():
    parts = [(f"f/{OLD}-100-0", 40), (f"f/{OLD}-100-40", 50), (f"f/{OLD}-100-95", 5)]
    assert find_kept(parts) == Kept(OLD, 100, 90, (f"f/{OLD}-100-0", f"f/{OLD}-100-40"))


def test_versions_are_not_mixed_and_the_one_with_most_is_continued():
    parts = [(f"f/{OLD}-100-0", 40), (f"f/{NEW}-100-40", 50), (f"f/{NEW}-100-0", 10)]
    assert find_kept(parts) == Kept(OLD, 100, 40, (f"f/{OLD}-100-0",))


def test_whole_file_comes_before_a_longer_part_of_another_one():
    parts = [(f"f/{OLD}-1000-0", 400), (f"f/{NEW}-100-0", 100)]
    assert find_kept(parts).is_complete


def test_empty_file_is_whole_with_its_one_part():
    assert find_kept([(f"f/{OLD}-0-0", 0)]).is_complete
    assert not find_kept([]).is_complete


def test_other_files_are_no_parts():
    assert find_kept([("f/receiving", 5), ("f/x-1-0", 1)]) == Kept()


def test_next_part_begins_where_the_last_one_ends():
    kept = Kept(OLD, 100).with_part(f"f/{OLD}-100-0", 40)
    assert kept.name_next() == f"{OLD}-100-40"
    assert not kept.is_complete
    assert kept.with_part("f/x", 60).is_complete
