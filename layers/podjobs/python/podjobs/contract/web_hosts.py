"""Which web servers may be reached: names of hosts, and addresses that are not public. Pure.

What a request names is chosen by whoever sends it. A name can stand for any address, also for one of this machine, of
its neighbours, or of the service that gives a cloud's machines their credentials. So what counts is the address that is
connected to.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 addresses as a translator shows them to IPv6. Source: RFC 6052."""


def read_host_rule(text: str) -> str:
    """Check a rule: a host's name, `*.` and a domain, an address or a network.

    Args:
        text: as written in a setting.

    Returns:
        The same, in small letters.

    Raises:
        ValueError: it is none of them.
    """
    rule = text.strip().lower().rstrip(".")
    name = rule.removeprefix("*.")
    if _network(rule) is None and (not name or not all(part.replace("-", "a").isalnum() for part in name.split("."))):
        raise ValueError(
            f"{text!r} is neither a host, as pod.example.org, nor *.example.org, nor a network, as 10.2.0.0/16"
        )
    return rule


@dataclass(frozen=True)
class HostRules:
    """The servers that may be reached."""

    hosts: tuple[str, ...] = ()
    """Rules as `read_host_rule` reads them; none: all hosts."""
    private: tuple[str, ...] = ()
    """Likewise: where addresses that are not public may be reached all the same."""

    def may_name(self, host: str) -> bool:
        """Whether a URL may name this host."""
        return not self.hosts or _is_among(host, _address(host), self.hosts)

    def may_reach(self, host: str, address: str) -> bool:
        """Whether this address may be connected to.

        Args:
            host: as the URL names it.
            address: one that the name stands for.
        """
        found = _address(address)
        return found is not None and (is_public(found) or _is_among(host, found, self.private))


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, also if it contains another one."""
    inner: Address | None = None
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.teredo:
            return False
    if inner is not None:
        return is_public(inner)
    return address.is_global and not address.is_multicast


def _is_among(host: str, address: Address | None, rules: Sequence[str]) -> bool:
    name = host.lower().rstrip(".")
    for rule in rules:
        network = _network(rule)
        if network is not None:
            if address is not None and address.version == network.version and address in network:
                return True
        elif name == rule or (rule.startswith("*.") and name.endswith(rule[1:])):
            return True
    return False


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
