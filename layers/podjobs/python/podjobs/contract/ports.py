"""The ports: what the subjects need from the outside world. The backends implement them."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from podjobs.contract.commands import UNLIMITED, Access, CommandLimits, MediaInput
from podjobs.contract.confidence import SURE, Confidence
from podjobs.contract.media_paths import Key


@dataclass(frozen=True)
class JobWork:
    """A job's work folder, as somebody finds it who does not know the job."""

    job_id: str
    about: str
    """As given to `start_work`."""
    changed_at: float
    """When a step last began to write there, seconds since the epoch."""


class Storage(Protocol):
    """The media files, by keys."""

    def pod_path(self, key: Key) -> str:
        """Map a key to the absolute path as Pod sees it."""

    def input_of(self, key: Key) -> MediaInput:
        """Name a readable file for ffmpeg, which reads it at any position.

        Raises MissingFileError while the file does not exist (shared folders show new files late),
        InvalidRequestError if it leads out of the media root or is not a regular file.
        """

    def open(self, key: Key) -> BinaryIO:
        """Open a file for reading from its start. Raises like `input_of`.

        The returned file is only read forward: it need not be seekable. Whether there is one is not answered from a
        cache.
        """

    def exists(self, key: Key) -> bool:
        """Whether there is a file at the key. Raises OperatorNeededError while the media root itself does not exist."""

    def size_bytes(self, key: Key) -> int:
        """Size of a file in bytes. Raises like `input_of`."""

    def version(self, key: Key) -> str | None:
        """What tells a file's present content from any other; None: there is no file.

        Raises like `exists`.
        """

    def list_files(self, folder: Key) -> tuple[Key, ...]:
        """List the files directly in a folder, in order; none if there is no such folder."""

    def start_work(self, job_id: str, about: str = "") -> None:
        """Open the job's work folder: from now on steps can write into it.

        Only a job's first step does this, so that a late step cannot revive it. A marker says that it is open; folders
        need not exist.

        Args:
            job_id: the job's id.
            about: what the job does and with what, for whoever finds the folder.
        """

    def work_key(self, job_id: str, name: str) -> Key:
        """The key of a file in the job's work folder."""

    def has_work(self, job_id: str) -> bool:
        """Whether the job's work folder is open."""

    def list_work(self) -> Sequence[JobWork]:
        """List the work folders of all jobs, also of those that have ended and left something."""

    def remove_work(self, job_id: str) -> None:
        """Close the job's work folder and remove everything in it; does nothing if it is already gone.

        However late a step is, nothing that it writes remains. Source: backends/work_folder.py, which explains why.
        """

    def writing(self, folder: Key) -> AbstractContextManager[Path]:
        """Provide an empty local folder; on a clean exit its files appear in `folder`, each one atomically.

        If the step fails or is killed, none of them does. If the job's work folder is removed, before or after, none of
        them remains.

        Raises RetryableError if the job's work folder is gone, OperatorNeededError if the disk is full: also in place
        of a CommandError raised within, if the command says so and it is true.
        """

    def write(self, key: Key, content: bytes) -> None:
        """Write a small file that everybody may read, atomically; creates its folder if it is missing."""

    def replace(self, key: Key, content: bytes, version: str | None) -> None:
        """Write like `write`, unless the file has changed.

        Args:
            key: of the file.
            content: the new one.
            version: of the present one, as it was when it was looked at; None: there was no file.

        Raises FileChangedError if it has another version now.
        """

    def move(self, source: Key, target: Key) -> None:
        """Move a file atomically, replacing an existing one; creates its folder if it is missing.

        Of a file that is deleted meanwhile, nothing appears.

        Raises MissingFileError if the file does not exist.
        """

    def delete(self, key: Key, version: str | None = None) -> None:
        """Delete a file; does nothing if it is already gone.

        Args:
            key: of the file.
            version: the file is left if it has another one now; None: it is deleted in any case.
        """

    def remove_folder(self, folder: Key) -> None:
        """Remove a folder with what killed writers left in it, unless it contains anything else."""

    def remove_unfinished(self, unchanged_s: float, *, dry_run: bool = False) -> int:
        """Remove what writers that were broken off have left and no reader sees.

        Args:
            unchanged_s: only what was begun at least so long ago, in seconds.
            dry_run: remove nothing, only count.

        Returns:
            How many there were; where a backend removes them elsewhere, 0.
        """

    def find_obstacle(self) -> str:
        """Find out whether files can be written that Pod can read and delete.

        Returns a sentence for the operator, with the remedy; empty: nothing is wrong.
        """


