"""The settings that say where Pod's media are, for commands that name files."""

from pydantic import Field

from podjobs.settings import AbsolutePath, PodSettings


class MediaRootSettings(PodSettings):
    """Where the media are: as the adapter and the functions have it."""

    media_root: AbsolutePath = Field(description="Pod's MEDIA_ROOT, absolute, as the Pod server sees it.")
    media_url: str = Field(default="", description="Where they are on this machine, `file:///…`; or `s3://…`.")
