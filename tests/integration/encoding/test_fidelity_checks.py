"""The checks of fidelity find what they are there to find."""

from fractions import Fraction

import pytest

from support.fidelity.checks import check_file, shown_of
from support.fidelity.marks import bar_code, chirps
from support.media import ffmpeg

RATE = Fraction(25)
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-fps_mode", "passthrough")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "source.mkv"
    picture = f"testsrc2=s=320x180:r={RATE}:d=6,{bar_code()}"
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", chirps(RATE, 6.2), *X264, "-c:a", "flac", path)
    return path


@pytest.mark.parametrize(
    ("picture", "sound", "fault"),
    [
        ("null", "anull", ""),
        ("select='not(eq(n,60))'", "anull", "149 frames for 150; they differ from number 60 on."),
        ("select='not(eq(n,0))'", "anull", "149 frames for 150; they differ from number 0 on."),
        ("select='not(eq(n,149))'", "anull", "149 frames for 150; they differ from number 149 on."),
        ("loop=loop=1:size=1:start=60,setpts=N/25/TB", "anull", "151 frames for 150; they differ from number 60 on."),
        ("shuffleframes=0 2 1 3 4", "anull", "150 frames for 150; they differ from number 1 on."),
        ("setpts='PTS+if(eq(N,60),0.02/TB,0)'", "anull", "a frame is shown 20.0 ms beside its time."),
        ("setpts='PTS+if(gte(N,60),0.02/TB,0)'", "anull", "sound and picture are 20.0 ms further apart"),
        ("null", "adelay=15:all=1", "sound and picture are 15.0 ms further apart than in the source."),
        ("null", "volume=0:enable='between(t,2.8,3.0)'", "1 of 7 chirps are missing, the first at frame 72."),
    ],
    ids=[
        "nothing", "frame lost", "first frame lost", "last frame lost", "frame doubled", "frames swapped",
        "frame late", "rest late", "sound late", "sound missing",
    ],
)  # fmt: skip
def test_check_file_finds_the_fault(source, tmp_path, picture, sound, fault):
    made = tmp_path / "made.mkv"
    ffmpeg("-i", source, "-vf", f"settb=1/90000,{picture}", "-af", sound, *X264, "-enc_time_base", "1/90000",
           "-c:a", "flac", made)  # fmt: skip
    faults = check_file(made, shown_of(source))
    assert bool(faults) == bool(fault), faults
    assert any(fault in sentence for sentence in faults) or not fault, faults
