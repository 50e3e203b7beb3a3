"""Speech for tests: spoken by flite, which is clear enough for the smallest of Whisper's models."""

import subprocess

import jiwer

from support.media import ffmpeg

TEXT = (
    "Good morning everybody, and welcome to the second lecture on the history of computing.",
    "Today we will talk about the machines, and about the people who built them.",
    "The first question is easy to ask. What is a computer?",
    "Please keep in mind that memory was the hardest problem of all.",
    "Engineers in Manchester and Cambridge made it real.",
)

NORMAL = jiwer.Compose(
    [jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.RemoveMultipleSpaces(), jiwer.Strip(),
     jiwer.ReduceToListOfListOfWords()]
)  # fmt: skip


def speak(path, sentences=TEXT, pause_s=1.0):
    """An MP3 as the encoding function makes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pieces = []
    for number, sentence in enumerate(sentences):
        wav = path.with_name(f"{path.stem}-{number}.wav")
        subprocess.run(["flite", "-voice", "slt", "-t", sentence, "-o", str(wav)], check=True)
        pieces.append(wav)
    inputs = [word for wav in pieces for word in ("-i", wav)]
    padded = "".join(f"[{n}]apad=pad_dur={pause_s}[p{n}];" for n in range(len(pieces)))
    joined = "".join(f"[p{n}]" for n in range(len(pieces)))
    ffmpeg(
        *inputs, "-filter_complex", f"{padded}{joined}concat=n={len(pieces)}:v=0:a=1", "-ar", 48_000,
        "-c:a", "libmp3lame", "-q:a", 2, path,
    )  # fmt: skip
    for wav in pieces:
        wav.unlink()
    return path


def word_errors(expected, heard):
    return jiwer.wer(expected, heard, reference_transform=NORMAL, hypothesis_transform=NORMAL)
