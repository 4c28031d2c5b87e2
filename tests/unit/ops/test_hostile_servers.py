"""Every hostile server there is: a test mail ends in bounded time, with a finding and an exit status that is no defect."""

from __future__ import annotations

from pathlib import Path

import pytest

from smtpctl.config.resolve import resolve
from smtpctl.config.store import Document
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.report import ExitStatus
from smtpctl.model.secret import Secret
from smtpctl.ops import demo
from smtpctl.ops.session import Surroundings
from smtpctl.protocol.server.faults import HOSTILE, Faults
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink

# What does not keep a mail from arriving; a client that sends with BDAT never asks with DATA.
HARMLESS = {"eight_bit", "bare_code", "no_space", "reset_at_data", "close_at_data", "reset_at_quit", "close_at_quit"}
STATUS = {
    ExitStatus.TEMPORARY: {"silent", "slow_drip", "too_busy", "half_close", "starttls_refused", "reset_at_eod"},
    ExitStatus.PROTOCOL: {"endless_line", "endless_reply", "two_digits", "http", "ssh", "imap", "starttls_injection"},
    ExitStatus.UNAVAILABLE: {"not_for_you", "masked_ehlo", "helo_only", "tls_closed"},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_server_is_told_apart(name: str) -> None:
    setup = Setup(tls=TlsMode.STARTTLS, users={"ann": Secret("canary")}, faults=Faults(*HOSTILE[name]))
    with Sink(setup) as sink:
        overrides = {
            "host": sink.host,
            "port": str(sink.port),
            "tls": "starttls",
            "ca_file": sink.ca_file,
            "username": "ann",
            "from": "ann@example.com",
            "timeout": "1",
        }
        document = Document(Path("none"), exists=False)
        profile = resolve("", overrides, {"SMTPCTL_PASSWORD": "canary"}, document=document)
        report = demo.send(profile, Surroundings({}))
    status = report.status()
    assert "canary" not in str(report)
    assert (status is ExitStatus.OK) == (name in HARMLESS)
    assert bool(report.findings) or status is ExitStatus.OK
    assert [expected for expected, names in STATUS.items() if name in names] in ([], [status])
