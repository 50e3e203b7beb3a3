"""What Pod says about a video's encoding, and what that means for an import. Pure.

Source: Pod's encode.py. An encode goes through «0 : start», «1 : remove old data» and «2 : start encoding», in progress
all the time; then Pod waits. The import begins with «3 : store encoding info», and stays there if it fails. Once it is
done the video is no longer in progress, until a transcription begins, if one is wanted: «4», «5», and then, while it
runs, «0 : end of encoding».
"""

from podjobs.contract.ports.pod import VideoState

_IMPORT = "3"
_WAITS_FOR_THE_IMPORT = "2"
_TRANSCRIPTION = frozenset({"4", "5"})
_END = ("0", "end of encoding")


def is_imported(state: VideoState) -> bool:
    """Whether Pod waits for no encode; if a transcription follows, the video is in progress nevertheless."""
    number, _ = step = _step_of(state)
    return not state.in_progress or number in _TRANSCRIPTION or step == _END


def is_importing(state: VideoState) -> bool:
    """Whether an import has begun: it may be running, or have failed."""
    return state.in_progress and _step_of(state)[0] == _IMPORT


def waits_for_import(state: VideoState) -> bool:
    """Whether Pod waits for an encode, so that nothing was imported since that was requested."""
    return state.in_progress and _step_of(state)[0] == _WAITS_FOR_THE_IMPORT


def _step_of(state: VideoState) -> tuple[str, str]:
    number, _, words = state.step.partition(":")
    return number.strip(), words.strip()
