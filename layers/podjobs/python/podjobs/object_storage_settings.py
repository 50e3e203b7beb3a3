"""The settings of object storage, for media roots of the form s3://bucket/prefix.

Credentials are not among them: they are found as AWS's own tools find them, in the environment, in files, from the
machine or the container (boto3's credential chain).
"""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, NonNegativeInt, PositiveFloat, PositiveInt

LEAST_PART_MB = 5
"""Smallest part of a multipart upload, except the last one. Source: Amazon S3, multipart upload limits."""


def _endpoint(value: str) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/")):
        raise ValueError("must be of the form https://host or https://host:port")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must be of the form https://host or https://host:port, without a login")
    return value


class ObjectStorageSettings(BaseModel, defer_build=True):
    """How an object storage is reached and written to; only read if MEDIA_URL begins with `s3://`."""

    podjobs_s3_endpoint: Annotated[str, AfterValidator(_endpoint)] = Field(
        default="",
        description="URL of the S3 server, such as https://s3.example.org. If not set: that of AWS, or what "
        "AWS_ENDPOINT_URL says.",
    )
    podjobs_s3_region: str = Field(
        default="",
        description="Region of the bucket. If not set: what AWS_REGION, AWS_DEFAULT_REGION or AWS's configuration file "
        "say, else us-east-1, which other servers than AWS accept.",
    )
    podjobs_s3_path_style: bool | None = Field(
        default=None,
        description="Whether the bucket is part of the path (https://host/bucket) rather than of the host name. If not "
        "set: with PODJOBS_S3_ENDPOINT, yes; with AWS, no.",
    )
    podjobs_s3_ca: str = Field(
        default="",
        description="File of the certificate authorities that the server's certificate is checked with. If not set: "
        "AWS_CA_BUNDLE, or those that come with the library.",
    )
    podjobs_s3_storage_class: str = Field(
        default="",
        description="Storage class of what is published, such as STANDARD_IA. If not set: the bucket's. Work files "
        "always have the bucket's.",
    )
    podjobs_s3_encryption: str = Field(
        default="",
        pattern=r"^(|AES256|aws:kms(:.+)?)$",
        description="Encryption on the server: `AES256`, `aws:kms`, or `aws:kms:` and a key's id. If not set: the "
        "bucket's.",
    )
    podjobs_s3_checksum: Literal["sha256", "crc32", "none"] = Field(
        default="sha256",
        description="Checksum that uploads carry and the server verifies. `none`: for servers that refuse them.",
    )
    podjobs_s3_part_mb: Annotated[int, Field(ge=LEAST_PART_MB, le=1024)] = Field(
        default=16, description="Size of the parts in which larger files are uploaded, in MiB."
    )
    podjobs_s3_attempts: PositiveInt = Field(
        default=5, description="How often a request is tried before its step is given back to the adapter."
    )
    podjobs_s3_timeout_s: PositiveFloat = Field(
        default=60, description="How long the server may be silent, in seconds."
    )
    podjobs_s3_cache_mb: Annotated[int, Field(ge=16)] = Field(
        default=64, description="Memory for what was read of sources, so that it is not read again, in MiB."
    )
    podjobs_scratch: str = Field(
        default="",
        description="Folder on a local disk for the files of running steps; it must exist. If not set: the system's "
        "folder for temporary files, which some systems keep in memory.",
    )
    podjobs_scratch_mb: NonNegativeInt = Field(
        default=0,
        description="How much running steps may keep there before no more are begun, in MiB. 0: as long as the disk "
        "has room.",
    )
