"""Media files written byte by byte, in codecs for which ffmpeg has no encoder."""

import struct
import zlib
from collections.abc import Callable, Sequence

WIDTH_PX, HEIGHT_PX = 160, 120
BITMAP_RLE8 = struct.pack("<I", 1)
"""BI_RLE8, the name of Microsoft's RLE in AVI."""
PALETTE = b"".join(struct.pack("BBBB", value, 255 - value, value, 0) for value in range(256))
"""Blue, green, red: entry n is (n, 255 - n, n)."""


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def write_avi(codec: bytes, bits: int, frames: Sequence[bytes], rate: int = 10, second: bytes = b"") -> bytes:
    """An AVI of one video stream, or of two.

    Args:
        codec: four characters.
        bits: per pixel; 8: with PALETTE.
        frames: coded; the first is a key frame.
        rate: frames per second.
        second: four characters: the codec of a second stream, of a single packet of nothing.
    """
    palette = PALETTE if bits == 8 else b""
    size = (WIDTH_PX, HEIGHT_PX)
    names = (codec, second) if second else (codec,)
    main = struct.pack("<14I", 1_000_000 // rate, 0, 0, 0x10, len(frames), 0, len(names), 1 << 16, *size, 0, 0, 0, 0)
    numbers = (0, 0, 0, 0, 1, rate, 0, len(frames), 1 << 16, 0xFFFFFFFF, 0, 0, 0, *size)
    lines = b""
    for name in names:
        stream = struct.pack("<4s4sIHHIIIIIIIIhhhh", b"vids", name, *numbers)
        bitmap = struct.pack("<IiiHH4sIiiII", 40, *size, 1, bits, name, 0, 0, 0, 256 if palette else 0, 0) + palette
        lines += _chunk(b"LIST", b"strl" + _chunk(b"strh", stream) + _chunk(b"strf", bitmap))
    index, offset = b"", 4
    for number, frame in enumerate(frames):
        index += struct.pack("<4sIII", b"00dc", 0 if number else 0x10, offset, len(frame))
        offset += 8 + len(frame) + len(frame) % 2
    body = b"AVI " + _chunk(b"LIST", b"hdrl" + _chunk(b"avih", main) + lines)
    body += _chunk(b"LIST", b"movi" + b"".join(_chunk(b"00dc", frame) for frame in frames)) + _chunk(b"idx1", index)
    return _chunk(b"RIFF", body)


def rle(number: int, left: bytes, right: bytes) -> bytes:
    """A picture in Microsoft's RLE: a bar of one colour that grows, and another colour beside it.

    Args:
        number: of the frame.
        left: a pixel of the bar.
        right: a pixel of the rest.
    """
    width = 1 + number % (WIDTH_PX - 8)
    line = bytes([width]) + left + bytes([WIDTH_PX - width]) + right + b"\0\0"
    return line * HEIGHT_PX + b"\0\1"


def tscc(number: int) -> bytes:
    """TechSmith's codec (Camtasia): RLE in zlib; 24 bits."""
    return zlib.compress(rle(number, bytes((10, 200, 4 * number % 256)), bytes((200, 20, 20))))


def tscc_8_bits(number: int) -> bytes:
    """The same with a palette."""
    return zlib.compress(msrle(number))


def msrle(number: int) -> bytes:
    """Microsoft's RLE with 8 bits."""
    return rle(number, bytes([7]), bytes([200]))


def cscd(number: int) -> bytes:
    """CamStudio's codec: a key frame, by zlib."""
    return bytes([0x03, 0x10]) + zlib.compress(bytes([5 * number % 256, 100, 50]) * WIDTH_PX * HEIGHT_PX)


LECTURES: dict[str, tuple[bytes, int, Callable[[int], bytes]]] = {
    "tscc": (b"tscc", 24, tscc),
    "tscc-8": (b"tscc", 8, tscc_8_bits),
    "msrle": (BITMAP_RLE8, 8, msrle),
    "cscd": (b"CSCD", 24, cscd),
}
"""How each codec is written: its name in AVI, bits per pixel, and a frame by its number."""

RED, GREEN, BLUE, NOTHING = range(4)


def write_gif(frames: Sequence[tuple[int, int]]) -> bytes:
    """A GIF animation of 64x48 pixels.

    Args:
        frames: colour (RED … NOTHING, which is transparent) and delay in hundredths of seconds.
    """
    palette = bytes((255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0))
    out = b"GIF89a" + struct.pack("<HHBBB", 64, 48, 0x91, 0, 0) + palette
    for colour, delay in frames:
        # disposal 2: the next picture is drawn on nothing
        out += b"\x21\xf9\x04" + struct.pack("<BHBB", 1 | 2 << 2, delay, NOTHING, 0)
        out += b"\x2c" + struct.pack("<HHHHB", 0, 0, 64, 48, 0) + b"\x02"
        # a clear code (4) before every second pixel keeps all codes three bits long; 5 is the end
        codes = [code for _ in range(64 * 48 // 2) for code in (4, colour, colour)] + [5]
        bits = sum(code << 3 * place for place, code in enumerate(codes))
        packed = bits.to_bytes(-(-3 * len(codes) // 8), "little")
        blocks = [packed[start : start + 255] for start in range(0, len(packed), 255)]
        out += b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
    return out + b"\x3b"