class Tools(Protocol):
    """ffmpeg and ffprobe."""

    def run(  # noqa: PLR0913 - all but two are optional
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        access: Access,
        feed: Iterable[BinaryIO] = (),
        on_progress: Callable[[dict[str, str]], None] | None = None,
        limit_bytes: int | None = None,
        limits: CommandLimits = UNLIMITED,
        watch: Callable[[], None] | None = None,
    ) -> bytes:
        """Run a command to its end and return what it wrote to stdout, unchanged.

        Args:
            argv: the command and its arguments; no shell is involved.
            timeout_s: seconds after which the command and its children are killed.
            access: the files that it reads and the folder that it writes to.
            feed: files whose contents, one after another, become the command's standard input. Each is taken from the
                iterable, and so opened, when the command has read the one before it; they are only read forward, and
                closed in any case, as is the iterable if it is a generator.
            on_progress: called with each block of ffmpeg's `-progress pipe:1` output, of which nothing is returned. If
                it raises an error, the command is killed and the error passed on.
            limit_bytes: the most it may write to stdout; None: no limit.
            limits: of its processor time and its files.
            watch: called every few seconds while it runs. If it raises a StepError, the command is killed and the error
                passed on.

        Raises:
            CommandError: it ended with an error (permanent); its subclass LimitExceededError: it went beyond its
                limits. If the disk was full, only the storage that the command wrote to can tell.
            OutputTooLongError: it wrote more to stdout (permanent).
            RetryableError: it was killed from outside, or ran out of time; or a file to feed could not be read, for
                which it was killed.
            StepError: of taking a file from `feed`.
        """


@dataclass(frozen=True)
class LrsAnswer:
    """The learning record store's response to a request; it holds for the request as a whole."""

    status: int
    """HTTP status: 200 or 204, 409, or one that says that a statement is invalid."""
    reason: str = ""
    """As worded by the LRS."""

    @property
    def is_accepted(self) -> bool:
        """Whether the LRS has all of the statements."""
        return self.status in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}

    @property
    def is_conflict(self) -> bool:
        """Whether the LRS already has a statement with one of these ids."""
        return self.status == HTTPStatus.CONFLICT


class Lrs(Protocol):
    """The learning record store."""

    def post(self, statements: Sequence[dict[str, Any]]) -> LrsAnswer:
        """Post statements, all in one request; safe to repeat.

        Raises:
            NotNowError: nothing is wrong with them; its subclass OperatorNeededError: an operator must act first.
            RetryableError: it failed this time, perhaps because of one of them.
        """


SOUND_HZ = 16_000
SOUND_BYTES_PER_S = 2 * SOUND_HZ
"""Sound is passed to models as bytes: mono, 16 kHz, 16 bits per sample, little-endian."""
VAD_FRAME_S = 512 / SOUND_HZ
"""Length of sound for which the voice activity detector returns one probability. Source: Silero VAD."""
WINDOW_S = 30.0
"""Longest sound that a model transcribes at once. Source: Whisper."""


@dataclass(frozen=True)
class ModelLocation:
    """Where a speech model can be found."""

    model: str
    """One of Whisper's names, or a folder that holds a CTranslate2 model."""
    download_root: str = ""
    """Folder for models given by name; empty: Hugging Face's default."""


@dataclass(frozen=True)
class Word:
    """A transcribed word, with its time."""

    text: str
    """With the space before it, as Whisper writes it; punctuation belongs to its word. A word without a space before it
    continues the previous one («l'» «homme», Chinese)."""
    start_s: float
    """From the beginning of the sound that it was transcribed from."""
    end_s: float
    probability: float = 1.0


@dataclass(frozen=True)
class WindowTranscript:
    """What a model transcribed from one window."""

    words: tuple[Word, ...]
    confidence: Confidence = SURE


