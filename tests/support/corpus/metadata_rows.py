"""What goes with picture and sound: subtitles, chapters, titles, data; and files that are no media."""

from pathlib import Path

from support.corpus.kit import AAC, MP3, OPUS, VP8, X264, Kit, Make, Row, coded, patched
from support.corpus.patches import Patch, renamed

FIRST_CUE, LAST_CUE = "Été à l'école", "À bientôt"
CUES = f"1\n00:00:01,000 --> 00:00:02,000\n{{}}\n\n2\n00:00:03,000 --> 00:00:04,500\n{LAST_CUE}\n"
LONG = "x" * 300
CHAPTERS = (
    ";FFMETADATA1\ntitle={}\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=3000\ntitle={}\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=3000\nEND=6000\ntitle=Fin\n"
)


def subtitled(codec: str, *options: object, patch: Patch | None = None) -> Make:
    """A video with subtitles."""

    def make(kit: Kit, target: Path) -> None:
        (kit.folder / "a.srt").write_text(CUES.format(FIRST_CUE), encoding="utf-8")
        coding = (*VP8, *OPUS) if target.suffix == ".webm" else (*X264, *AAC)
        whole = kit.part("whole.mkv", *coding)
        made = kit.folder / f"made{target.suffix}"
        kit.ffmpeg("-i", whole, "-i", "a.srt", "-map", "0", "-map", "1", "-c", "copy", "-c:s", codec, *options, made)
        target.write_bytes(patch(made.read_bytes()) if patch else made.read_bytes())

    return make


def in_latin1(data: bytes) -> bytes:
    """The accents take one byte, and blanks keep the length."""
    for text in (FIRST_CUE, LAST_CUE):
        coded_text = text.encode()
        data = data.replace(coded_text, text.encode("latin-1").ljust(len(coded_text)))
    return data


def noise_for_text(data: bytes) -> bytes:
    """Bytes that are text in no encoding."""
    noise = b"\x81\x8d\x90\x9d\xff\xfe\x81\x8d"
    return data.replace(FIRST_CUE[:3].encode(), noise[:5]).replace(LAST_CUE[2:].encode(), noise)


def with_chapters(title: str, chapter: str) -> Make:
    """A video with a title and chapters."""

    def make(kit: Kit, target: Path) -> None:
        (kit.folder / "chapters").write_text(CHAPTERS.format(title, chapter), encoding="utf-8")
        whole = kit.part("whole.mkv", *X264, *AAC)
        kit.ffmpeg(
            "-i", whole, "-i", "chapters", "-map", "0", "-map_metadata", "1", "-map_chapters", "1", "-c", "copy", target
        )

    return make


def with_attachment(kit: Kit, target: Path) -> None:
    """A font, as subtitles have it."""
    (kit.folder / "font.ttf").write_bytes(bytes(2000))
    whole = kit.part("whole.mkv", *X264, *AAC)
    kit.ffmpeg(
        "-i", whole, "-map", "0", "-c", "copy", "-attach", "font.ttf", "-metadata:s:t", "mimetype=font/ttf", target
    )


def styled_subtitles(kit: Kit, target: Path) -> None:
    """Subtitles with fonts and places."""
    whole = kit.part("whole.mkv", *X264, *AAC)
    (kit.folder / "a.srt").write_text(CUES.format("Bonjour"), encoding="utf-8")
    kit.ffmpeg("-i", whole, "-i", "a.srt", "-map", "0", "-map", "1", "-c", "copy", "-c:s", "ass", target)


def misnamed(kit: Kit, target: Path) -> None:
    """Matroska, whatever its name says."""
    kit.clip(kit.folder / "a.mkv", *X264, *AAC).replace(target)


def written(content: bytes) -> Make:
    """A file of these bytes."""
    return lambda _, target: target.write_bytes(content)


