"""Checks are run over what a session gave; none of them can lose the report."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smtpctl.checks import registry, runner
from smtpctl.checks.facts import Facts
from smtpctl.knowledge.families import entry
from smtpctl.model.endpoint import Endpoint, TlsPolicy
from smtpctl.model.finding import Finding, Severity
from smtpctl.model.transcript import Event, Kind, Stage, Transcript


def facts(*events: Event, host: str = "mx.example.com", port: int = 25) -> Facts:
    endpoint = Endpoint(host, port)
    return Facts(str(endpoint), endpoint, TlsPolicy(), "me.example.com", Transcript(events), None, None, (), 0.0)


def event(stage: Stage, text: str, kind: Kind = Kind.RECEIVED, *, secured: bool = False, **about: object) -> Event:
    return Event(0.0, stage, kind, text, secured, about)


def test_checks_wait_for_their_stage() -> None:
    _, outcomes = runner.run(facts(event(Stage.CONNECT, "connected", Kind.ATTEMPT, address="192.0.2.1")))
    results = {outcome.check: outcome.result for outcome in outcomes}
    assert results["addresses"] == "passed"
    assert {results[name] for name in ("greeting", "ehlo", "chain")} == {"skipped"}


def test_a_check_that_crashes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Facts) -> Iterator[Finding]:
        yield entry("conn.partial").finding()
        raise RuntimeError("oh")

    check = registry.Check("broken", broken, Stage.CONNECT, ())
    monkeypatch.setattr(runner, "CHECKS", (check, *registry.CHECKS))
    found, outcomes = runner.run(facts(event(Stage.CONNECT, "connected", Kind.ATTEMPT, address="192.0.2.1")))
    assert found == ()
    assert outcomes[0] == ("broken", "crashed", "RuntimeError: oh")
    assert len(outcomes) == len(registry.CHECKS) + 1


def test_every_id_is_in_the_catalogue() -> None:
    for check in registry.CHECKS:
        for name in check.emits:
            assert entry(name).id == name


@pytest.mark.parametrize(
    ("failed", "worked", "found"),
    [
        ("192.0.2.1", "192.0.2.2", "conn.partial"), ("2001:db8::1", "2001:db8::2", "conn.partial"),
        ("192.0.2.1", "2001:db8::2", "conn.partial"), ("2001:db8::1", "192.0.2.2", "local.ipv6_broken"),
    ],
)  # fmt: skip
def test_addresses(failed: str, worked: str, found: str) -> None:
    events = (
        event(Stage.CONNECT, f"{failed}: refused", Kind.ATTEMPT, address=failed, error="refused"),
        event(Stage.CONNECT, f"connected to {worked}", Kind.ATTEMPT, address=worked),
    )
    findings, _ = runner.run(facts(*events))
    assert [finding.id for finding in findings] == [found]
    assert runner.run(facts(events[0]))[0] == ()


def test_what_was_offered_before_and_after_tls() -> None:
    seen = facts(
        event(Stage.EHLO, "EHLO me", Kind.SENT),
        event(Stage.EHLO, "250-mx"),
        event(Stage.EHLO, "250 STARTTLS"),
        event(Stage.EHLO, "EHLO me", Kind.SENT, secured=True),
        event(Stage.EHLO, "250-mx", secured=True),
        event(Stage.EHLO, "250 AUTH PLAIN", secured=True),
    )
    before, after = seen.offered(secured=False), seen.offered(secured=True)
    assert before
    assert after
    assert (before.has("STARTTLS"), after.auth) == (True, ("PLAIN",))
    assert facts().offered(secured=True) is None
    refused = facts(event(Stage.EHLO, "EHLO me", Kind.SENT), event(Stage.EHLO, "550 no"))
    assert refused.offered(secured=False) is None


@pytest.mark.parametrize(
    ("port", "role"), [(25, "mx"), (587, "submission"), (465, "submission"), (2525, "submission"), (1025, "submission")]
)
def test_role(port: int, role: str) -> None:
    assert facts(port=port).role == role
    assert facts(port=port)._replace(given_role="mx").role == "mx"
    assert facts(port=port)._replace(given_role="submission").role == "submission"


def looked_up(*addresses: str) -> Event:
    return event(Stage.DNS, "mx.example.com", Kind.ATTEMPT, addresses=list(addresses))


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "172.31.255.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "169.254.1.1", "fd00::1", "fe80::1", "::1", "224.0.0.1", "255.255.255.255"]
)  # fmt: skip
def test_a_public_name_with_a_private_address(address: str) -> None:
    assert [finding.id for finding in runner.run(facts(looked_up(address)))[0]] == ["conn.private_address"]


@pytest.mark.parametrize(
    "address",
    [
        "9.9.9.9",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700::1111",
        "11.0.0.1",
        "192.167.1.1",
        "172.15.0.1",
        "100.63.0.1",
        "22.4.0.1",
        "::2",
    ],
)
def test_a_public_address(address: str) -> None:
    assert runner.run(facts(looked_up(address)))[0] == ()


@pytest.mark.parametrize("host", ["mail.corp.internal", "mail.local", "relay", "10.0.0.1"])
def test_names_that_are_private_by_themselves(host: str) -> None:
    assert runner.run(facts(looked_up("10.0.0.1"), host=host))[0] == ()


@pytest.mark.parametrize(
    ("port", "reached", "severity"),
    [(587, False, Severity.WARNING), (25, False, Severity.ERROR), (25, True, Severity.WARNING)],
)
def test_how_bad_a_private_address_is(port: int, reached: bool, severity: Severity) -> None:
    connected = [event(Stage.CONNECT, "connected", Kind.ATTEMPT, address="10.0.0.1")] if reached else []
    found, _ = runner.run(facts(looked_up("10.0.0.1"), *connected, port=port))
    assert [finding.severity for finding in found] == [severity]


def test_what_only_concerns_another_role_is_left_out() -> None:
    greeted = event(Stage.GREETING, "220 mailserver ESMTP")
    assert [finding.id for finding in runner.run(facts(greeted, port=25))[0]] == ["smtp.banner_no_fqdn"]
    assert runner.run(facts(greeted, port=587))[0] == ()


@pytest.mark.parametrize(
    ("name", "bad"),
    [("localhost", True), ("192.0.2.10", True), ("me", True), ("me.example.com", False), ("[192.0.2.10]", False), ("[IPv6:2001:db8::1]", False)],
)  # fmt: skip
def test_our_own_name(name: str, bad: bool) -> None:
    seen = facts(event(Stage.EHLO, f"EHLO {name}", Kind.SENT), port=587)._replace(helo=name)
    assert [finding.id for finding in runner.run(seen)[0]] == ["smtp.helo_name_bad"] * bad


@pytest.mark.parametrize(
    ("slower", "worked", "found"),
    [
        ("2001:db8::1", "192.0.2.2", ["local.ipv6_broken"]),
        ("192.0.2.1", "2001:db8::2", []),
        ("2001:db8::1", "2001:db8::2", []),
    ],
)
def test_an_address_that_was_overtaken(slower: str, worked: str, found: list[str]) -> None:
    events = (
        event(Stage.CONNECT, f"{slower}: no answer in 270 ms", Kind.ATTEMPT, address=slower, overtaken=True),
        event(Stage.CONNECT, f"connected to {worked}", Kind.ATTEMPT, address=worked),
    )
    assert [finding.id for finding in runner.run(facts(*events))[0]] == found
