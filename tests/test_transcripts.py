"""Whole sessions from tests/corpus/transcripts: what is found, and at which line. A new case is a new file there."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripted import play, read, unproved
from smtpctl.checks.registry import CHECKS
from smtpctl.net import errors

FOLDER = Path(__file__).parent / "corpus" / "transcripts"
FILES = sorted(FOLDER.glob("*.txt"))

# What most of the short sessions show beside what they are about: settings, and servers that can do next to nothing.
BESIDE = ("config.", "smtp.missing_", "smtp.ehlo_changes_after_tls")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_transcript(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = read(path)
    report = play(case, monkeypatch)
    names = {finding.id for finding in report.findings}
    found = {name for name in names if not name.startswith(BESIDE) or name in case.expected}
    assert found == case.expected, case.title
    assert list(unproved(case, report)) == []


# What cannot be played without certificates, addresses or a proxy is found in tests/servers and tests/unit.
ELSEWHERE = {"conn.partial", "conn.private_address", "local.ipv6_broken", "tls.client_cert_no_clientauth_eku"}
# What dialogues raise as an Obstacle.
OBSTACLES = {
    "starttls.not_offered", "auth.not_offered", "auth.no_common_mechanism", "auth.server_not_authenticated",
    "auth.challenge_not_understood", "auth.challenge_undecodable", "smtp.unsafe_input", "smtp.smtputf8_missing",
    "smtp.requiretls_missing", "smtp.dsn_missing",
}  # fmt: skip
# What the runner finds in how a session ends.
ENDS = {
    "conn.closed", "conn.reset", "conn.greeting_timeout", "conn.not_smtp", "conn.port_is_implicit_tls",
    "conn.port_is_plaintext", "conn.total_timeout", "smtp.closed_by_server", "smtp.reply_timeout",
    "smtp.protocol_violation", "smtp.reply_too_long", "smtp.reply_endless", "smtp.early_421", "smtp.greeting_refused",
    "starttls.refused", "starttls.no_tls_after_220", "starttls.response_injection", "tls.handshake_timeout", "tls.handshake_failed",
    "auth.refused",
}  # fmt: skip


def test_every_finding_of_a_session_has_a_transcript() -> None:
    shown = {id for path in FILES for id in read(path).expected}
    judged = {id for check in CHECKS for id in check.emits if not id.startswith(("tls.cert.", "tls.chain."))}
    refused = set(errors._BY_REASON.values())
    assert judged - ELSEWHERE | OBSTACLES | ENDS | refused <= shown
