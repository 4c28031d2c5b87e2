"""`smtpctl sink` and `smtpctl demo` as a user runs them."""

from __future__ import annotations

import itertools
import json
import shlex
import signal
import smtplib
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness import Runner
from smtpctl.ops.schemas import of_output


@contextmanager
def started(program: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A sink with `--json` on a free port; killed if the test forgets to end it."""
    words = [str(program), "sink", "--port", "0", "--json", *options]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    jsonschema.Draft202012Validator(json.loads(of_output("sink"))).validate(said)
    return said


def send(port: int, content: str | bytes = "Subject: hello\r\n\r\nx\r\n") -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.sendmail("ann@example.com", ["bob@example.com"], content)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_json_lines_until_it_is_told_to_end(smtpctl_program: Path, end: signal.Signals) -> None:
    with started(smtpctl_program) as process:
        first = line(process)
        assert (first["schema"], first["event"], first["tls"]) == ("smtpctl.sink/1", "listening", "none")
        send(first["port"])
        mail = line(process)
        assert (mail["event"], mail["sender"]["address"]) == ("mail", "ann@example.com")
        assert mail["content"] == "Subject: hello\r\n\r\nx\r\n"
        process.send_signal(end)
        assert line(process) == {"schema": "smtpctl.sink/1", "event": "summary", "mails": 1, "connections": 1}
        assert process.wait(10) == 0


def test_it_ends_by_itself_after_a_count_and_keeps_what_it_caught(smtpctl_program: Path, tmp_path: Path) -> None:
    with started(smtpctl_program, "--count", "1", "--output", str(tmp_path / "caught"), "-q") as process:
        send(line(process)["port"])
        assert process.wait(10) == 0
    assert len(list((tmp_path / "caught" / "new").iterdir())) == 1


def test_the_screen_tells_where_and_what(smtpctl_program: Path) -> None:
    words = [str(smtpctl_program), "sink", "--port", "0", "--count", "1", "-v", "--fail", "auth:454 4.7.0 Later"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = dict(line.split() for line in (process.stderr.readline() for _ in range(5)) if len(line.split()) == 2)
        assert told == {"host": "127.0.0.1", "port": told["port"], "encryption": "none"}
        send(int(told["port"]), "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n\xe4\r\n".encode("latin-1"))
        out, said = process.communicate(timeout=10)
    assert out == ""
    assert "  C: MAIL FROM:<ann@example.com>" in said.replace(" size=43", "").replace("mail", "MAIL")
    assert "ann@example.com → bob@example.com  “Grüße”  43 octets ESMTP" in said
    assert "  ! the content has octets above 127" in said
    assert "1 mail, 43 octets, 1 connection" in said


def test_it_fails_as_told(smtpctl_program: Path) -> None:
    with started(smtpctl_program, "--fail", "rcpt/bob@:550 5.1.1 No such user") as process:
        port = line(process)["port"]
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            send(port)
    assert refused.value.recipients == {"bob@example.com": (550, b"5.1.1 No such user")}


@pytest.mark.parametrize(
    ("name", "exit_code"),
    [
        ("m365.535-5-7-139-mailbox-disabled", 77),
        ("google.535-5-7-8-xoauth2", 77),
        ("generic.rcpt-greylisted", 75),
        ("ses.454-rate", 75),
        ("starttls.response_injection", 76),
    ],
)
def test_it_plays_a_failure_and_says_how_to_meet_it(
    smtpctl_program: Path, smtpctl_run: Runner, name: str, exit_code: int
) -> None:
    with started(smtpctl_program, "--as", name) as process:
        said = line(process)
        words = shlex.split(said["try"])
        env = dict(word.split("=", 1) for word in words[: words.index("smtpctl")])
        done = smtpctl_run(*words[words.index("smtpctl") + 1 :], "--json", env=env)
    assert said["as"] == name
    assert json.loads(done.stdout)["findings"][0]["id"] == name
    assert done.code == exit_code


def test_the_screen_tells_who_is_played(smtpctl_program: Path) -> None:
    words = [str(smtpctl_program), "sink", "--port", "0", "--count", "1", "--as", "generic.data-spam-rejected"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = list(itertools.takewhile(lambda text: not text.startswith("Waiting"), process.stderr))
        port = dict(text.split(maxsplit=1) for text in told if text.startswith("  "))["port"]
        with pytest.raises(smtplib.SMTPDataError) as refused:
            send(int(port))
        process.communicate(timeout=10)
    assert told[2].startswith("  plays       generic.data-spam-rejected: ")
    assert "  says        550 5.7.1 message content rejected\n" in told
    assert "  when        after the mail\n" in told
    assert refused.value.smtp_error == b"5.7.1 message content rejected"


def test_wrong_usage(smtpctl_call: Callable[..., Any]) -> None:
    done = smtpctl_call("sink", "--drop", "nowhere")
    assert done.code == 2
    assert done.stderr.startswith("error: --drop 'nowhere': it begins with a stage: greeting, ehlo")


def test_demo(smtpctl_run: Callable[..., Any], home: Path) -> None:
    done = smtpctl_run("demo")
    assert done.code == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for said in ("1. A server", "queued as", "The server has it", "2. The same", "535 5.7.8", "3. What to do next"):
        assert said in done.stdout
    assert not list(home.iterdir())  # nothing is left behind
