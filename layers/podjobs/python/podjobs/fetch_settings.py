"""The settings of fetching: from where files are fetched that are not in the media storage, and how much."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, PositiveFloat, PositiveInt

from podjobs.contract.web_hosts import HostRules, read_host_rule
from podjobs.settings import FromJson

HostRule = Annotated[str, AfterValidator(read_host_rule)]


class FetchSettings(BaseModel, defer_build=True):
    """What may be fetched; only read for jobs whose senders share no folder (Pod from 4.2 on)."""

    podjobs_fetch_hosts: FromJson[tuple[HostRule, ...]] = Field(
        default=(),
        description="Hosts from which files are fetched over HTTP, as a JSON list; redirects, too, lead to no other: "
        '`["pod.example.org", "*.media.example.org"]`. If not set: any host with a public address.',
    )
    podjobs_fetch_private: FromJson[tuple[HostRule, ...]] = Field(
        default=(),
        description="Hosts, or networks, whose addresses are not public and may be reached all the same, as a JSON "
        'list: `["pod.intranet.example.org", "10.2.0.0/16"]`. All other private, local and reserved addresses are '
        "refused, whatever name stands for them.",
    )
    podjobs_fetch_max_gb: PositiveFloat = Field(default=100, description="Largest file that is fetched, in GiB.")
    podjobs_fetch_max_s: PositiveInt = Field(
        default=6 * 3600, description="Longest time that the files of one job may take to be fetched, in seconds."
    )

    @property
    def fetch_rules(self) -> HostRules:
        """The hosts and addresses."""
        return HostRules(self.podjobs_fetch_hosts, self.podjobs_fetch_private)

    def may_name(self, host: str) -> bool:
        """Whether a file that was fetched may name files of another host: only one that an administrator has named."""
        return bool(self.podjobs_fetch_hosts) and self.fetch_rules.may_name(host)
