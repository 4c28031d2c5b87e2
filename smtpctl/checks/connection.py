"""How the server was reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from smtpctl.checks.facts import Facts, Scanned
from smtpctl.knowledge.families import entry
from smtpctl.model.finding import Evidence, Finding, Severity
from smtpctl.model.tls import version_name
from smtpctl.model.transcript import Event, Kind, Stage

# Names that are private by themselves: RFC 6761, 6762, 8375, ICANN (`.internal`), the habit of home routers (`.lan`).
_PRIVATE_NAMES = (".localhost", ".test", ".local", ".home.arpa", ".internal", ".lan")
# The blocks of IANA's special-purpose registries (RFC 6890) that are no server's public address: how they begin, what they are.
_RESERVED: tuple[tuple[tuple[str, ...], str], ...] = (
    (("0.",), "this network, RFC 791"),
    (("10.", "192.168.", *(f"172.{n}." for n in range(16, 32))), "private use, RFC 1918"),
    (tuple(f"100.{n}." for n in range(64, 128)), "shared address space, RFC 6598"),
    (("127.",), "loopback, RFC 1122"),
    (("169.254.", "fe8", "fe9", "fea", "feb"), "link local, RFC 3927 and 4291"),
    (("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"), "documentation, RFC 5737 and 3849"),
    (("198.18.", "198.19."), "benchmarking, RFC 2544"),
    ((*(f"{n}." for n in range(224, 240)), "ff"), "multicast, RFC 5771 and 4291"),
    (tuple(f"{n}." for n in range(240, 256)), "reserved, RFC 1112"),
    (("fc", "fd"), "unique local, RFC 4193"),
)
_NO_IPV6 = "local.ipv6_broken"
_LOOPBACK_V6 = "::1"


def addresses(facts: Facts) -> Iterator[Finding]:
    """Addresses that did not answer although another one did. That one IPv6 address is slower than another is no fault;
    that it has no answer when IPv4, tried later, has one, is."""
    attempts = [event for _, event in facts.transcript.at_stage(Stage.CONNECT) if event.kind is Kind.ATTEMPT]
    failed = [event for event in attempts if "error" in event.facts]
    slower = [event for event in attempts if "overtaken" in event.facts]
    worked = [event for event in attempts if event not in failed and event not in slower]
    if not worked:
        return
    found = _partial(map(_address, failed + slower), map(_address, worked))
    if failed or (slower and found == _NO_IPV6):
        yield facts.finding(found, [event.text for event in attempts])


def reached(scanned: Scanned) -> Iterator[Finding]:
    """The same of a scan, which visits each address of the name."""
    every = [address for address, _ in scanned.addresses]
    silent = [address.address for address in every if address.silent]
    answered = [address.address for address in every if not address.silent]
    if silent and answered:
        seen = [Evidence(address.failure or version_name(address.protocol), f"{address.address}:") for address in every]
        yield entry(_partial(silent, answered)).finding(target=str(scanned.endpoint), role=scanned.role, evidence=seen)


def _partial(failed: Iterable[str], worked: Iterable[str]) -> str:
    """Which fault it is that these addresses failed where those worked."""
    return _NO_IPV6 if all(":" in one for one in failed) and not any(":" in one for one in worked) else "conn.partial"


def public(facts: Facts) -> Iterator[Finding]:
    """A name in public DNS whose address nobody outside can reach."""
    host = facts.endpoint.host
    if facts.trusted or "." not in host or host.endswith(_PRIVATE_NAMES):
        return
    looked_up = [event for _, event in facts.transcript.at_stage(Stage.DNS) if event.facts.get("addresses")]
    found = {address: _block(address) for event in looked_up for address in event.facts["addresses"]}
    blocks = [f"{address} ({block})" for address, block in found.items() if block and address != host]
    if blocks:
        works = any("error" not in event.facts for _, event in facts.transcript.at_stage(Stage.CONNECT))
        severity = Severity.WARNING if works else None  # a server that is reached from here is an internal one
        yield facts.finding("conn.private_address", blocks, address=blocks[0], severity=severity)


def _address(attempt: Event) -> str:
    return str(attempt.facts["address"])


def _block(address: str) -> str:
    """The block that an address belongs to, empty for a public one."""
    if address == _LOOPBACK_V6:
        return "loopback, RFC 4291"
    return next((name for begins, name in _RESERVED if address.lower().startswith(begins)), "")
