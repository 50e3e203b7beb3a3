"""Whisper and Silero VAD, by faster-whisper. Implements the `SpeechModel` port.

A model is loaded once in a process and kept; several steps use it at once.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ctranslate2
import faster_whisper
import numpy as np
import numpy.typing as npt
from faster_whisper.vad import get_vad_model

from podjobs.backends.whisper_folder import model_folder
from podjobs.contract.errors import NotNowError, PermanentError, RetryableError
from podjobs.contract.ports import SOUND_HZ, Heard, HeardWord, ModelPlace

Samples = npt.NDArray[np.float32]
"""(n_samples,), mono, 16 kHz, in [−1, 1]."""

FULL_SCALE = 32_768.0
LOOK_SAMPLES = 512
FRAME_SAMPLES = 160
"""Whisper's own time step: passages begin on it, so that the words' times are exact."""
CPU_COMPUTE_TYPE, CUDA_COMPUTE_TYPE = "int8", "float16"
CPU_BATCH, CUDA_BATCH = 2, 16
CUDA_SLOTS = 2
"""One step uses the GPU while the other prepares its sound."""
NO_MEMORY_RETRY_S = 30.0
TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""What is not understood is guessed more and more freely. Source: Whisper's own defaults."""
GO_ON_CHARS = 400
"""Of what was said before: some 100 tokens of 448, which it shares with what is said next."""
UNSURE_COMPRESSION_RATIO = 2.4
"""Text that is more alike than that goes round in circles. Source: Whisper's own defaults, as the next."""
UNSURE_LOG_PROBABILITY = -1.0


def choose_device(wanted: str) -> str:
    """Where models run.

    Args:
        wanted: `cpu`, `cuda`, or `auto` for a GPU where there is one.
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
    """Steps that use a model at once."""
    threads: int = 1
    """Of each of them, on processors."""
    beam: int = 5
    batch: int = 0
    """Passages heard at once; 0: what suits the device."""
    kept: int = 2
    """Models kept in memory."""

    @property
    def batch_size(self) -> int:
        """Passages heard at once."""
        return self.batch or (CUDA_BATCH if self.device == "cuda" else CPU_BATCH)


class WhisperModels:
    """Loads models and keeps them; implements the `SpeechModel` port."""

    def __init__(self, options: WhisperOptions) -> None:
        """Load nothing yet."""
        self._options = options
        self._loaded: OrderedDict[ModelPlace, Any] = OrderedDict()
        self._loading = threading.Lock()

    def find_speech(self, sound: bytes) -> Sequence[float]:
        """How likely somebody speaks, for every look; see the port."""
        samples = _samples_of(sound)
        if not samples.size:
            return ()
        padded = np.pad(samples, (0, -samples.size % LOOK_SAMPLES))
        return [float(probability) for probability in get_vad_model()(padded).flatten()]

    def is_multilingual(self, place: ModelPlace) -> bool:
        """Whether a model knows other languages than English; see the port."""
        return bool(self._model(place).model.is_multilingual)

    def tell_language(self, place: ModelPlace, sound: bytes) -> dict[str, float]:
        """Probabilities of languages; see the port."""
        model = self._model(place)
        with _model_errors(place):
            _, _, probabilities = model.detect_language(_samples_of(sound))
        return dict(probabilities)

    def listen(
        self, place: ModelPlace, passages: Sequence[bytes], language: str, *, thorough: bool
    ) -> tuple[Heard, ...]:
        """Write down passages; see the port."""
        model = self._model(place)
        sounds = [_on_frames(_samples_of(passage)) for passage in passages]
        with _model_errors(place):
            if thorough:
                return tuple(self._listen_thoroughly(model, sound, language) for sound in sounds)
            return self._listen_in_batches(model, sounds, language)

    def _listen_in_batches(self, model: Any, sounds: Sequence[Samples], language: str) -> tuple[Heard, ...]:
        """Listen to a few passages at once; the next few are heard knowing what was said in these."""
        heard: list[Heard] = []
        for first in range(0, len(sounds), self._options.batch_size):
            said = text_to_go_on_from(heard[-self._options.batch_size :])
            heard += self._listen_at_once(model, sounds[first : first + self._options.batch_size], language, said)
        return tuple(heard)

    def _listen_at_once(self, model: Any, sounds: Sequence[Samples], language: str, said: str) -> list[Heard]:
        ends = np.cumsum([sound.size for sound in sounds])
        clips = [
            {"start": (end - sound.size) / SOUND_HZ, "end": end / SOUND_HZ}
            for sound, end in zip(sounds, ends, strict=True)
        ]
        # a pipeline keeps the time of the last word: each call has its own
        pipeline = faster_whisper.BatchedInferencePipeline(model)
        segments, _ = pipeline.transcribe(
            np.concatenate(sounds),
            language=language,
            beam_size=self._options.beam,
            batch_size=len(sounds),
            clip_timestamps=clips,
            initial_prompt=said or None,
            word_timestamps=True,
        )
        heard: list[list[Any]] = [[] for _ in sounds]
        for segment in segments:
            # a frame later: the library rounds a clip's beginning down, and 36.3 × 100 is 3,629.999 to it
            heard[int(np.searchsorted(ends, (segment.seek + 1) * FRAME_SAMPLES, side="right"))].append(segment)
        return [_heard(found, clip["start"]) for found, clip in zip(heard, clips, strict=True)]

    def _listen_thoroughly(self, model: Any, sound: Samples, language: str) -> Heard:
        segments, _ = model.transcribe(
            sound,
            language=language,
            beam_size=self._options.beam,
            temperature=TEMPERATURES,
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        return _heard(list(segments), 0.0)

    def _model(self, place: ModelPlace) -> Any:
        """The model of a place, loaded when it is asked for first; the one that was not used longest makes room."""
        with self._loading:
            if place not in self._loaded:
                while len(self._loaded) >= self._options.kept:
                    self._loaded.popitem(last=False)
                self._loaded[place] = self._load(place)
            self._loaded.move_to_end(place)
            return self._loaded[place]

    def _load(self, place: ModelPlace) -> Any:
        options = self._options
        compute_type = options.compute_type
        if compute_type == "auto":
            compute_type = CUDA_COMPUTE_TYPE if options.device == "cuda" else CPU_COMPUTE_TYPE
        folder = model_folder(place)
        try:
            return faster_whisper.WhisperModel(
                str(folder),
                device=options.device,
                compute_type=compute_type,
                cpu_threads=options.threads,
                num_workers=options.slots,
            )
        except (RuntimeError, ValueError, OSError) as error:
            _refuse_for_want_of_memory(error)
            raise PermanentError(
                f"The model {place.model!r} that TRANSCRIPTION_MODEL_PARAM names cannot be loaded: {_sentence(error)} "
                f"If its files are damaged, put them in {str(folder)!r} again; if it is the device or the numbers it "
                "computes with, correct PODJOBS_WHISPER_DEVICE or PODJOBS_WHISPER_COMPUTE_TYPE."
            ) from error
        except Exception as error:
            # the tokenizer's parser raises plain exceptions
            if type(error) is not Exception:
                raise
            raise PermanentError(
                f"The file 'tokenizer.json' of the model {place.model!r} is damaged: {_sentence(error)} "
                f"Put it in {str(folder)!r} again."
            ) from error


def text_to_go_on_from(heard: Sequence[Heard]) -> str:
    """The end of what was said before, for the model to go on in the same words. Pure.

    Args:
        heard: the passages before. Those of which the model was not sure are left out: loops would go on.
    """
    sure = [passage for passage in heard if not is_unsure(passage)]
    text = "".join(word.text for passage in sure for word in passage.words).strip()
    end = text[-GO_ON_CHARS:]
    return end if end == text else end.partition(" ")[2] or end


def is_unsure(heard: Heard) -> bool:
    """Whether the model itself doubts what it wrote. Source: Whisper's own rule. Pure."""
    return heard.compression_ratio > UNSURE_COMPRESSION_RATIO or heard.average_log_probability < UNSURE_LOG_PROBABILITY