class SpeechModel(Protocol):
    """Detects speech and transcribes it. Kept warm: a model is loaded once per process.

    All methods but `speech_probabilities` raise PermanentError when the model cannot be used (no such model, files
    missing or damaged), RetryableError when it could not be loaded this time, NotNowError when memory is short.
    """

    def speech_probabilities(self, sound: bytes) -> Sequence[float]:
        """The probability of speech, between 0 and 1, in every `VAD_FRAME_S` of a sound."""

    def is_here(self, location: ModelLocation) -> bool:
        """Whether a model is on this machine; False: it must be downloaded. Raises only PermanentError."""

    def is_multilingual(self, location: ModelLocation) -> bool:
        """Whether a model knows languages other than English."""

    def detect_language(self, location: ModelLocation, sound: bytes) -> dict[str, float]:
        """The probabilities of languages, by ISO 639-1 code, judged by the first `WINDOW_S` of a sound."""

    def transcribe(
        self, location: ModelLocation, windows: Sequence[bytes], language: str, *, thorough: bool
    ) -> tuple[WindowTranscript, ...]:
        """Transcribe windows of speech.

        Args:
            location: the model.
            windows: sounds of at most `WINDOW_S` each, in order: the text of one is context for the next.
            language: ISO 639-1 code that the model knows.
            thorough: take more time: one window after another, and again with other parameters if the model is unsure.

        Returns:
            One transcript per window.
        """


class PodAnswer(Enum):
    """Pod's response to a callback."""

    ACCEPTED = "accepted"
    NOT_IN_PROGRESS = "not in progress"
    """Pod waits for no result: it was sent before and the response was lost, or Pod has imported another one."""
    UNKNOWN_VIDEO = "unknown video"
    """The video was deleted meanwhile."""


@dataclass(frozen=True)
class VideoState:
    """Pod's state of a video."""

    in_progress: bool
    step: str
    """Pod's words, `<number> : <description>`."""
    encoded: bool = False
    """Whether Pod has anything to play."""
    duration_s: int = 0
    """As imported with the last encode; whole seconds."""
    slug: str = ""
    """Pod's name of the video in URLs."""
    file_url: str = ""
    """Where Pod serves the uploaded file: its path ends as the file's path does; empty: there is none."""


class PodApi(Protocol):
    """Pod's REST interface."""

    def post_encoded(self, video_id: int, body: dict[str, Any]) -> PodAnswer:
        """Notify Pod that a video is encoded.

        Raises RetryableError (with `ambiguous` in its context if Pod may have acted on it, with `pod_status` if it
        answered by a server error), NotNowError if an operator must act, PermanentError if a retry cannot help.
        """

    def post_transcribed(self, video_id: int, body: dict[str, Any]) -> PodAnswer:
        """Notify Pod that a video's captions can be imported, or why not. Raises like `post_encoded`."""

    def video_state(self, video_id: int) -> VideoState | None:
        """Get Pod's state of a video; None if it was certainly deleted: Pod itself says that there is none.

        Raises like `post_encoded`; OperatorNeededError if a «not found» does not come from Pod's REST interface.
        """

    def renditions(self) -> tuple[str, ...]:
        """List the resolutions of Pod's renditions, such as `640x360`. Raises like `post_encoded`."""

    def launch_encode(self, slug: str) -> None:
        """Ask Pod to encode a video again. Raises like `post_encoded`.

        Pod does nothing while the video is in progress, and begins a moment later otherwise.

        Args:
            slug: of the video, see VideoState.
        """


class Sight(Enum):
    """Whether a web server shows a file."""

    SHOWN = "shown"
    MISSING = "missing"
    """There is no such file, or not yet."""
    REFUSED = "refused"
    """It does not serve it to us, and time will not change that."""
    UNKNOWN = "unknown"
    """It cannot be reached, or has failed this time."""


@dataclass(frozen=True)
class SeenFile:
    """What Pod's web server shows of a file."""

    sight: Sight
    reason: str = ""
    """Why it is not shown, as the end of a sentence about the web server, such as «the answer is 403»."""
    size_bytes: int | None = None
    """None: the server does not say."""
    content: bytes = b""
    """Empty if it was not read."""


class PodMedia(Protocol):
    """The media as Pod's web server shows them, from the folder that Pod itself reads."""

    def look(self, key: Key) -> SeenFile:
        """Look whether a file is shown, without reading it. Raises nothing."""

    def read(self, key: Key) -> SeenFile:
        """Read a small file. Raises nothing."""
