"""Whisper and Silero VAD, through faster-whisper. Implements the `SpeechModel` port.

A model is loaded once per process and kept; several steps share it.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ctranslate2
import faster_whisper
import numpy as np
from faster_whisper.vad import get_vad_model

from podjobs.backends.listening_model import ListeningModel, Spoken
from podjobs.backends.voice_detector import Samples, detect_voice
from podjobs.backends.whisper_folder import find_folder, model_folder
from podjobs.contract.confidence import Confidence
from podjobs.contract.errors import NotNowError, PermanentError, RetryableError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.ports.speech import SOUND_HZ, ModelLocation, WindowTranscript, Word

FULL_SCALE = 32_768.0
HOP_SAMPLES = 160
"""The hop of Whisper's spectrogram: windows begin on a multiple of it, so that word times are exact."""
CPU_COMPUTE_TYPE, CUDA_COMPUTE_TYPE = "int8", "float16"
CPU_BATCH, CUDA_BATCH = 2, 16
CUDA_SLOTS = 2
"""One step uses the GPU while the other prepares its sound."""
NO_MEMORY_RETRY_S = 30.0
TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Tried in this order as long as the model is unsure. Source: Whisper's defaults."""
PROMPT_CHARS = 400
"""Of the previous text: some 100 of the 448 tokens, which it shares with the text to come."""
LEAST_PROMPT_CHARS = 120
"""However many hotwords take the rest: a sentence."""


def choose_device(wanted: str) -> str:
    """Choose where models run.

    Args:
        wanted: `cpu`, `cuda`, or `auto` for a GPU if there is one.
    """
    if wanted != "auto":
        return wanted
    return "cuda" if ctranslate2.get_cuda_device_count() else "cpu"


@dataclass(frozen=True)
class WhisperOptions:
    """How models run."""

    device: str
    """`cpu` or `cuda`."""
    compute_type: str = "auto"
    slots: int = 1
    """Steps that use a model in parallel."""
    threads: int = 1
    """Per step, on CPUs."""
    beam: int = 5
    batch: int = 0
    """Windows transcribed at once; 0: chosen for the device."""
    kept: int = 2
    """Models kept in memory."""

    @property
    def batch_size(self) -> int:
        """Windows transcribed at once."""
        return self.batch or (CUDA_BATCH if self.device == "cuda" else CPU_BATCH)


