"""What a scan of a server's TLS found, judged: versions, cipher suites, and what the handshakes told besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from smtpctl.checks.certificate import date
from smtpctl.checks.facts import Scanned
from smtpctl.knowledge import ciphers, groups
from smtpctl.knowledge.families import MX, entry
from smtpctl.model.finding import Evidence, Finding, Severity
from smtpctl.model.names import matches_any
from smtpctl.model.tls import version_name
from smtpctl.model.tlsscan import VersionScan
from smtpctl.protocol.tls.dialogues import Injection
from smtpctl.protocol.tls.hello import SSL3, TLS10, TLS11, TLS12, TLS13
from smtpctl.protocol.tls.ssl2 import SSL2

SHORTEST_PRIME = 2048  # bits (RFC 9325 4.1)
_RETIRED = {SSL2: "tls.version.ssl2", SSL3: "tls.version.ssl3", TLS10: "tls.version.tls10", TLS11: "tls.version.tls11"}
_NAMED = 4  # suites that a piece of evidence names; the JSON document has all


def versions(scanned: Scanned) -> Iterator[Finding]:
    """Retired versions that are on, and the ones of today that are not."""
    scan = scanned.scan
    for version, id in _RETIRED.items():
        found = scan.version(version)
        if found.accepted:
            number = len(found.suites)
            yield _finding(
                scanned, id, [Evidence(f"{found.name} with {number} cipher{'s' * (number != 1)}", "accepts:")]
            )
    table = [Evidence(", ".join(found.name for found in scan.accepted), "accepts:")]
    newest = max((found.version for found in scan.accepted), default=0)
    if newest and newest < TLS12:
        yield _finding(scanned, "tls.version.no_tls12", table, minimum="TLS 1.2", facts={"tls_min_raised": False})
    elif newest and not scan.version(TLS13).accepted and scan.version(TLS13).complete:
        yield _finding(scanned, "tls.version.no_tls13", table)


def hello_of_today(scanned: Scanned) -> Iterator[Finding]:
    """All versions offered at once."""
    if scanned.scan.usual and scanned.scan.accepted:
        seen = [Evidence(f"all versions at once: {scanned.scan.usual}", "S:")]
        seen += [Evidence(f"{found.name} alone: accepted", "S:") for found in scanned.scan.accepted]
        yield _finding(scanned, "tls.version_intolerant", seen)


def suites(scanned: Scanned) -> Iterator[Finding]:
    """Suites that protect too little, or no suite that we have too."""
    taken = {suite for found in _tls(scanned) for suite in found.suites}
    bare, anonymous = any(map(ciphers.unprotected, taken)), any(map(ciphers.anonymous, taken))
    if bare or anonymous:
        kinds = [word for word, some in (("no or broken encryption", bare), ("anonymous", anonymous)) if some]
        yield _finding(
            scanned,
            "tls.cipher.null_anon_export",
            _chosen(scanned, lambda suite: ciphers.unprotected(suite) or ciphers.anonymous(suite)),
            # Opportunistic senders verify nobody, so on an MX an anonymous suite takes nothing away from them.
            severity=Severity.NOTE if scanned.role == MX and not bare else None,
            which=" and ".join(kinds),
        )
    old = _chosen(scanned, ciphers.outdated)
    if old:
        names = {ciphers.name(suite) for suite in taken}
        kinds = [kind for kind in ("RC4", "3DES", "IDEA", "RC2") if any(f"_{kind}_" in name for name in names)]
        yield _finding(scanned, "tls.cipher.rc4_3des", old, which=", ".join(kinds))
    yield from _no_overlap(scanned)


def forward_secrecy(scanned: Scanned) -> Iterator[Finding]:
    """A version with which no suite has it."""
    accepted = _tls(scanned)
    without = [found for found in accepted if not any(map(ciphers.forward_secret, found.suites))]
    if without:
        named = {} if len(without) == len(accepted) else {"version": " and ".join(f.name for f in without)}
        yield _finding(scanned, "tls.cipher.no_fs", [_suites(found, found.suites) for found in without], **named)


def diffie_hellman(scanned: Scanned) -> Iterator[Finding]:
    """Primes that are too short. Those of anonymous suites protect nothing anyway."""
    short = [(bits, suite) for suite, bits in scanned.scan.dh if bits < SHORTEST_PRIME and not ciphers.anonymous(suite)]
    if short:
        seen = [Evidence(f"{bits} bits with {ciphers.name(suite)}", "key exchange:") for bits, suite in sorted(short)]
        severity = Severity.NOTE if scanned.role == MX else Severity.WARNING
        yield _finding(scanned, "tls.dh_too_small", seen[:_NAMED], severity=severity, bits=min(short)[0])


def curves(scanned: Scanned) -> Iterator[Finding]:
    """Curves that are too short."""
    short = [groups.name(group) for group in scanned.scan.curves if groups.short(group)]
    if short:
        yield _finding(scanned, "tls.curve_too_small", [Evidence(", ".join(short), "key exchange:")], curves=short[0])


def features(scanned: Scanned) -> Iterator[Finding]:
    """What the answers to TLS 1.2 and older show besides version and suite."""
    scan = scanned.scan
    if scan.compression:
        seen = [
            Evidence(f"{scan.version(scan.compression).name}: compression method 1 (DEFLATE) chosen", "ServerHello:")
        ]
        yield _finding(scanned, "tls.compression", seen)
    if scan.secure_renegotiation is False:
        seen = [Evidence("no renegotiation_info extension, though the client sent one", "ServerHello:")]
        yield _finding(scanned, "tls.insecure_renegotiation", seen)
    if scan.extended_master_secret is False:
        seen = [Evidence("no extended_master_secret extension, though the client sent one", "ServerHello:")]
        yield _finding(scanned, "tls.no_ems", seen)


def resumption(scanned: Scanned) -> Iterator[Finding]:
    """Whether a second connection can use the session of the first."""
    if scanned.scan.resumption is False:
        yield _finding(scanned, "tls.resumption", [Evidence("a second connection made a whole handshake", "seen:")])


def default_certificate(scanned: Scanned) -> Iterator[Finding]:
    """Who sends no SNI gets a certificate that does not fit."""
    if scanned.certificates is None:
        return
    named, default = scanned.certificates
    if named is None or default is None or named.fingerprint == default.fingerprint:
        return
    if matches_any(named.names, scanned.server_name) and not matches_any(default.names, scanned.server_name):
        seen = [
            Evidence(f"{certificate.common_name} ({', '.join(certificate.names[:8])})", label)
            for certificate, label in ((named, "with SNI:"), (default, "without:"))
        ]
        yield _finding(scanned, "tls.sni_default_cert", seen, name=scanned.server_name)


def client_certificate(scanned: Scanned) -> Iterator[Finding]:
    """A server that goes no further without one. One that only asks takes whatever comes, also nothing."""
    if scanned.scan.demands_certificate and not scanned.presents:
        yield _finding(scanned, "tls.client_cert_required", [Evidence(scanned.scan.demands_certificate, "S:")])


def addresses(scanned: Scanned) -> Iterator[Finding]:
    """Several machines behind one name, which are not set up alike."""
    shown = [(address, leaf) for address, leaf in scanned.addresses if leaf]
    if len({leaf.fingerprint for _, leaf in shown}) > 1 or len({address.protocol for address, _ in shown}) > 1:
        seen = [
            Evidence(
                f"{version_name(address.protocol)}, {leaf.common_name or leaf.subject}, until {date(leaf.not_after)}, "
                f"serial {leaf.serial}",
                f"{address.address}:",
            )
            for address, leaf in shown
        ]
        yield _finding(scanned, "tls.addresses_differ", seen)


def about_the_certificate(scanned: Scanned) -> Iterator[Finding]:
    """What is no fault, and good to know."""
    leaf = scanned.leaf
    if leaf and leaf.revocation_urls:
        seen = [Evidence(url, "ask at:") for url in leaf.revocation_urls[:4]]
        yield _finding(scanned, "tls.cert.revocation_info", seen)
    if leaf and leaf.timestamps:
        seen = [Evidence(f"{leaf.timestamps} signed certificate timestamps", "certificate:")]
        yield _finding(scanned, "tls.cert.sct", seen, count=leaf.timestamps)


def injection(scanned: Scanned) -> Iterator[Finding]:
    """A command from before the handshake that was carried out inside it."""
    if scanned.scan.injection == Injection.CARRIED_OUT:
        seen = [Evidence("STARTTLS, NOOP  (in clear, one packet)", "C:"), Evidence("QUIT  (inside TLS)", "C:")]
        seen.append(Evidence("answered the NOOP first  (inside TLS)", "S:"))
        yield _finding(scanned, "starttls.command_injection", seen)


def _no_overlap(scanned: Scanned) -> Iterator[Finding]:
    theirs = {suite for found in scanned.scan.accepted if found.version >= TLS12 for suite in found.suites}
    if theirs and scanned.ours and not theirs & scanned.ours:
        lists = ((theirs, "server:"), (scanned.ours, "this side:"))
        yield _finding(
            scanned, "tls.cipher.no_overlap", [Evidence(_listed(sorted(own)), label) for own, label in lists]
        )


def _tls(scanned: Scanned) -> list[VersionScan]:
    """The versions of which the suites matter. SSL 2.0 is broken with any."""
    return [found for found in scanned.scan.accepted if found.version > SSL2]


def _chosen(scanned: Scanned, judge: Callable[[int], bool]) -> list[Evidence]:
    """The accepted suites of which `judge` is true, with the versions that take them."""
    takers: dict[int, list[str]] = {}
    for found in _tls(scanned):
        for suite in filter(judge, found.suites):
            takers.setdefault(suite, []).append(found.name)
    alike: dict[tuple[str, ...], list[int]] = {}
    for suite, names in takers.items():
        alike.setdefault(tuple(names), []).append(suite)
    return [Evidence(f"{', '.join(names)}: {_listed(sorted(some))}", "accepts:") for names, some in alike.items()]


def _suites(found: VersionScan, some: Sequence[int]) -> Evidence:
    return Evidence(f"{found.name}: {_listed(some)}", "accepts:")


def _listed(some: Sequence[int]) -> str:
    names = [ciphers.name(suite) for suite in some[:_NAMED]]
    more = f" and {len(some) - _NAMED} more" if len(some) > _NAMED else ""
    return ", ".join(names) + more


def _finding(scanned: Scanned, id: str, seen: Iterable[Evidence], **values: Any) -> Finding:
    return entry(id).finding(target=str(scanned.endpoint), role=scanned.role, evidence=seen, **values)
