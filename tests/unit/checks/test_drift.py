"""What counts as a difference from a baseline, and what normally varies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.checks.drift import JUDGES, drift, lasting
from smtpctl.knowledge import families
from smtpctl.model.baseline import Baseline, Leaf, Step, steps
from smtpctl.model.finding import Finding, Severity
from smtpctl.model.transcript import Event, Kind, Stage, Transcript

LEAF = Leaf("CN=R11,O=Let's Encrypt,C=US", "aa", "sha256:bb", 1_800_000_000, ("mail.example.com", "smtp.example.com"))
THEN = Baseline(
    "2026-11-20T10:00:00Z",
    "0.1.0",
    "smtp mail.example.com:587 tls=starttls",
    addresses=("192.0.2.1", "192.0.2.2"),
    greeting="220 mx1.example.com ESMTP Postfix",
    clear={"STARTTLS": (), "SIZE": ("1000",)},
    secured={"SIZE": ("1000",), "AUTH": ("PLAIN", "LOGIN"), "DSN": ()},
    tls="TLSv1.3",
    cipher="TLS_AES_256_GCM_SHA384",
    suites={"TLS 1.0": (), "TLS 1.2": ("TLS_X", "TLS_Y"), "TLS 1.3": ("TLS_AES_256_GCM_SHA384",)},
    certificate=LEAF,
    dialogue=(
        Step(Stage.CONNECT, "connected", "connected to 192.0.2.1:587"),
        Step(Stage.GREETING, "220", "220 mx1.example.com ESMTP Postfix"),
        Step(Stage.AUTH, "AUTH PLAIN 235", "AUTH PLAIN: 235 2.7.0 Authentication successful"),
    ),
)


def found(then: Baseline = THEN, **changes: Any) -> list[Finding]:
    return list(drift(then, THEN._replace(**changes), "mail.example.com:587"))


def one(**changes: Any) -> Finding:
    (finding,) = found(**changes)
    return finding


def evidence(finding: Finding) -> list[str]:
    return [f"{piece.label} {piece.text}".strip() for piece in finding.evidence]


def test_nothing_differs_from_itself() -> None:
    assert not found()


@pytest.mark.parametrize(
    "changes",
    [
        {"taken": "2027-01-01T00:00:00Z", "version": "9"},
        {"addresses": ("192.0.2.2", "192.0.2.9")},
        {"addresses": ()},  # a proxy looked it up
        {"greeting": "220 mx7.example.com ESMTP Postfix"},
        {"secured": {"DSN": (), "AUTH": ("LOGIN", "PLAIN"), "SIZE": ("1000",)}},
        {"clear": {**(THEN.clear or {}), "AUTH": ("PLAIN",)}},  # the check of AUTH before TLS tells it
        {"certificate": None, "secured": None, "clear": None, "tls": "", "cipher": "", "greeting": ""},
        {"suites": None},
        {"suites": {"TLS 1.2": ("TLS_Y", "TLS_X")}},  # another order; of the others not all could be asked
    ],
)
def test_what_varies_or_was_not_reached_is_no_difference(changes: dict[str, Any]) -> None:
    assert not found(**changes)


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("220 smtp.gmail.com ESMTP a640c23a62f3a-a9f1f2da4easm123 - gsmtp", "220 smtp.gmail.com ESMTP 98e67ed59e1d1-3 - gsmtp"),
        (
            "220 AM0PR04CA0012.outlook.office365.com Microsoft ESMTP MAIL Service ready at Fri, 20 Nov 2026 10:00:00 +0000 [08DD]",
            "220 DB7PR05CA0051.outlook.office365.com Microsoft ESMTP MAIL Service ready at Sat, 6 Dec 2026 23:00:00 +0000 [08DE]",
        ),
        ("220-cp.example.com ESMTP Exim (Debian) #1 Friday, 6 March 2026 9:00:00 AM (CET)",
         "220 cp.example.com ESMTP Exim (Debian) #2 Monday, 3 August 2026 5:00:00 PM (CEST)"),
        ("220 mail.example.com ESMTP Exim 4.98 Fri, 20 Nov 2026 10:00:00 +0000", "220 mail.example.com ESMTP Exim 4.99 Mon, 1 Dec 2026 10:00:00 +0000"),
    ],
)  # fmt: skip
def test_ids_times_and_single_machines_in_greetings_do_not_count(then: str, now: str) -> None:
    assert lasting(then) == lasting(now)


@pytest.mark.parametrize(
    "now", ["220 mail.example.com ESMTP Exim", "220 mail.other.test ESMTP Postfix", "554 mail.example.com no"]
)
def test_another_program_operator_or_code_does(now: str) -> None:
    assert one(greeting=now).id == "drift.server"


def test_a_lost_extension_warns_a_new_one_is_told() -> None:
    lost = one(secured={"SIZE": ("1000",), "AUTH": ("PLAIN", "LOGIN")})
    assert (lost.id, lost.severity, evidence(lost)) == ("drift.extensions", Severity.WARNING, ["no DSN any more"])
    new = one(secured={**(THEN.secured or {}), "CHUNKING": ()})
    assert (new.severity, evidence(new)) == (Severity.NOTE, ["CHUNKING is new"])
    other = one(secured={**(THEN.secured or {}), "SIZE": ("2000",)})
    assert (other.severity, evidence(other)) == (Severity.NOTE, ["SIZE: 2000, and it was 1000"])


def test_starttls_that_is_gone_is_told_though_the_session_ended_there() -> None:
    lost = one(clear={"SIZE": ("1000",)}, secured=None)
    assert evidence(lost) == ["no STARTTLS any more"]
    assert lost.severity is Severity.WARNING


def test_mechanisms_are_told_apart_from_extensions() -> None:
    changed = one(secured={**(THEN.secured or {}), "AUTH": ("plain", "XOAUTH2")})
    assert (changed.id, changed.severity) == ("drift.mechanisms", Severity.WARNING)
    assert evidence(changed) == ["no LOGIN any more", "XOAUTH2 is new"]


@pytest.mark.parametrize(
    ("leaf", "severity", "said"),
    [
        (LEAF._replace(sha256="cc", issuer="CN=E6,O=Let's Encrypt,C=US", not_after=1), Severity.NOTE, ""),
        (LEAF._replace(sha256="cc", issuer=r"CN=X,O=Other\, Inc,C=US"), Severity.WARNING, ": another issuer"),
        (LEAF._replace(sha256="cc", names=("mail.example.com",)), Severity.WARNING, ": without smtp.example.com"),
        (LEAF._replace(sha256="cc", issuer="CN=me", names=()), Severity.WARNING,
         ": another issuer and without mail.example.com, smtp.example.com"),
    ],
)  # fmt: skip
def test_a_renewal_is_a_note_another_certificate_a_warning(leaf: Leaf, severity: Severity, said: str) -> None:
    changed = one(certificate=leaf)
    assert (changed.id, changed.severity) == ("drift.certificate", severity)
    assert changed.title == f"mail.example.com shows another certificate than on 2026-11-20{said}"


def test_an_older_tls_version_warns() -> None:
    older = one(tls="TLSv1.2", cipher="ECDHE-RSA-AES256-GCM-SHA384")
    assert (older.id, older.severity) == ("drift.tls", Severity.WARNING)
    assert evidence(older)[0] == "then: TLSv1.3 TLS_AES_256_GCM_SHA384"
    assert one(cipher="TLS_AES_128_GCM_SHA256").severity is Severity.NOTE


def test_tls_versions_and_suites_that_are_gone_warn() -> None:
    changed = one(suites={"TLS 1.0": ("TLS_X",), "TLS 1.2": ("TLS_X", "TLS_Z"), "TLS 1.3": ()})
    assert (changed.id, changed.severity) == ("drift.suites", Severity.WARNING)
    assert evidence(changed) == [
        "TLS 1.2: no TLS_Y any more", "no TLS 1.3 any more", "TLS 1.0 is new: TLS_X", "TLS 1.2: TLS_Z new",
    ]  # fmt: skip
    assert one(suites={"TLS 1.2": ("TLS_X", "TLS_Y", "TLS_Z")}).severity is Severity.NOTE


def test_another_endpoint_comes_first() -> None:
    changed = found(server="smtp mail.example.com:465 tls=implicit", dialogue=())
    assert [finding.id for finding in changed] == ["drift.endpoint", "drift.dialogue"]
    assert evidence(changed[0])[1] == "now: smtp mail.example.com:465 tls=implicit"


def test_only_other_addresses_count() -> None:
    moved = one(addresses=("198.51.100.7",))
    assert (moved.id, evidence(moved)) == ("drift.addresses", ["then: 192.0.2.1 192.0.2.2", "now: 198.51.100.7"])


def test_the_first_step_that_differs() -> None:
    refused = Step(Stage.AUTH, "AUTH PLAIN 535 5.7.8", "AUTH PLAIN: 535 5.7.8 No")
    changed = one(dialogue=(*THEN.dialogue[:2], refused, Step(Stage.AUTH, "ended by x", "y")))
    assert (changed.id, changed.stage) == ("drift.dialogue", Stage.AUTH)
    assert evidence(changed) == [
        "both: 220 mx1.example.com ESMTP Postfix",
        "then: AUTH PLAIN: 235 2.7.0 Authentication successful",
        "now: AUTH PLAIN: 535 5.7.8 No",
    ]


def test_a_step_with_other_words_is_not_called_the_same() -> None:
    ehlo = Step(Stage.EHLO, "EHLO 250", "EHLO: 250 mx, AUTH LOGIN, DSN")
    then = THEN._replace(dialogue=(ehlo, Step(Stage.AUTH, "AUTH LOGIN 334", "AUTH LOGIN: 334")))
    dialogue = (ehlo._replace(said="EHLO: 250 mx, AUTH PLAIN"), Step(Stage.AUTH, "AUTH PLAIN 535", "AUTH PLAIN: 535"))
    (changed,) = drift(then, THEN._replace(dialogue=dialogue), "mail.example.com:587")
    assert evidence(changed) == [
        "then, same code: EHLO: 250 mx, AUTH LOGIN, DSN",
        "now, same code: EHLO: 250 mx, AUTH PLAIN",
        "then: AUTH LOGIN: 334",
        "now: AUTH PLAIN: 535",
    ]


def test_a_session_that_is_shorter_or_longer() -> None:
    shorter = one(dialogue=THEN.dialogue[:2])
    assert evidence(shorter)[-1] == "now: (no further step)"
    first = one(dialogue=(Step(Stage.CONNECT, "ended by conn.refused", "refused"),))
    assert evidence(first) == ["then: connected to 192.0.2.1:587", "now: refused"]


# Steps of a transcript


def event(stage: Stage, kind: Kind, text: str, **facts: Any) -> Event:
    return Event(0.0, stage, kind, text, False, facts)


def test_a_step_is_a_reply_a_connection_or_a_handshake() -> None:
    transcript = Transcript(
        [
            event(Stage.DNS, Kind.ATTEMPT, "mx: 192.0.2.1", addresses=["192.0.2.1"]),
            event(Stage.CONNECT, Kind.ATTEMPT, "192.0.2.9: refused", error="refused"),
            event(Stage.CONNECT, Kind.ATTEMPT, "connected to 192.0.2.1:587"),
            event(Stage.GREETING, Kind.RECEIVED, "220-mx"),
            event(Stage.GREETING, Kind.RECEIVED, "220 hello"),
            event(Stage.EHLO, Kind.SENT, "EHLO me"),
            event(Stage.EHLO, Kind.RECEIVED, "250-mx 5.1.1"),
            event(Stage.EHLO, Kind.RECEIVED, "250-DSN"),
            event(Stage.EHLO, Kind.RECEIVED, "250 AUTH PLAIN"),
            event(Stage.TLS, Kind.TLS, "TLSv1.3"),
            event(Stage.AUTH, Kind.NOTE, "mechanisms to try: CRAM-MD5"),
            event(Stage.AUTH, Kind.SENT, "AUTH CRAM-MD5"),
            event(Stage.AUTH, Kind.RECEIVED, "334 ********"),
            event(Stage.AUTH, Kind.SENT, "********"),
            event(Stage.AUTH, Kind.RECEIVED, "535 5.7.8 No, ann"),
            event(Stage.QUIT, Kind.RECEIVED, "221 bye"),
            event(Stage.AUTH, Kind.ERROR, "refused", id="auth.refused"),
        ]
    )
    assert [step.what for step in steps(transcript)] == [
        "connected", "220", "EHLO 250", "handshake", "AUTH CRAM-MD5 334", "AUTH CRAM-MD5 535 5.7.8", "ended by auth.refused",
    ]  # fmt: skip
    assert [step.said for step in steps(transcript)][1:3] == ["220 mx, hello", "EHLO: 250 mx 5.1.1, DSN, AUTH PLAIN"]


def test_a_baseline_is_read_back_as_it_was() -> None:
    for baseline in (THEN, THEN._replace(clear=None, secured=None, certificate=None, dialogue=())):
        assert Baseline.from_json(json.loads(json.dumps(baseline.to_json()))) == baseline


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(THEN.to_json())), values)
def test_whatever_a_file_holds_is_refused_or_can_be_compared(key: str, value: Any) -> None:
    try:
        other = Baseline.from_json({**json.loads(json.dumps(THEN.to_json())), key: value})
    except (KeyError, TypeError, ValueError):
        return
    for finding in (*drift(other, THEN, "mail.example.com:587"), *drift(THEN, other, "mail.example.com:587")):
        assert finding.id.startswith("drift.")
    assert Baseline.from_json(json.loads(json.dumps(other.to_json()))) == other


def test_each_judge_finds_what_it_is_listed_with() -> None:
    other = THEN._replace(
        server="smtp x.test:25 tls=none", suites={"TLS 1.2": ()}, addresses=("198.51.100.7",), greeting="220 x.test y", secured={"AUTH": ()}, tls="x", dialogue=(),
        certificate=LEAF._replace(sha256="cc"),
    )  # fmt: skip
    assert [finding.id for finding in drift(THEN, other, "mail.example.com:587")] == list(JUDGES)
    assert set(JUDGES) == set(families.family("drift"))
