"""What can be written after --fail, --delay and --drop."""

from __future__ import annotations

import pytest

from smtpctl.protocol.server.faults import End, Fault, Faults, delay, drop, refusal


def test_refusal() -> None:
    assert refusal("mail:451 4.3.0 Later: maybe") == Fault("mail", octets=b"451 4.3.0 Later: maybe\r\n")
    assert refusal("rcpt/bob@:550 No") == Fault("rcpt", octets=b"550 No\r\n", match="bob@")
    assert refusal("quit:421") == Fault("quit", octets=b"421\r\n")


def test_delay() -> None:
    assert delay("eod:2.5") == Fault("eod", delay=2.5)
    assert delay("auth/PLAIN:10") == Fault("auth", delay=10, match="PLAIN")


def test_drop() -> None:
    assert drop("data") == Fault("data", octets=b"", end=End.CLOSE)
    assert drop("tls:rst") == Fault("tls", octets=b"", end=End.RESET)
    assert drop("rcpt/bob:half") == Fault("rcpt", octets=b"", end=End.HALF, match="bob")


@pytest.mark.parametrize(
    "text", ["", "mail", "mail:", "mail:abc", "mail:999 x", "post:550 x", "mail:550 ä", "mail:5500"]
)
def test_bad_refusals_say_what_is_wrong(text: str) -> None:
    with pytest.raises(ValueError, match=r"begins with a stage|comes a reply"):
        refusal(text)


@pytest.mark.parametrize("text", ["mail", "mail:soon", "mail:-1", "nothing:1"])
def test_bad_delays(text: str) -> None:
    with pytest.raises(ValueError, match=r"begins with a stage|number of seconds"):
        delay(text)


@pytest.mark.parametrize("text", ["", "mail:later", "nothing"])
def test_bad_drops(text: str) -> None:
    with pytest.raises(ValueError, match=r"begins with a stage|may come close, rst, half"):
        drop(text)


def test_faults_are_found_by_stage_and_text() -> None:
    first, second = Fault("rcpt", match="BOB", delay=1), Fault("rcpt", times=1, delay=2)
    faults = Faults(first, second)
    assert faults.at("mail", "bob") == ()
    assert faults.at("rcpt", "RCPT TO:<bob@example.com>") == (first, second)
    assert faults.at("rcpt", "RCPT TO:<ann@example.com>") == ()
