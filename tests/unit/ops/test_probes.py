"""Probes: what each says and does not say to a server, and what it makes of the answers."""

from __future__ import annotations

import os
from typing import Any

import pytest

from profiles import ids, profile
from rawserver import Peer, RawServer
from smtpctl.cli.check import command
from smtpctl.cli.parameters import parameters
from smtpctl.knowledge.families import MX
from smtpctl.model.errors import UsageProblem
from smtpctl.model.report import Report
from smtpctl.model.secret import MASK
from smtpctl.ops import probes
from smtpctl.ops.probes import PROBES, check_and_probe
from smtpctl.ops.session import Surroundings
from smtpctl.protocol import smuggle
from smtpctl.protocol.smuggle import Smuggled
from smtpctl.render import to_json

Script = dict[str, list[str]]  # verb: the replies it gets, the last one again and again
PIPELINING = {"EHLO": ["250-mx.example.com\r\n250 PIPELINING"]}
OUT_OF_ORDER = {"RCPT": ["503 5.5.1 Need MAIL first"]}


class Server(RawServer):
    """Plays a table of replies and keeps what was said, also in content."""

    def __init__(self, script: Script, ends: tuple[bytes, ...] = (b"\r\n.\r\n",)) -> None:
        super().__init__(self._play)
        self.script, self.ends, self.said = script, ends, list[str]()

    def _play(self, peer: Peer) -> None:
        peer.say("220 mx.example.com ESMTP")
        while True:
            line = peer.hear()[0]
            self.said.append(line)
            verb = line.split(" ")[0].split(":")[0]
            replies = self.script.get(verb, ["250 Ok"])
            peer.say(replies.pop(0) if len(replies) > 1 else replies[0])
            if verb == "DATA" and replies[0].startswith("354"):
                self._content(peer)
            if verb == "QUIT":
                return

    def _content(self, peer: Peer) -> None:
        content = b""
        while not content.endswith(self.ends):
            content += peer.octets()
        self.said.append(content.decode())
        peer.say("250 2.0.0 Queued")


def probed(server: Server, *names: str, **settings: Any) -> Report:
    made = profile(server.host, server.port, **{"tls": "none", "trusted": True, "from": "ann@a.test", **settings})
    return check_and_probe(made, Surroundings({}), ["bob@b.test"] if "bare-lf" in names else [], names)


def verdict(report: Report) -> tuple[str, str | None]:
    (one,) = report.facts["probes"]
    return one["result"], one["finding"]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ({"RCPT": ["554 5.7.1 Relay access denied"]}, ("passed", None)),
        ({"MAIL": ["530 5.7.0 Authentication required"]}, ("passed", None)),
        ({"RCPT": ["450 4.7.1 Greylisted"]}, ("skipped", None)),
        ({}, ("found", "smtp.open_relay")),
        ({"RCPT": ["554 5.7.1 Relay access denied", "250 Ok"]}, ("found", "smtp.open_relay")),
    ],
)
def test_open_relay(script: Script, expected: tuple[str, str | None]) -> None:
    with Server(script) as server:
        report = probed(server, "open-relay", username="ann", password="wonderland", auth="none")
    assert verdict(report) == expected
    assert ("smtp.open_relay" in ids(report)) == (expected[0] == "found")
    if expected[1]:
        found = next(finding for finding in report.findings if finding.id == expected[1])
        assert "stranger" not in found.title
        assert found.causes[0].likelihood > 0.8, "who asks from the same machine is trusted"
    assert not any(line.startswith(("AUTH", "DATA", "BDAT")) for line in server.said)
    assert [event.text for event in report.transcript if event.text in server.said] == server.said, "all is on record"
    assert [line for line in server.said if line.startswith("RCPT")] == [f"RCPT TO:<{probes.FOREIGN_RECIPIENT}>"] * sum(
        line.startswith("RCPT") for line in server.said
    )
    if not script:
        assert server.said.count("RSET") == 2, "both transactions were given up"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ({}, ("passed", None)),
        ({"RCPT": ["550 5.1.1 No such user"]}, ("found", "smtp.postmaster_missing")),
        ({"RCPT": ["451 4.3.0 Later"]}, ("skipped", None)),
        ({"MAIL": ["550 5.7.1 Not you"]}, ("skipped", None)),
        ({"MAIL": ["550 5.7.1 Not you"], **PIPELINING, **OUT_OF_ORDER}, ("skipped", None)),
    ],
)
def test_postmaster(script: Script, expected: tuple[str, str | None]) -> None:
    with Server(script) as server:
        report = probed(server, "postmaster", role="mx")
    assert verdict(report) == expected
    assert {finding.role for finding in report.findings if finding.id.startswith("smtp.")} == {"mx"}
    assert "DATA" not in server.said


