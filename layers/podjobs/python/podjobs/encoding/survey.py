"""Looks at key frames all over a source: does the picture change its size along the way, do key frames show at once?

Recordings of calls begin tiny and grow, phones are turned, joined clips differ; the header states the first size only.
And some packets are marked as key frames although nothing can be decoded from them alone.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from podjobs.contract.commands import Access
from podjobs.contract.errors import CommandStoppedError, PermanentError
from podjobs.contract.media_paths import Key
from podjobs.encoding.lookups import most_places
from podjobs.encoding.workspace import Workspace
from podjobs.media.commands import input_argv
from podjobs.media.facts import MediaFacts, VideoFacts
from podjobs.media.report import pixel_aspect

SURVEY_TIMEOUT_S = 15
"""A source without an index is read from its beginning at every seek; it is then taken as its header says."""
MOST_PLACES = 120
"""So many seeks, and as many pictures to decode: 0.3 s for two hours of 1080p."""
NEAREST_PLACES_S = 1.0
RESIZABLE_CODECS = frozenset(
    ("h264", "hevc", "av1", "vp8", "vp9", "vp6f", "flv1", "h263", "mpeg1video", "mpeg2video", "mpeg4", "mjpeg")
)
"""Codecs whose streams state the size themselves, so that it can change, and whose key frames may not be any."""
LIVE_CODECS = frozenset({"vp8", "vp9", "av1"})
"""Codecs of calls and browsers, which change the size as they please."""


class KeyPicture(NamedTuple):
    """What a packet that is marked as a key frame shows when it is decoded alone."""

    size_px: tuple[int, int] | None
    """In square pixels, not turned; None: it shows nothing."""
    is_intra: bool = True
    """Whether it is coded without others."""


def survey_pictures(source: Key, facts: MediaFacts, work: Workspace) -> MediaFacts:
    """Correct what the header says about the picture by what key frames all over the source show.

    Args:
        source: the file, which must be seekable.
        facts: as its header says.
        work: runs ffprobe.
    """
    video = facts.video
    if video is None or video.codec not in RESIZABLE_CODECS:
        return facts
    file = work.storage.input_of(source)
    most = most_places(file, work.storage.size_bytes(source), facts.duration_s, MOST_PLACES)
    places_s = choose_places(video.start_s, facts.duration_s, most)
    # %+#1: one packet from each place on; a seek goes back to the key frame before it
    intervals = ",".join(f"{place_s:.6f}%+#1" for place_s in places_s)
    argv = [work.settings.ffprobe_cmd, "-v", "quiet", "-select_streams", str(video.index)]
    argv += ["-read_intervals", intervals, "-print_format", "compact=nokey=0", "-show_entries"]
    argv += ["packet=pts_time,flags:frame=width,height,sample_aspect_ratio,pict_type"]
    try:
        argv += input_argv(file, work.settings)
        output = work.tools.run(argv, timeout_s=SURVEY_TIMEOUT_S, access=Access((file,))).decode("ascii", "replace")
    except (PermanentError, CommandStoppedError):
        output = ""
    is_complete = bool(output) and len(places_s) < most
    return facts.model_copy(update={"video": apply_survey(video, read_survey(output), is_complete=is_complete)})


def choose_places(start_s: float, duration_s: float | None, most: int = MOST_PLACES) -> tuple[float, ...]:
    """Choose where to look: evenly, at most once a second.

    Args:
        start_s: first frame on the source's clock.
        duration_s: of the source; None if unknown.
        most: places.
    """
    length_s = duration_s or 0.0
    count = max(1, min(most, int(length_s / NEAREST_PLACES_S)))
    return tuple(start_s + (place + 0.5) * length_s / count for place in range(count))


def read_survey(output: str) -> tuple[KeyPicture, ...]:
    """Read ffprobe's lines: a packet, then the frame that it shows, if any. Repeated packets count once.

    Args:
        output: in ffprobe's compact format.
    """
    found: dict[str, KeyPicture] = {}
    latest = ""
    for line in output.splitlines():
        section, *pairs = line.split("|")
        entry = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        if section == "packet":
            # whatever its flag says: a file whose index knows no key frames leads to any packet
            latest = entry.get("pts_time", "")
            found.setdefault(latest, KeyPicture(None))
        elif section == "frame" and latest in found and entry.get("width", "").isdigit():
            width_px = round(int(entry["width"]) * pixel_aspect(entry.get("sample_aspect_ratio")))
            found[latest] = KeyPicture((width_px, int(entry["height"])), is_intra=entry.get("pict_type") == "I")
    return tuple(found.values())


def apply_survey(video: VideoFacts, pictures: Sequence[KeyPicture], *, is_complete: bool) -> VideoFacts:
    """Decide from key frames what the picture's size is, whether it changes, and whether key frames can be trusted.

    Args:
        video: as the header says.
        pictures: what key frames show.
        is_complete: whether they lie so near to one another that no other size hides between them.
    """
    turned = video.turn_degrees % 180 != 0
    sizes = Counter(
        (one.size_px[1], one.size_px[0]) if turned else one.size_px for one in pictures if one.size_px is not None
    )
    header_px = (video.width_px, video.height_px)
    shown = sizes or Counter([header_px])
    # the largest; of equally large ones, as when a phone is turned, the one that is shown longest
    largest_px = max(shown, key=lambda size: (size[0] * size[1], shown[size], size == header_px))
    may_change = not is_complete and video.codec in LIVE_CODECS
    seen = len({*sizes, header_px})
    changes = may_change or seen > 1
    return video.model_copy(
        update={
            "width_px": largest_px[0] if changes else video.width_px,
            "height_px": largest_px[1] if changes else video.height_px,
            "sizes": seen,
            "changes_size": changes,
            "false_keys": any(one.size_px is None or not one.is_intra for one in pictures),
        }
    )