def _samples_of(sound: bytes) -> Samples:
    return np.frombuffer(sound, dtype="<i2").astype(np.float32) / np.float32(FULL_SCALE)


def _on_frames(samples: Samples) -> Samples:
    return np.pad(samples, (0, -samples.size % FRAME_SAMPLES))


def _heard(segments: Sequence[Any], begin_s: float) -> Heard:
    """Gather what was heard in one passage, its times from the passage's beginning."""
    if not segments:
        return Heard(())
    words = tuple(
        HeardWord(word.word, max(0.0, word.start - begin_s), max(0.0, word.end - begin_s), float(word.probability))
        for segment in segments
        for word in segment.words or ()
    )
    return Heard(
        words,
        no_speech_probability=max(float(segment.no_speech_prob) for segment in segments),
        average_log_probability=sum(float(segment.avg_logprob) for segment in segments) / len(segments),
        compression_ratio=max(float(segment.compression_ratio) for segment in segments),
    )


@contextmanager
def _model_errors(place: ModelPlace) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        _refuse_for_want_of_memory(error)
        raise RetryableError(f"The model {place.model!r} failed: {_sentence(error)}") from error


def _refuse_for_want_of_memory(error: Exception) -> None:
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower() or "bad_alloc" in str(error):
        raise NotNowError(
            "There is not enough memory for the speech model just now. The step is tried again by itself; if that does "
            "not help, lower PODJOBS_TRANSCRIPTION_SLOTS or PODJOBS_WHISPER_BATCH, or use a smaller model.",
            retry_after_s=NO_MEMORY_RETRY_S,
        ) from error


def _sentence(error: Exception) -> str:
    return f"{' '.join(str(error).split()).rstrip('.')}."
