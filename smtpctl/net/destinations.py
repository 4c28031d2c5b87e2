"""Where a certificate may send us. Whoever answered wrote the address in it, and may want to have something asked that only
this machine can reach: itself, its network, or what hands out the credentials of a machine in a cloud.

So the addresses that may be asked are listed, and all others refused. One that carries an IPv4 address is judged as that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ipaddress

# RFC 1918; RFC 6598, which VPNs hand out too; RFC 4193
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
_PUBLIC = ("0.0.0.0/0", "2000::/3")  # less what is reserved in them; IANA has given out no other IPv6 addresses
# What Python, older versions most, takes for public: RFC 6890 2.2.2, RFC 1112 4
_RESERVED = ("192.0.0.0/24", "224.0.0.0/3")
# The metadata services that are not link-local: Azure, Oracle, Alibaba, Amazon, Google, Scaleway
_METADATA = (
    "168.63.129.16/32",
    "192.0.0.192/32",
    "100.100.100.200/32",
    "fd00:c1::a9fe:a9fe/128",
    "fd00:ec2::254/128",
    "fd20:ce::254/128",
    "fd00:42::42/128",
)
# Network, and how many bits stand behind the IPv4 address: mapped (RFC 4291 2.5.5.2), compatible (2.5.5.1), translated (RFC
# 2765 2.1), NAT64 (RFC 6052 2.1), 6to4 (RFC 3056 2)
_CARRIERS = (("::ffff:0:0/96", 0), ("::/96", 0), ("::ffff:0:0:0/96", 0), ("64:ff9b::/96", 0), ("2002::/16", 80))


def refused(address: str, server: str) -> str:
    """Why a certificate of the server at `server` (empty: not known) may not send us to this address; empty where it may: to
    a public one always, within its own kind of network else. A name, which a proxy looks up, is let pass."""
    asked, own = _ip(address), _ip(server)
    if asked is None:
        return ""
    if asked.is_loopback:
        here = own is not None and own.is_loopback
        return "" if here else f"its address is on this machine ({address}), that of the server is not"
    if _in(asked, _METADATA):
        return f"its address is none of a web server ({address})"
    if _in(asked, _PRIVATE):
        inside = own is not None and (own.is_loopback or _in(own, _PRIVATE))
        return "" if inside else f"its address is private ({address}), that of the server is not"
    public = asked.is_global and _in(asked, _PUBLIC) and not _in(asked, _RESERVED)
    return "" if public else f"its address is none of a web server ({address})"


def _in(address: Any, networks: tuple[str, ...]) -> bool:
    import ipaddress

    return any(address in ipaddress.ip_network(network) for network in networks)


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, that which it carries; None for what is none."""
    import ipaddress
    import socket

    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(text))  # 127.1 and 0x7f000001: every resolver takes them
        except (OSError, ValueError):
            return None
    for network, behind in _CARRIERS:
        if found in ipaddress.ip_network(network) and int(found) > 1:  # :: and ::1 are addresses of their own
            return ipaddress.IPv4Address(int(found) >> behind & 0xFFFFFFFF)
    return found
