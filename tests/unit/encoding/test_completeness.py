"""What is told about frames that are missing."""

import pytest

from podjobs.contract.errors import PermanentError
from podjobs.encoding.completeness import find_faults, find_holes, refuse_endless_frame
from podjobs.encoding.recipe import Recipe
from podjobs.encoding.results import EarlierResults, PackageResult
from podjobs.media.facts import MediaFacts, VideoFacts

VIDEO = VideoFacts(index=0, codec="h264", width_px=64, height_px=64, frame_rate=25, start_s=0, frames=None)
RECIPE = Recipe(
    source="x.mkv",
    facts=MediaFacts(format_name="matroska", start_s=0, duration_s=32, video=VIDEO, audio=None),
    renditions=(),
    origin_s=0,
    duration_s=32,
    ends=False,
    starts_s=tuple(range(0, 32, 4)),
    preroll_s=0.5,
)
PACKAGE = PackageResult(name="64", files=(), duration_s=32, peak_bps=1, average_bps=1, codecs="", faults=())


def results(found):
    values = {
        f"chunk-{number:04d}": {"frames": 100, "first_s": 4.0 * number, "lost": 0} | found.get(number, {})
        for number in range(8)
    }
    return EarlierResults(RECIPE, values)


def test_find_holes_nothing_lost_nothing_told():
    # a slide is shown: the source has no frame there
    assert find_faults(results({3: {"first_s": 15.0}, 5: {"frames": 0, "first_s": None}}), [PACKAGE]) == ()


@pytest.mark.parametrize(
    ("found", "places"),
    [
        ({1: {"first_s": 5.12, "lost": 28}}, "28 from 4.00 s to 5.12 s"),
        ({2: {"frames": 0, "first_s": None, "lost": 100}}, "100 from 8.00 s to 12.00 s"),
        ({7: {"frames": 0, "first_s": None, "lost": 100}}, "100 from 28.00 s"),
    ],
)
def test_find_faults_frames_lost_at_a_join_are_a_fault_in_every_container(found, places):
    told = f"Frames of the source could not be decoded where they are expected: {places}."
    assert find_faults(results(found), [PACKAGE]) == (told,)


def test_find_holes_many_places_are_told_together():
    (told,) = find_holes(results({number: {"first_s": 4.0 * number + 1, "lost": 10} for number in range(1, 8)}))
    assert told.endswith("10 from 20.00 s to 21.00 s, and 20 at later times.")


def test_frame_that_would_be_shown_for_longer_than_mp4_can_say_is_refused():
    recipe = RECIPE.model_copy(update={"starts_s": (0.0, 20_000.0, 40_000.0), "duration_s": 50_000})
    values = {
        "chunk-0000": {"frames": 100, "first_s": 0.0},
        "chunk-0001": {"frames": 0, "first_s": None},
        "chunk-0002": {"frames": 25, "first_s": 40_000.0},
    }
    with pytest.raises(PermanentError, match=r"no picture between 0\.0 and 11\.1 hours .* clock seems to jump"):
        refuse_endless_frame(EarlierResults(recipe, values))
    refuse_endless_frame(EarlierResults(recipe, values | {"chunk-0001": {"frames": 1, "first_s": 20_000.0}}))


def test_frames_of_which_only_some_were_looked_up_are_no_endless_frame():
    """The first frame of a chunk is looked up only if their number is not as expected, as in the last one here."""
    recipe = RECIPE.model_copy(update={"starts_s": (0.0, 12_000.0, 24_000.0, 36_000.0), "duration_s": 48_000})
    values = {f"chunk-{number:04d}": {"frames": 100} for number in range(4)}
    values["chunk-0000"]["first_s"], values["chunk-0003"]["first_s"] = 0.0, 36_000.5
    refuse_endless_frame(EarlierResults(recipe, values))