def only_subtitles(kit: Kit, target: Path) -> None:
    """Neither picture nor sound."""
    (kit.folder / "a.srt").write_text(CUES.format("Bonjour"), encoding="utf-8")
    kit.ffmpeg("-i", "a.srt", target)


ROWS: tuple[Row, ...] = (
    Row("subtitles.mkv", "metadata", "SubRip", subtitled("subrip", "-metadata:s:s:0", "language=fre")),
    Row("subtitles.mp4", "metadata", "3GPP text", subtitled("mov_text", "-metadata:s:s:0", "language=fre")),
    Row("subtitles.webm", "metadata", "WebVTT", subtitled("webvtt", "-metadata:s:s:0", "language=fre")),
    Row("subtitles-ass.mkv", "metadata", "ASS", styled_subtitles),
    Row("subtitles-latin1.mkv", "metadata", "subtitles not in UTF-8", subtitled("subrip", patch=in_latin1)),
    Row("subtitles-latin1.mp4", "metadata", "subtitles not in UTF-8", subtitled("mov_text", patch=in_latin1)),
    Row("subtitles-latin1.webm", "metadata", "subtitles not in UTF-8", subtitled("webvtt", patch=in_latin1)),
    Row("subtitles-latin1-ass.mkv", "metadata", "subtitles not in UTF-8", subtitled("ass", patch=in_latin1)),
    Row("subtitles-noise.mkv", "metadata", "subtitles that are no text", subtitled("subrip", patch=noise_for_text)),
    Row(
        "long-language.mkv",
        "metadata",
        "a language tag of 300 letters",
        subtitled("subrip", "-metadata:s:s:0", f"language={LONG}"),
    ),
    Row(
        "long-language.webm",
        "metadata",
        "a language tag of 300 letters",
        subtitled("webvtt", "-metadata:s:s:0", f"language={LONG}"),
    ),
    Row(
        "odd-language.mkv",
        "metadata",
        "a path for a language",
        subtitled("subrip", "-metadata:s:s:0", "language=../../etc/é"),
    ),
    coded(
        "long-sound-language.mkv",
        "a language tag of 300 letters",
        *X264,
        *AAC,
        "-metadata:s:a:0",
        f"language={LONG}",
        area="metadata",
    ),
    Row("chapters.mkv", "metadata", "chapters", with_chapters("Cours", "Début")),
    Row("chapters.mp4", "metadata", "chapters", with_chapters("Cours", "Début")),
    Row("long-chapters.mkv", "metadata", "titles of 200,000 letters", with_chapters("t" * 200_000, "c" * 200_000)),
    Row("long-chapters.mp4", "metadata", "titles of 60,000 letters", with_chapters("t" * 60_000, "c" * 60_000)),
    coded("title.mp3.mkv", "a title with line breaks", *X264, *MP3, "-metadata", "title=a\nb=c;d\\e", area="metadata"),
    Row("font.mkv", "metadata", "an attached font", with_attachment),
    coded("timecode.mov", "a time code track", *X264, *AAC, "-timecode", "01:00:00:00", area="metadata"),
    patched("unknown-brand.mp4", "an unknown brand", (*X264, *AAC), renamed(b"isom", b"zzzz"), area="metadata"),
    Row("wrong-name.mp4", "metadata", "Matroska that is called MP4", misnamed),
    Row("empty.mp4", "metadata", "no bytes", written(b"")),
    Row("text.mp4", "metadata", "text that is called MP4", written(b"This is not a video at all.\n" * 100)),
    Row("zeros.mp4", "metadata", "zeros", written(bytes(100_000))),
    Row("head-only.mp4", "metadata", "the first box of an MP4", written(b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41")),
    Row("only-subtitles.mkv", "metadata", "neither picture nor sound", only_subtitles),
    patched(
        "unknown-picture.mp4",
        "a picture of an unknown codec",
        (*X264, *AAC),
        renamed(b"avc1", b"zzz1", last=True),
        area="codecs",
        refusal="ffmpeg does not know",
    ),
)
