"""Where a certificate may send us, by its server's own address."""

from __future__ import annotations

import pytest

from smtpctl.net.destinations import refused

PUBLIC, PRIVATE, HERE = "192.0.43.8", "10.0.0.5", "127.0.0.1"
NOWHERE = [
    "0.0.0.0", "::", "::ffff:0.0.0.0", "::ffff:0:0:0", "2002::", "64:ff9b::", "0.1.2.3", "0",
    "169.254.169.254", "fe80::1", "fe80::1%eth0", "64:ff9b::a9fe:a9fe", "::169.254.169.254", "2002:a9fe:a9fe::1",
    "192.0.0.192", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16",
    "fec0::1", "224.0.0.1", "ff02::1", "ff0e::1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "2001:db8::1",
    "64:ff9b:1::a9fe:a9fe", "2001:0:7f00:1::1", "100::1", "5f00::1",
]  # fmt: skip
LOOPBACK = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
            "::ffff:0:127.0.0.1", "127.1", "0x7f000001", "2130706433"]  # fmt: skip
WITHIN = ["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"]
ANYBODY = ["192.0.43.8", "8.8.8.8", "2620:0:2d0:200::8", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::1"]


@pytest.mark.parametrize("address", NOWHERE)
@pytest.mark.parametrize("server", [PUBLIC, PRIVATE, HERE, "::1", ""])
def test_nobody_is_sent_there(address: str, server: str) -> None:
    assert address in refused(address, server)


@pytest.mark.parametrize("address", LOOPBACK)
def test_only_a_server_on_this_machine_sends_us_to_this_machine(address: str) -> None:
    assert [refused(address, server) for server in (HERE, "::1", "::ffff:127.0.0.1")] == [""] * 3
    for server in (PUBLIC, PRIVATE, "fd00::5", ""):
        assert refused(address, server) == f"its address is on this machine ({address}), that of the server is not"


@pytest.mark.parametrize("address", WITHIN)
def test_only_a_server_of_a_private_network_sends_us_into_one(address: str) -> None:
    assert [refused(address, server) for server in (PRIVATE, HERE, "fd00::5", "::ffff:10.0.0.5")] == [""] * 4
    for server in (PUBLIC, "2620:0:2d0:200::8", ""):
        assert refused(address, server) == f"its address is private ({address}), that of the server is not"


@pytest.mark.parametrize("address", [*ANYBODY, "ca.test"])
@pytest.mark.parametrize("server", [PUBLIC, PRIVATE, HERE, ""])
def test_public_addresses_are_open_to_all(address: str, server: str) -> None:
    assert refused(address, server) == ""
