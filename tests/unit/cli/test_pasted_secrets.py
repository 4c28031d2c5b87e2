"""No command that takes text in shows or keeps a secret that stands in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import Runner

PLACES = (Path(__file__).parents[2] / "corpus" / "foreign" / "secrets.txt").read_text("utf-8").strip("\n").split("\n\n")
PLAIN = [place for place in PLACES if "SECRET" in place and not any(word in place for word in ("BASE64", "XOAUTH2"))]
CANARY = "zebra-Canary9"
REFUSED = f"535 5.7.8 Authentication failed; auth: {{ user: 'ann', pass: '{CANARY}' }}"
BOUNCE = f"""Content-Type: multipart/report; report-type=delivery-status; boundary=x

--x
Content-Type: text/plain

sorry

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com

Final-Recipient: rfc822; bob@example.net
Action: failed
Status: 5.7.8
Diagnostic-Code: smtp; 535 5.7.8 Authentication failed, password={CANARY}

--x--
"""
EVENT = {
    "at": 0.1,
    "stage": "auth",
    "kind": "sent",
    "tls": False,
    "text": f"AUTH PLAIN password={CANARY}",
    "facts": {"x": f"pass: {CANARY}"},
}


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_text_that_is_explained(smtpctl_call: Runner, form: str) -> None:
    for text in (*(place.replace("SECRET", CANARY) for place in PLAIN), REFUSED, BOUNCE):
        for args, stdin in (
            (["explain", text], ""),
            (["explain", "-"], text),
            (["explain", "-"], f"{text}\nx\n{text}\n550 5.1.1 no\n"),
        ):
            run = smtpctl_call(*args, "--format", form, stdin=stdin)
            assert CANARY not in run.stdout + run.stderr, text


def test_the_sample_of_a_log(smtpctl_call: Runner) -> None:
    replies = ("535 5.7.8 authentication failed", "550 5.1.1 user unknown", "552 5.2.2 mailbox full")
    log = "".join(f"mail app[1]: {reply}; password={CANARY}\n" for reply in replies)
    run = smtpctl_call("explain", "-", "--json", stdin=log * 3)
    causes = json.loads(run.stdout)["causes"]
    assert len(causes) > 1
    assert all("password=********" in cause["sample"] for cause in causes)
    assert CANARY not in run.stdout


@pytest.mark.parametrize("args", [["diagnose", REFUSED], ["diagnose", "-"]])
def test_a_text_that_is_diagnosed(smtpctl_call: Runner, args: list[str]) -> None:
    for form in ("text", "json"):
        run = smtpctl_call(*args, "--no-input", "--format", form, stdin=REFUSED)
        assert "********" in run.stdout
        assert CANARY not in run.stdout + run.stderr


def test_of_a_text_only_the_words_that_count_are_kept(smtpctl_call: Runner) -> None:
    text = f"what I have tried: {CANARY}\n535 5.7.8 Authentication failed\nit still does not work"
    run = smtpctl_call("diagnose", "-", "--no-input", "--json", stdin=text)
    assert json.loads(run.stdout)["said"] == "535 5.7.8 Authentication failed"


def test_a_saved_session(smtpctl_call: Runner, home: Path) -> None:
    """Of another program, or edited by hand."""
    ended = {**EVENT, "kind": "error", "facts": {"id": "auth.refused"}}
    (home / "session.jsonl").write_text(f"{json.dumps(EVENT)}\n{json.dumps(ended)}\n")
    for args in (
        ["report", "mail.test:25", "--transcript", "session.jsonl", "--output", "-"],
        ["explain", "session.jsonl"],
    ):
        for form in ("text", "json"):
            run = smtpctl_call(*args, "--format", form)
            assert "********" in run.stdout, run.stderr
            assert CANARY not in run.stdout + run.stderr


def test_a_url_that_was_taken_for_a_file(smtpctl_call: Runner) -> None:
    run = smtpctl_call("explain", f"smtp://ann:{CANARY}@mail.example.com/")
    assert (run.code, CANARY in run.stderr) == (2, False)
