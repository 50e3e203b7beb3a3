"""Synthetic speech of known text, and sounds without speech, made with ffmpeg."""

from collections.abc import Sequence
from pathlib import Path

import jiwer
from whisper_normalizer.english import EnglishTextNormalizer

from support.media import ffmpeg

RATE_HZ = 16_000
WER = 0.1
"""A small model's share of wrong words on synthetic speech; where words were lost it is far more."""
LECTURE = (
    "Good morning and welcome to this course.",
    "Today we look at the history of clocks.",
    "Sailors needed a clock that did not care about storms.",
    "A carpenter from a small village built one clock after another.",
    "The answer has less to do with science than with money.",
    "Railways brought the next great change.",
    "Every city had set its clocks by the sun.",
    "Please read the second chapter of the book before next week.",
    "Are there any questions before we take a short break?",
    "Thank you very much for listening.",
)
NO_SPEECH = {
    "silence": "anullsrc=r=16000:cl=mono",
    "white noise": "anoisesrc=c=white:a=0.1:r=16000:seed=1",
    "pink noise": "anoisesrc=c=pink:a=0.3:r=16000:seed=2",
    "tone": "sine=f=440:r=16000",
    "hum": "aevalsrc='0.2*sin(2*PI*50*t)+0.1*sin(2*PI*150*t)':s=16000",
    "music": (
        "aevalsrc='0.15*(sin(2*PI*t*220*pow(2,floor(mod(t*2,8))/12))+sin(2*PI*t*330*pow(2,floor(mod(t,5))/12))"
        "+0.6*sin(2*PI*110*t))*(0.4+0.6*exp(-4*mod(t,0.5)))':s=16000"
    ),
    "applause": (
        "anoisesrc=c=white:a=0.5:r=16000:seed=3,volume='0.15+0.85*pow(abs(sin(37*t)*sin(23.7*t+1)),6)':eval=frame"
    ),
}
"""ffmpeg sources without an end."""

_normalizer = EnglishTextNormalizer()


def normalize(text: str) -> str:
    """A text in the form that is compared: however numbers and spellings are written."""
    return str(_normalizer(text))


def speak(path: Path, text: str, voice: str = "slt") -> Path:
    """Write a text as speech, mono at 16 kHz."""
    words = path.with_suffix(".txt")
    words.write_text(text)
    ffmpeg("-f", "lavfi", "-i", f"flite=textfile={words}:voice={voice}", "-ar", RATE_HZ, path)
    return path


def join(
    path: Path,
    *pieces: Path | tuple[str, float],
    coding: Sequence[str] = ("-c:a", "libmp3lame", "-q:a", "2"),
    rate_hz: int = 44_100,
    volume_db: float = 0,
) -> Path:
    """Write sounds one after another: files, or (source, seconds).

    Args:
        path: of the result.
        pieces: what is joined.
        coding: how it is written.
        rate_hz: of the result.
        volume_db: that much louder.
    """
    inputs: list[object] = []
    labels = []
    for number, piece in enumerate(pieces):
        inputs += ["-f", "lavfi", "-t", piece[1], "-i", piece[0]] if isinstance(piece, tuple) else ["-i", piece]
        labels.append(f"[{number}:a]aformat=sample_fmts=fltp:sample_rates={RATE_HZ}:channel_layouts=mono[p{number}];")
    graph = "".join(labels) + "".join(f"[p{number}]" for number in range(len(pieces)))
    graph += f"concat=n={len(pieces)}:v=0:a=1,aresample={rate_hz},volume={volume_db}dB[out]"
    ffmpeg(*inputs, "-filter_complex", graph, "-map", "[out]", *coding, path)
    return path


def error_rate(said: str, heard: str) -> float:
    """Share of words that are wrong, missing or too many, however numbers and spellings are written."""
    return float(jiwer.wer(normalize(said), normalize(heard)))


def plain_words(text: str) -> list[str]:
    """Words as they compare."""
    return normalize(text).split()
