"""The settings of the notification function."""

from urllib.parse import urlsplit

from pydantic import Field, PositiveFloat, PositiveInt, SecretStr, field_validator

from podjobs.settings import MediaSettings


class NotificationSettings(MediaSettings):
    """The settings that the notification function reads."""

    pod_api_url: str = Field(description="URL of Pod's REST interface, such as https://pod.example.org/rest.")
    pod_api_token: SecretStr = Field(description="API token of a Pod user who is staff.")
    podjobs_pod_timeout_s: PositiveFloat = Field(
        default=300,
        description="How long Pod may take to respond to a callback, in seconds: it imports the video meanwhile.",
    )
    podjobs_notification_slots: PositiveInt = Field(
        default=16, description="Steps that one instance of the function runs in parallel."
    )

    @field_validator("pod_api_url")
    @classmethod
    def _check_address(cls, value: str) -> str:
        if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc:
            raise ValueError("must be of the form https://host/rest")
        return value

    @field_validator("pod_api_token")
    @classmethod
    def _check_token(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().strip().isascii() or not value.get_secret_value().strip():
            raise ValueError("must be a token of ASCII characters, as Pod's administration shows it")
        return value
