"""The settings of the notification function."""

from urllib.parse import urlsplit

from pydantic import Field, PositiveFloat, PositiveInt, SecretStr, field_validator

from podjobs.settings import MediaSettings


class NotificationSettings(MediaSettings):
    """The settings that the notification function reads."""

    pod_api_url: str = Field(description="Pod's REST address, for instance https://pod.example.org/rest.")
    pod_api_token: SecretStr = Field(description="Token of a staff user of Pod.")
    podjobs_pod_timeout_s: PositiveFloat = Field(
        default=300, description="How long Pod may take to answer a callback, seconds; it imports inside the request."
    )
    podjobs_notification_slots: PositiveInt = Field(
        default=16, description="Steps that one instance of the function handles at once."
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
            raise ValueError("must be a token")
        return value
