"""Where an encoding step works."""

from podjobs.encoding.settings import EncodingSettings
from podjobs.media.workspace import MediaWorkspace

Workspace = MediaWorkspace[EncodingSettings]
"""Its job's work folder, the tools, the settings and the time it has."""
