"""Checks are run over what a session gave; none of them can lose the report."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smtpctl.checks import registry, runner
from smtpctl.checks.facts import Facts
from smtpctl.knowledge.families import entry
from smtpctl.model.endpoint import Endpoint, TlsPolicy
from smtpctl.model.finding import Finding
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
