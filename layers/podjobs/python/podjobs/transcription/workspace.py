"""The workspace of a transcription step."""

from podjobs.media.workspace import MediaWorkspace
from podjobs.transcription.settings import TranscriptionSettings

Workspace = MediaWorkspace[TranscriptionSettings]
"""Its job's work folder, the tools, the settings and its time limit."""
