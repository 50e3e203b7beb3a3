"""Sources that are made to keep us busy, or hold what is not decoded: refused at once, with the reason."""

import struct
import time

import pytest

from podjobs.contract.errors import PermanentError
from support.media import ffmpeg

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "8")


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("rare.avi", ("-c:v", "magicyuv", "-pix_fmt", "gbrp"), "coded as 'magicyuv'"),
        ("fast.mp4", (*X264, "-r", "1000"), "claims 1000 frames per second"),
    ],
)
def test_source_that_is_not_decoded_is_refused_by_name(workbench, name, make, reason):
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25", "-t", 1, *make, workbench.folder / name)
    with pytest.raises(PermanentError, match=reason):
        workbench.encode(name)


def test_source_that_claims_an_impossible_picture_is_refused_in_seconds(workbench):
    """The header of an AVI says 100,000 × 100,000."""
    path = workbench.folder / "bomb.avi"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25", "-t", 1, "-c:v", "rawvideo", "-pix_fmt", "bgr24", path)
    data = path.read_bytes()
    size = data.index(b"strf") + 12
    assert struct.unpack("<ii", data[size : size + 8]) == (64, -64)
    path.write_bytes(data[:size] + struct.pack("<ii", 100_000, -100_000) + data[size + 8 :])
    started_s = time.monotonic()
    with pytest.raises(PermanentError, match="claims a size that no decoder accepts"):
        workbench.encode("bomb.avi")
    assert time.monotonic() - started_s < 10


def test_source_that_claims_a_huge_picture_is_refused_before_it_is_decoded(workbench):
    """Matroska's header says 100,000 × 100,000; there is no such picture."""
    path = workbench.folder / "bomb.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25", "-t", 1, "-c:v", "rawvideo", "-pix_fmt", "yuv420p", path)
    data = path.read_bytes()
    width, height = b"\xb0\x81\x40", b"\xba\x81\x40"  # PixelWidth and PixelHeight, one byte: 64
    assert data.count(width) == data.count(height) == 1
    # an element may be stored longer than it need be; Void elements after it give the room
    path.write_bytes(data.replace(width, b"\xb0\x81\xff").replace(height, b"\xba\x81\xff"))
    workbench.settings = workbench.settings.model_copy(update={"podjobs_max_pixels": 250 * 250})
    workbench.__post_init__()
    with pytest.raises(PermanentError, match="255 × 255 pixels"):
        workbench.encode("bomb.mkv")


def test_source_with_very_many_streams_is_refused(workbench):
    inputs = [word for _ in range(70) for word in ("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono")]
    maps = [word for number in range(70) for word in ("-map", str(number))]
    ffmpeg(*inputs, *maps, "-t", 1, "-c:a", "pcm_s16le", workbench.folder / "many.mkv")
    with pytest.raises(PermanentError, match="has more than 64 streams"):
        workbench.encode("many.mkv")


def element(identifier, content):
    """An EBML element whose length is written in eight bytes."""
    return bytes.fromhex(identifier) + struct.pack(">Q", len(content) | 1 << 56) + content


def test_source_that_claims_thousands_of_streams_is_refused_in_seconds(workbench):
    """A Matroska header that names 5,000 sound tracks."""
    head = element("42F7", b"\1") + element("4282", b"matroska") + element("4287", b"\4") + element("4285", b"\2")
    tracks = b"".join(
        element("AE", element("D7", number.to_bytes(2)) + element("83", b"\2") + element("86", b"A_PCM/INT/LIT"))
        for number in range(1, 5001)
    )
    segment = element("1549A966", element("2AD7B1", b"\x0f\x42\x40")) + element("1654AE6B", tracks)
    segment += element("1F43B675", element("E7", b"\0") + element("A3", b"\x81\0\0\x80" + bytes(1600)))
    (workbench.folder / "many.mkv").write_bytes(element("1A45DFA3", head) + element("18538067", segment))
    started_s = time.monotonic()
    with pytest.raises(PermanentError, match="has more than 64 streams"):
        workbench.encode("many.mkv")
    assert time.monotonic() - started_s < 10