class WhisperModels:
    """Loads models and keeps them; implements the `SpeechModel` port."""

    def __init__(self, options: WhisperOptions) -> None:
        """Store the options; models are loaded later."""
        self._options = options
        self._loaded: OrderedDict[ModelLocation, Any] = OrderedDict()
        self._loading = threading.Lock()

    def speech_probabilities(self, sound: bytes) -> Sequence[float]:
        """The probability of speech in every frame; see the port."""
        return [float(probability) for probability in detect_voice(_samples_of(sound), get_vad_model())]

    def is_here(self, location: ModelLocation) -> bool:
        """Whether a model is on this machine; see the port."""
        return find_folder(location) is not None

    def is_multilingual(self, location: ModelLocation) -> bool:
        """Whether a model knows languages other than English; see the port."""
        return bool(self._model(location).model.is_multilingual)

    def detect_language(self, location: ModelLocation, sound: bytes) -> dict[str, float]:
        """The probabilities of languages; see the port."""
        model = self._model(location)
        with _model_errors(location):
            _, _, probabilities = model.detect_language(_samples_of(sound))
        return dict(probabilities)

    def transcribe(  # noqa: PLR0913 - what windows are transcribed with, by name
        self,
        location: ModelLocation,
        windows: Sequence[bytes],
        language: str,
        *,
        thorough: bool,
        translate: bool = False,
        hotwords: str = "",
    ) -> tuple[WindowTranscript, ...]:
        """Transcribe windows; see the port."""
        model = self._model(location)
        sounds = [_padded_to_hop(_samples_of(window)) for window in windows]
        wanted = {
            "language": language,
            "task": "translate" if translate else "transcribe",
            "hotwords": hotwords or None,
        }
        with _model_errors(location):
            if thorough:
                return tuple(self._transcribe_thoroughly(model, sound, wanted) for sound in sounds)
            return self._transcribe_in_batches(model, sounds, wanted)

    def _transcribe_in_batches(
        self, model: Any, sounds: Sequence[Samples], wanted: Mapping[str, Any]
    ) -> tuple[WindowTranscript, ...]:
        """Transcribe one batch after another, each prompted with the text of the previous one."""
        size = self._options.batch_size
        transcripts: list[WindowTranscript] = []
        for first in range(0, len(sounds), size):
            room_chars = max(LEAST_PROMPT_CHARS, PROMPT_CHARS - len(wanted["hotwords"] or ""))
            prompt = make_prompt(transcripts[-size:], room_chars)
            transcripts += self._transcribe_batch(model, sounds[first : first + size], wanted, prompt)
        return tuple(transcripts)

    def _transcribe_batch(
        self, model: Any, sounds: Sequence[Samples], wanted: Mapping[str, Any], prompt: str
    ) -> list[WindowTranscript]:
        ends = np.cumsum([sound.size for sound in sounds])
        clips = [
            {"start": (end - sound.size) / SOUND_HZ, "end": end / SOUND_HZ}
            for sound, end in zip(sounds, ends, strict=True)
        ]
        # a pipeline keeps the time of the last word: each call gets its own
        pipeline = faster_whisper.BatchedInferencePipeline(model)
        segments, _ = pipeline.transcribe(
            np.concatenate(sounds),
            **wanted,
            beam_size=self._options.beam,
            batch_size=len(sounds),
            clip_timestamps=clips,
            initial_prompt=prompt or None,
            word_timestamps=True,
        )
        found: list[list[Any]] = [[] for _ in sounds]
        with model.noting() as spoken:
            for segment in segments:
                # a hop later: the library rounds a clip's beginning down, and computes 36.3 × 100 as 3,629.999
                found[int(np.searchsorted(ends, (segment.seek + 1) * HOP_SAMPLES, side="right"))].append(segment)
        languages = spoken or [("", 0.0)] * len(sounds)
        return [
            _transcript_of(segments, clip["start"], language)
            for segments, clip, language in zip(found, clips, languages, strict=True)
        ]

    def _transcribe_thoroughly(self, model: Any, sound: Samples, wanted: Mapping[str, Any]) -> WindowTranscript:
        segments, _ = model.transcribe(
            sound,
            **wanted,
            beam_size=self._options.beam,
            temperature=TEMPERATURES,
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        with model.noting() as spoken:
            return _transcript_of(list(segments), 0.0, *spoken[:1])

    def _model(self, location: ModelLocation) -> Any:
        """A location's model, loaded when first needed; the least recently used one is dropped for it."""
        with self._loading:
            if location not in self._loaded:
                while len(self._loaded) >= self._options.kept:
                    self._loaded.popitem(last=False)
                self._loaded[location] = self._load(location)
            self._loaded.move_to_end(location)
            return self._loaded[location]

    def _load(self, location: ModelLocation) -> Any:
        options = self._options
        compute_type = options.compute_type
        if compute_type == "auto":
            compute_type = CUDA_COMPUTE_TYPE if options.device == "cuda" else CPU_COMPUTE_TYPE
        folder = model_folder(location)
        try:
            return ListeningModel(
                str(folder),
                device=options.device,
                compute_type=compute_type,
                cpu_threads=options.threads,
                num_workers=options.slots,
            )
        except (RuntimeError, ValueError, OSError) as error:
            _raise_if_out_of_memory(error)
            raise PermanentError(
                f"The model {location.model!r} named in TRANSCRIPTION_MODEL_PARAM cannot be loaded: {_sentence(error)} "
                f"If its files are damaged, replace them in {str(folder)!r}; if the device or the compute type is not "
                "supported, correct PODJOBS_WHISPER_DEVICE or PODJOBS_WHISPER_COMPUTE_TYPE.",
                kind=FailureKind.NO_MODEL,
            ) from error
        except Exception as error:
            # the tokenizer's parser raises plain exceptions
            if type(error) is not Exception:
                raise
            raise PermanentError(
                f"The file 'tokenizer.json' of the model {location.model!r} is damaged: {_sentence(error)} "
                f"Replace it in {str(folder)!r}.",
                kind=FailureKind.NO_MODEL,
            ) from error


def make_prompt(transcripts: Sequence[WindowTranscript], limit_chars: int = PROMPT_CHARS) -> str:
    """Take the end of the previous text as a prompt, so that the model keeps to its words. Pure.

    Args:
        transcripts: of the previous windows. Unsure ones are left out: repetitions would continue.
        limit_chars: hotwords take their share of the room, too.
    """
    sure = [transcript for transcript in transcripts if not transcript.confidence.is_unsure()]
    text = "".join(word.text for transcript in sure for word in transcript.words).strip()
    end = text[-limit_chars:]
    return end if end == text else end.partition(" ")[2] or end


def _samples_of(sound: bytes) -> Samples:
    return np.frombuffer(sound, dtype="<i2").astype(np.float32) / np.float32(FULL_SCALE)


def _padded_to_hop(samples: Samples) -> Samples:
    return np.pad(samples, (0, -samples.size % HOP_SAMPLES))


def _transcript_of(segments: Sequence[Any], begin_s: float, spoken: Spoken = ("", 0.0)) -> WindowTranscript:
    """Gather the words of one window, with times from the window's beginning."""
    language, probability = spoken
    if not segments:
        return WindowTranscript((), spoken=language, spoken_probability=probability)
    words = tuple(_word_of(word, begin_s) for segment in segments for word in segment.words or ())
    confidence = Confidence(
        no_speech_probability=max(float(segment.no_speech_prob) for segment in segments),
        average_log_probability=sum(float(segment.avg_logprob) for segment in segments) / len(segments),
        compression_ratio=max(float(segment.compression_ratio) for segment in segments),
    )
    return WindowTranscript(words, confidence, language, probability)


def _word_of(word: Any, begin_s: float) -> Word:
    start_s, end_s = (max(0.0, time_s - begin_s) for time_s in (word.start, word.end))
    return Word(word.word, start_s, end_s, min(1.0, max(0.0, float(word.probability))))


@contextmanager
def _model_errors(location: ModelLocation) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        _raise_if_out_of_memory(error)
        raise RetryableError(f"The model {location.model!r} failed: {_sentence(error)}") from error


def _raise_if_out_of_memory(error: Exception) -> None:
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower() or "bad_alloc" in str(error):
        raise NotNowError(
            "There is not enough memory for the speech model at the moment. The step is retried automatically; if that "
            "does not help, lower PODJOBS_TRANSCRIPTION_SLOTS or PODJOBS_WHISPER_BATCH, or use a smaller model.",
            retry_after_s=NO_MEMORY_RETRY_S,
        ) from error


def _sentence(error: Exception) -> str:
    return f"{' '.join(str(error).split()).rstrip('.')}."
