"""What may be fetched from where: the address counts, whatever name stands for it."""

import pytest

from podjobs.contract.web_hosts import HostRules, read_host_rule


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1"),
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1"),
        *("::1", "::", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
        *("64:ff9b::a00:1", "2002:a00:1::1", "2001:0:1::1", "fe80::1%eth0", "not an address"),
    ],
)
def test_address_that_is_not_public_is_refused(address):
    assert not HostRules().may_reach("pod.example.org", address)


@pytest.mark.parametrize("address", ["193.49.48.249", "2001:660:3003::1", "::ffff:193.49.48.249", "64:ff9b::c131:30f9"])
def test_public_address_is_reached(address):
    assert HostRules().may_reach("pod.example.org", address)


@pytest.mark.parametrize(
    ("rule", "host", "address", "may"),
    [
        ("pod.intranet", "pod.intranet", "10.0.0.1", True),
        ("pod.intranet", "POD.intranet.", "10.0.0.1", True),
        ("pod.intranet", "evil.pod.intranet", "10.0.0.1", False),
        ("*.intranet", "pod.intranet", "10.0.0.1", True),
        ("*.intranet", "intranet", "10.0.0.1", False),
        ("*.intranet", "evilintranet", "10.0.0.1", False),
        ("10.2.0.0/16", "anything.org", "10.2.3.4", True),
        ("10.2.0.0/16", "anything.org", "10.3.3.4", False),
        ("10.2.3.4", "10.2.3.4", "10.2.3.4", True),
        ("fd00::/8", "anything.org", "fd00::1", True),
        ("10.0.0.0/8", "anything.org", "::1", False),
    ],
)
def test_private_address_is_reached_where_a_rule_says_so(rule, host, address, may):
    assert HostRules(private=(rule,)).may_reach(host, address) is may


def test_hosts_are_restricted_by_name():
    rules = HostRules(hosts=("pod.example.org", "*.media.example.org", "193.49.0.0/16"))
    named = ("pod.example.org", "a.media.example.org", "193.49.1.1", "example.org", "pod.example.org.evil.net")
    assert [rules.may_name(host) for host in named] == [True, True, True, False, False]
    assert HostRules().may_name("anything.org")


@pytest.mark.parametrize("text", ["", "*", "https://pod.example.org", "pod example", "*.", "10.0.0.0/99"])
def test_rule_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="neither a host"):
        read_host_rule(text)


def test_rule_is_read_in_small_letters():
    assert read_host_rule(" Pod.Example.ORG. ") == "pod.example.org"
