"""Whole sessions from tests/corpus/transcripts: what is found, and at which line. A new case is a new file there."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripted import play, read, unproved
from smtpctl.checks.registry import CHECKS, SESSION
from smtpctl.knowledge import families
from smtpctl.net import errors

FAMILIES = ("auth", "conn", "local", "smtp", "starttls", "tls")
EMITS = {check.name: set(check.emits) for check in CHECKS}
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
    for outcome in report.outcomes:
        if outcome.result == "found" and outcome.check in EMITS:
            assert set(outcome.reason.split()) <= EMITS[outcome.check]


# What cannot be played without certificates, addresses or a proxy is found in tests/servers and tests/unit.
ELSEWHERE = {
    "conn.intercepted",
    "conn.partial",
    "conn.private_address",
    "local.ipv6_broken",
    "tls.client_cert_no_clientauth_eku",
}
# What a mail leads to, and what needs a name server, a proxy, a socket, a key or a library.
OF_A_MAIL = {"smtp.requiretls_missing", "smtp.dsn_missing"}
WITHOUT_A_SESSION = {
    "local.tls_file_unusable", "conn.dns_nxdomain", "conn.no_address", "conn.dns_temporary", "conn.refused", "conn.timeout",
    "conn.unreachable", "conn.socket_failed", "conn.proxy_failed", "tls.cert.untrusted", "tls.pin_mismatch",
    "auth.would_be_plaintext", "auth.credentials_unusable", "auth.library_missing",
}  # fmt: skip


def test_every_finding_of_a_session_has_a_transcript() -> None:
    shown = {id for path in FILES for id in read(path).expected}
    judged = {id for check in CHECKS for id in check.emits if not id.startswith(("tls.cert.", "tls.chain."))}
    ended = {id for ids in SESSION.values() for id in ids}
    refused = set(errors._BY_REASON.values())
    assert (judged | ended | refused | OF_A_MAIL) - ELSEWHERE - WITHOUT_A_SESSION <= shown


def test_every_finding_of_a_server_is_seen_somewhere() -> None:
    """In a transcript, or in a test of the code that makes it."""
    shown = {id for path in FILES for id in read(path).expected}
    folders = (Path(__file__).parent / name for name in ("unit", "servers"))
    tests = [path for folder in folders for path in folder.rglob("test_*.py") if path.name != "test_checklist.py"]
    texts = "".join(path.read_text(encoding="utf-8").replace("\\", "") for path in tests)
    ours = (entry.id for entry in families.all_entries() if entry.id.split(".")[0] in FAMILIES)
    assert {id for id in ours if id not in shown and f'"{id}"' not in texts} == {"auth.no_credentials"}