def test_a_refused_sender_is_what_is_told_of_a_group() -> None:
    with Server({"MAIL": ["530 5.7.0 Authentication required"], **PIPELINING, **OUT_OF_ORDER}) as server:
        report = probed(server, "open-relay")
    assert report.outcomes[-1].reason == "530 5.7.0 Authentication required"


def test_only_an_mx_needs_a_postmaster() -> None:
    with Server({}) as server:
        report = probed(server, "postmaster")
    assert verdict(report) == ("skipped", None)
    assert report.outcomes[-1].reason.startswith("only of a server with the role mx")


@pytest.mark.parametrize(
    ("script", "ends", "expected"),
    [
        ({"DATA": ["354 Go"]}, (b"\r\n.\r\n",), ("passed", None)),
        ({"DATA": ["354 Go"]}, (b"\n.\r\n",), ("found", "smtp.bare_lf_accepted")),
        ({"DATA": ["354 Go"]}, (b"\n.\n", b"\r\n.\r\n"), ("found", "smtp.bare_lf_accepted")),
        ({"RCPT": ["550 5.1.1 No such user"]}, (), ("skipped", None)),
        ({"DATA": ["451 4.3.0 Later"]}, (), ("skipped", None)),
        ({"DATA": ["250 2.0.0 Ok"]}, (), ("skipped", None)),
    ],
)
def test_bare_line_feeds(
    monkeypatch: pytest.MonkeyPatch, script: Script, ends: tuple[bytes, ...], expected: tuple[str, str | None]
) -> None:
    monkeypatch.setattr(smuggle, "PATIENCE", 0.05)
    with Server(script, ends) as server:
        assert verdict(probed(server, "bare-lf")) == expected
    if ends:
        assert sum(line == "DATA" for line in server.said) == 1
        assert "smtpctl check --probe bare-lf" in server.said[server.said.index("DATA") + 1]


def test_a_refusal_of_bare_line_feeds_is_what_is_wanted() -> None:
    from smtpctl.model.reply import Reply

    made = profile("mx.example.com", 25)
    refused = Smuggled(Reply(550, ("5.5.2 mx Error: bare <LF> received",)), "<LF>.<LF>")
    assert probes._smuggled(made, MX, refused).result == "passed"


def test_a_session_that_ends_early_is_no_verdict() -> None:
    with RawServer(lambda peer: peer.say("554 5.7.1 Go away")) as server:
        made = profile(server.host, server.port, tls="none", trusted=True)
        report = check_and_probe(made, Surroundings({}), [], ["open-relay"])
    assert verdict(report) == ("skipped", None)


def test_a_server_of_a_provider_is_left_alone() -> None:
    with pytest.raises(UsageProblem, match="belongs to Google"):
        check_and_probe(profile("smtp.gmail.com", 587), Surroundings({}), [], ["open-relay"])


def test_a_mail_is_sent_to_nobody_by_chance() -> None:
    with pytest.raises(UsageProblem, match="sends a mail"):
        check_and_probe(profile("127.0.0.1", 25), Surroundings({}), [], ["bare-lf"])


def test_the_option_names_every_probe() -> None:
    option = next(one for one in parameters(command) if one.name == "probe")
    assert option.choices == tuple(probe.name for probe in PROBES)


def test_a_server_that_says_the_password_in_a_session_without_one_is_not_quoted() -> None:
    """The check before has told it."""
    with Server({"RCPT": ["550 5.7.1 Ann has CanaryPass77"]}) as server:
        made = profile(server.host, server.port, tls="none", trusted=True, username="ann", password="CanaryPass77")
        report = check_and_probe(made, Surroundings(dict(os.environ)), [], ["open-relay"])
    assert report.outcomes[-1].reason == f"550 5.7.1 Ann has {MASK}"
    assert "CanaryPass77" not in report.transcript.dumps() + str(to_json.report_data(report))
