"""Scans judged: what is on that should be off, and what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from smtpctl.checks import local, registry, runner
from smtpctl.checks.facts import Scanned
from smtpctl.knowledge import ciphers
from smtpctl.model.certificate import Certificate
from smtpctl.model.endpoint import Endpoint
from smtpctl.model.finding import Finding, Severity
from smtpctl.model.tlsscan import AddressScan, TlsScan, VersionScan
from smtpctl.protocol.tls.hello import SSL3, TLS10, TLS11, TLS12, TLS13, VERSIONS
from smtpctl.protocol.tls.ssl2 import SSL2

NUMBERS = {name.removeprefix("TLS_"): number for number, name in ciphers.names().items()}
GOOD = NUMBERS["ECDHE_RSA_WITH_AES_128_GCM_SHA256"]
NEW = NUMBERS["AES_128_GCM_SHA256"]
TODAY = {TLS12: (GOOD,), TLS13: (NEW,)}
LEAF = Certificate(
    subject="CN=mx.example.com", issuer="CN=Inter", common_name="mx.example.com", names=("mx.example.com",),
    not_before=0, not_after=1, serial="1", key="EC secp256r1", bits=256, hash="SHA256", is_ca=False, usages=None,
    issuer_urls=(), revocation_urls=(), must_staple=False, timestamps=0, fingerprint="f1", pin="p1",
)  # fmt: skip
SHOWN = tuple((AddressScan(address, "TLSv1.3"), LEAF) for address in ("192.0.2.1", "192.0.2.2"))
DEAD = (AddressScan("192.0.2.9", failure="Connection refused", silent=True), None)
DEFAULT = LEAF._replace(common_name="other.example", names=("other.example",), fingerprint="f2")


def scanned(suites: dict[int, tuple[int, ...]], role: str = "submission", **more: Any) -> Scanned:
    outside = ("certificates", "ours", "leaf", "presents")
    outer = {key: more.pop(key) for key in outside if key in more}
    if "shown" in more:
        outer["addresses"] = more.pop("shown")
    versions = tuple(VersionScan(version, suites.get(version, ())) for version in (SSL2, *VERSIONS))
    return Scanned(Endpoint("mx.example.com", 587), role, "mx.example.com", TlsScan(versions, **more), **outer)


def judge(suites: dict[int, tuple[int, ...]], role: str = "submission", **more: Any) -> dict[str, Finding]:
    findings, outcomes = runner.run_deep(scanned(suites, role, **more))
    assert not [outcome for outcome in outcomes if outcome.result == "crashed"]
    return {finding.id: finding for finding in findings}


def words(finding: Finding) -> str:
    return " | ".join(f"{seen.label} {seen.text}" for seen in finding.evidence)


def with_suite(*names: str) -> dict[int, tuple[int, ...]]:
    return {**TODAY, TLS12: (GOOD, *(NUMBERS[name] for name in names))}


def test_nothing_to_find() -> None:
    known = {"extended_master_secret": True, "secure_renegotiation": True, "compression": 0, "resumption": True}
    assert judge(TODAY, **known, injection="ignored", certificates=(LEAF, LEAF), dh=((GOOD, 2048),)) == {}


def test_what_is_not_known_is_not_judged() -> None:
    assert judge(TODAY) == {}
    assert judge({}) == {}


@pytest.mark.parametrize(
    ("suites", "expected"),
    [
        ({SSL2: (0x010080,), **TODAY}, {"tls.version.ssl2"}),
        ({SSL3: (GOOD,), **TODAY}, {"tls.version.ssl3"}),
        ({TLS10: (GOOD,), TLS11: (GOOD,), **TODAY}, {"tls.version.tls10", "tls.version.tls11"}),
        ({TLS10: (GOOD,)}, {"tls.version.tls10", "tls.version.no_tls12"}),
        ({TLS12: (GOOD,)}, {"tls.version.no_tls13"}),
        ({TLS13: (NEW,)}, set()),
    ],
)
def test_versions(suites: dict[int, tuple[int, ...]], expected: set[str]) -> None:
    assert set(judge(suites)) == expected


def test_a_version_that_could_not_be_asked_for_is_not_missing() -> None:
    one = scanned({TLS12: (GOOD,)})
    versions = tuple(version._replace(complete=version.version != TLS13) for version in one.scan.versions)
    findings, _ = runner.run_deep(one._replace(scan=one.scan._replace(versions=versions)))
    assert findings == ()


@pytest.mark.parametrize(
    ("id", "suites", "submission", "mx"),
    [
        ("tls.version.tls10", {TLS10: (GOOD,), **TODAY}, Severity.WARNING, Severity.NOTE),
        ("tls.version.ssl3", {SSL3: (GOOD,), **TODAY}, Severity.ERROR, Severity.ERROR),
        ("tls.version.no_tls12", {TLS11: (GOOD,)}, Severity.ERROR, Severity.WARNING),
        ("tls.cipher.null_anon_export", with_suite("RSA_WITH_NULL_SHA"), Severity.ERROR, Severity.ERROR),
        ("tls.cipher.null_anon_export", with_suite("DH_anon_WITH_AES_128_CBC_SHA"), Severity.ERROR, Severity.NOTE),
        ("tls.cipher.rc4_3des", with_suite("RSA_WITH_RC4_128_SHA"), Severity.WARNING, Severity.NOTE),
        ("tls.cipher.no_fs", {TLS12: (NUMBERS["RSA_WITH_AES_128_CBC_SHA"],)}, Severity.WARNING, Severity.NOTE),
    ],
)  # fmt: skip
def test_how_bad_it_is_depends_on_what_the_server_is_for(
    id: str, suites: dict[int, tuple[int, ...]], submission: Severity, mx: Severity
) -> None:
    assert judge(suites)[id].severity is submission
    assert judge(suites, "mx")[id].severity is mx


def test_evidence_names_version_and_suites() -> None:
    finding = judge(with_suite("RSA_WITH_3DES_EDE_CBC_SHA", "RSA_WITH_RC4_128_MD5"))["tls.cipher.rc4_3des"]
    assert finding.title == "mx.example.com takes outdated ciphers: RC4, 3DES"
    assert words(finding) == "accepts: TLS 1.2: TLS_RSA_WITH_RC4_128_MD5, TLS_RSA_WITH_3DES_EDE_CBC_SHA"


def test_suites_that_several_versions_take_are_told_once() -> None:
    rc4, des = NUMBERS["RSA_WITH_RC4_128_SHA"], NUMBERS["RSA_WITH_3DES_EDE_CBC_SHA"]
    finding = judge({**TODAY, TLS10: (rc4, des), TLS11: (des, rc4)})["tls.cipher.rc4_3des"]
    assert words(finding) == "accepts: TLS 1.0, TLS 1.1: TLS_RSA_WITH_RC4_128_SHA, TLS_RSA_WITH_3DES_EDE_CBC_SHA"


def test_many_suites_are_counted() -> None:
    many = tuple(number for number, name in ciphers.names().items() if "_EXPORT_" in name)
    finding = judge({**TODAY, TLS10: many})["tls.cipher.null_anon_export"]
    assert words(finding).endswith(f"and {len(many) - 4} more")


def test_one_version_without_forward_secrecy() -> None:
    finding = judge({**TODAY, TLS12: (NUMBERS["RSA_WITH_AES_128_CBC_SHA"],)})["tls.cipher.no_fs"]
    assert finding.title == "mx.example.com has no forward secrecy with TLS 1.2"


def test_short_primes() -> None:
    dhe = NUMBERS["DHE_RSA_WITH_AES_128_CBC_SHA"]
    finding = judge(TODAY, dh=((dhe, 1024),))["tls.dh_too_small"]
    assert finding.title.endswith("(1024 bits)")
    assert finding.severity is Severity.WARNING
    assert words(finding) == "key exchange: 1024 bits with TLS_DHE_RSA_WITH_AES_128_CBC_SHA"
    assert judge(TODAY, "mx", dh=((dhe, 1024),))["tls.dh_too_small"].severity is Severity.NOTE
    assert judge(TODAY, dh=((NUMBERS["DH_anon_WITH_AES_128_CBC_SHA"], 1024), (dhe, 2048))) == {}


def test_short_curves() -> None:
    finding = judge(TODAY, curves=(29, 19, 23, 1))["tls.curve_too_small"]
    assert finding.title.endswith("too short to be safe: secp192r1")
    assert words(finding) == "key exchange: secp192r1, sect163k1"
    assert judge(TODAY, "mx", curves=(19,))["tls.curve_too_small"].severity is Severity.NOTE
    assert judge(TODAY, curves=(21, 22, 23, 29, 30)) == {}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"compression": TLS10}, "tls.compression"),
        ({"secure_renegotiation": False}, "tls.insecure_renegotiation"),
        ({"extended_master_secret": False}, "tls.no_ems"),
        ({"resumption": False}, "tls.resumption"),
        ({"usual": "closed"}, "tls.version_intolerant"),
        ({"injection": "carried_out"}, "starttls.command_injection"),
        ({"certificates": (LEAF, DEFAULT)}, "tls.sni_default_cert"),
        ({"ours": frozenset({0x00FF})}, "tls.cipher.no_overlap"),
        ({"demands_certificate": "421 No client certificate presented"}, "tls.client_cert_required"),
        ({"shown": (SHOWN[0], (SHOWN[1][0], DEFAULT))}, "tls.addresses_differ"),
        ({"shown": (SHOWN[0], (SHOWN[1][0]._replace(protocol="TLSv1.2"), LEAF))}, "tls.addresses_differ"),
        ({"shown": (SHOWN[0], DEAD)}, "conn.partial"),
        ({"shown": (SHOWN[0], (DEAD[0]._replace(address="2001:db8::1"), None))}, "local.ipv6_broken"),
        ({"leaf": LEAF._replace(revocation_urls=("http://ca.test/crl",))}, "tls.cert.revocation_info"),
        ({"leaf": LEAF._replace(timestamps=2)}, "tls.cert.sct"),
    ],
)
def test_one_fact_one_finding(facts: dict[str, Any], expected: str) -> None:
    found = judge(TODAY, **facts)
    assert set(found) == {expected}
    assert found[expected].evidence
    assert "<" not in found[expected].title + found[expected].message


@pytest.mark.parametrize(
    "facts",
    [
        {"injection": "refused"},
        {"injection": "answered_in_clear"},
        {"certificates": (LEAF, LEAF)},
        {"certificates": (LEAF, None)},
        {
            "certificates": (DEFAULT, DEFAULT._replace(fingerprint="f3"))
        },  # neither fits: the certificate's own checks say so
        {"certificates": (LEAF, LEAF._replace(fingerprint="f3"))},
        {"ours": frozenset({GOOD, NEW})},
        {"asks_certificate": True, "demands_certificate": ""},
        {"demands_certificate": "421 what it has is not enough", "presents": True},
        {"shown": SHOWN},
        {"shown": (SHOWN[0], (AddressScan("2001:db8::1", failure="refused"), None))},
        {"leaf": LEAF},
    ],
)
def test_no_finding(facts: dict[str, Any]) -> None:
    assert judge(TODAY, **facts) == {}


def test_what_could_not_be_tested_is_skipped_with_the_reason() -> None:
    _, outcomes = runner.run_deep(scanned(TODAY, untested=(("tls.resumption", "no handshake"),)))
    assert [(o.check, o.reason) for o in outcomes if o.result == "skipped"] == [("TLS resumption", "no handshake")]
    assert {outcome.result for outcome in runner.skip_deep("why")} == {"skipped"}


def test_the_checks_emit_what_they_say() -> None:
    said = {id for check in registry.deep_checks() for id in check.emits}
    everything = judge(
        {SSL3: (NUMBERS["RSA_WITH_NULL_SHA"],), TLS10: (NUMBERS["RSA_WITH_RC4_128_SHA"],), TLS11: (GOOD,)},
        compression=TLS10, secure_renegotiation=False, extended_master_secret=False, resumption=False, usual="closed",
        injection="carried_out", certificates=(LEAF, DEFAULT), dh=((GOOD, 512),), curves=(19,), demands_certificate="no",
        shown=(SHOWN[0], (SHOWN[1][0], DEFAULT)), leaf=LEAF._replace(revocation_urls=("x",), timestamps=2),
    ) | judge({SSL2: (0x010080,)}) | judge({TLS12: (GOOD,)}, ours=frozenset({1})) | judge(TODAY, ours=frozenset({NEW}))  # fmt: skip
    for silent in (DEAD, (DEAD[0]._replace(address="2001:db8::1"), None)):
        everything |= judge(TODAY, shown=(SHOWN[0], silent))
    assert set(everything) == said


@pytest.mark.parametrize(
    ("suites", "ours", "found"),
    [
        (TODAY, {GOOD, NEW}, []),
        (TODAY, {NEW}, ["local.openssl_policy"]),
        ({TLS10: (GOOD,), TLS13: (NEW,)}, {NEW}, []),
        ({TLS12: (GOOD,)}, {NEW}, []),
        (TODAY, (), []),
    ],
)
def test_what_this_machine_leaves_out(suites: dict[int, tuple[int, ...]], ours: Any, found: list[str]) -> None:
    assert [finding.id for finding in local.policy(scanned(suites, ours=frozenset(ours)))] == found
