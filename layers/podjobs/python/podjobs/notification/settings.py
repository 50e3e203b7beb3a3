"""The settings of the notification function."""

from urllib.parse import urlsplit

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, SecretStr, field_validator

from podjobs.language_settings import LanguageSettings
from podjobs.rendition_settings import DEFAULT_RENDITIONS, VideoRenditions
from podjobs.settings import MediaSettings

NO_POD = "none"
"""In place of Pod's address."""


class NotificationSettings(MediaSettings, LanguageSettings):
    """The settings that the notification function reads."""

    pod_api_url: str = Field(
        description="URL of Pod's REST interface, such as https://pod.example.org/rest; `none` where all jobs come "
        "through the runner API."
    )
    pod_api_token: SecretStr = Field(description="API token of a Pod user who is staff.")
    podjobs_pod_timeout_s: PositiveFloat = Field(
        default=300,
        description="How long Pod may take to respond to a callback, in seconds, from the first byte to the last: it "
        "imports the video meanwhile.",
    )
    pod_media_url: str = Field(
        default="",
        description="URL at which Pod's web server serves MEDIA_ROOT, such as https://pod.example.org/media: before "
        "Pod is told of files, they are looked for there, as Pod may see them later than the functions; and a source "
        "that is shown there is waited for. Advised where Pod has mounted a bucket. If not set: neither.",
    )
    podjobs_pod_media_wait_s: PositiveFloat = Field(
        default=900,
        le=3600,
        description="How long what POD_MEDIA_URL shows may differ from the media storage, in seconds: so long after "
        "publishing Pod is told all the same, and so long after a request its source may still be uploaded.",
    )
    video_renditions: VideoRenditions = Field(
        default=DEFAULT_RENDITIONS,
        description="As in the encoding function; compared with Pod's own renditions when the function starts.",
    )
    podjobs_runner_hold_s: NonNegativeFloat = Field(
        default=30,
        le=600,
        description="How long after it has handed a task over a Pod ≥ 4.2 is called at the earliest, in seconds: it "
        "stores the task's number, and deletes the old renditions, after it has our answer.",
    )
    podjobs_notification_slots: PositiveInt = Field(
        default=16, description="Steps that one instance of the function runs in parallel."
    )

    @property
    def has_pod(self) -> bool:
        """Whether there is a Pod that is told over REST."""
        return self.pod_api_url != NO_POD

    @field_validator("pod_api_url")
    @classmethod
    def _check_address(cls, value: str) -> str:
        if value == NO_POD:
            return value
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be of the form https://host/rest")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not contain a login: use POD_API_TOKEN")
        if parts.query or parts.fragment:
            raise ValueError("must end with the path, such as https://host/rest")
        return value

    @field_validator("pod_media_url")
    @classmethod
    def _check_media_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment):
            raise ValueError("must be of the form https://host/media")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not contain a login")
        return value

    @field_validator("pod_api_token")
    @classmethod
    def _check_token(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().strip().isascii() or not value.get_secret_value().strip():
            raise ValueError("must be a token of ASCII characters, as Pod's administration shows it")
        return value
