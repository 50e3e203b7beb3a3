"""The workspace of an encoding step."""

from podjobs.encoding.settings import EncodingSettings
from podjobs.media.workspace import MediaWorkspace

Workspace = MediaWorkspace[EncodingSettings]
"""Its job's work folder, the tools, the settings and its time limit."""
