"""Each offered mechanism by itself: what is tried in which order, when it ends, and what it comes to."""

from __future__ import annotations

import os
from typing import Any

import pytest

from profiles import profile
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus, Report
from smtpctl.model.secret import Secret
from smtpctl.ops.matrix import check_matrix
from smtpctl.ops.session import Surroundings
from smtpctl.protocol.server.faults import HOSTILE, End, Fault, Faults, refusal
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink

ALL = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "XOAUTH2")
SETUP = Setup(tls=TlsMode.STARTTLS, users={"ann": Secret("wonderland")}, mechanisms=ALL)
ANN = {"username": "ann", "password": "wonderland"}


def look(setup: Setup = SETUP, go_on: bool = False, **settings: Any) -> tuple[Report, list[str]]:
    """The report, and the mechanisms in the order in which the server was asked."""
    with Sink(setup) as sink:
        options = {"tls": "starttls", "ca_file": sink.ca_file, **settings}
        report = check_matrix(profile(sink.host, sink.port, **options), Surroundings(os.environ), go_on)
        texts = [event.text for one in sink.sessions for event in one.transcript]
    return report, [text.split()[1] for text in texts if text.startswith("AUTH ")]


def refusing(*what: str, **more: Any) -> Setup:
    return SETUP._replace(faults=Faults(*map(refusal, what)), **more)


def results(report: Report) -> dict[str, str]:
    return {trial["mechanism"]: trial["result"] for trial in report.facts["matrix"]["mechanisms"]}


def test_all_that_can_be_tried_is_tried_once_and_the_rest_says_why_not() -> None:
    report, asked = look(**ANN)
    assert asked[:2] == ["PLAIN", "LOGIN"]
    assert sorted(asked) == sorted(set(ALL) - {"XOAUTH2"})
    trials = report.facts["matrix"]["mechanisms"]
    assert [trial["mechanism"] for trial in trials][:2] == ["SCRAM-SHA-256-PLUS", "XOAUTH2"]  # strongest first
    assert results(report) == dict.fromkeys(ALL, "accepted") | {"XOAUTH2": "skipped"}
    assert trials[1]["detail"] == "skipped: there is no access token"
    assert report.failure is None


def test_the_strongest_that_works_is_set() -> None:
    report, _ = look(**ANN, auth_mech="login")
    matrix = report.facts["matrix"]
    assert (matrix["current"], matrix["strongest"]) == ("LOGIN", "SCRAM-SHA-256-PLUS")
    assert " --auth-mech SCRAM-SHA-256-PLUS " in report.next_command
    assert report.next_command == matrix["command"]


def test_nothing_is_to_be_set_where_it_is_taken_already() -> None:
    report, _ = look(SETUP._replace(mechanisms=("PLAIN", "SCRAM-SHA-256")), **ANN)
    assert report.facts["matrix"]["command"] == ""
    assert "already" in report.comparisons[0].note


def test_a_wrong_password_is_tried_once() -> None:
    report, asked = look(username="ann", password="looking-glass")
    assert asked == ["PLAIN"]
    assert set(results(report).values()) == {"refused", "not_tried", "skipped"}
    assert "--yes" in report.comparisons[0].note
    assert report.failure and report.failure.status is ExitStatus.AUTH


def test_with_leave_a_wrong_password_is_tried_everywhere() -> None:
    report, asked = look(go_on=True, username="ann", password="looking-glass")
    assert len(asked) == len(ALL) - 1
    assert report.failure and report.facts["matrix"]["strongest"] == ""


def test_a_few_refusals_beside_one_that_works_are_enough() -> None:
    report, asked = look(refusing("auth/SCRAM:535 5.7.8 No", "auth/CRAM:535 5.7.8 No"), **ANN)
    assert asked == ["PLAIN", "LOGIN", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1"]
    assert results(report)["CRAM-MD5"] == "not_tried"


def test_a_mechanism_that_refuses_what_another_accepts_stops_who_takes_it() -> None:
    setup = refusing("auth/SCRAM:535 5.7.8 No", mechanisms=("PLAIN", "SCRAM-SHA-256"))
    report, _ = look(setup, **ANN)
    first = report.findings[0]
    assert (first.id, first.severity) == ("auth.mechanism_defective", Severity.ERROR)
    assert [piece.text for piece in first.evidence] == ["AUTH SCRAM-SHA-256 ********", "535 5.7.8 No"]
    assert report.failure and report.failure.status is ExitStatus.AUTH
    assert " --auth-mech PLAIN " in report.next_command


def test_the_same_is_a_warning_for_who_takes_another() -> None:
    setup = refusing("auth/SCRAM:535 5.7.8 No", mechanisms=("PLAIN", "SCRAM-SHA-256"))
    report, _ = look(setup, **ANN, auth_mech="PLAIN")
    assert (report.findings[0].id, report.findings[0].severity) == ("auth.mechanism_defective", Severity.WARNING)
    assert report.failure is None


@pytest.mark.parametrize(
    "reply", ["421 4.7.0 Too many", "454 4.7.0 Later", "535 5.7.3 The account is locked", "535 Too many failed logins"]
)
def test_a_server_that_asks_to_wait_is_left_alone(reply: str) -> None:
    report, asked = look(refusing(f"auth/LOGIN:{reply}"), go_on=True, **ANN)
    assert asked == ["PLAIN", "LOGIN"]
    assert "asks to wait" in report.comparisons[0].note


def test_a_mechanism_that_is_offered_and_not_known_says_nothing_about_the_password() -> None:
    report, asked = look(refusing("auth/PLAIN:504 5.5.4 Unrecognized authentication type"), **ANN)
    assert len(asked) == len(ALL) - 1
    assert results(report)["PLAIN"] == "unknown"
    assert not any(finding.id == "auth.mechanism_defective" for finding in report.findings)


def test_a_server_that_goes_away_ends_it() -> None:
    class OneLogin(Faults):
        def at(self, stage: str, line: str = "") -> Any:
            self._seen = [*self._seen, stage == "greeting"]
            return (refusal("greeting:554 5.7.1 Go away"),) if stage == "greeting" and sum(self._seen) > 2 else ()

    report, asked = look(SETUP._replace(faults=OneLogin()), **ANN)
    assert asked == ["PLAIN"]
    assert "does not go on" in report.comparisons[0].note


def test_a_server_that_hangs_up_at_a_login_is_not_asked_again() -> None:
    fault = Fault("auth", octets=b"", end=End.CLOSE, match="LOGIN")
    report, asked = look(SETUP._replace(faults=Faults(fault)), go_on=True, **ANN)
    assert asked == ["PLAIN", "LOGIN"]
    assert "does not go on" in report.comparisons[0].note


def test_without_credentials_it_shows_what_there_is() -> None:
    report, asked = look()
    assert not asked
    assert set(results(report).values()) == {"skipped"}
    assert report.failure is None


def test_with_a_token_the_mechanisms_for_tokens_are_tried() -> None:
    setup = SETUP._replace(mechanisms=("PLAIN", "XOAUTH2", "OAUTHBEARER"))
    report, asked = look(setup, username="ann", access_token="wonderland")
    assert asked == ["OAUTHBEARER", "XOAUTH2"]
    assert results(report) == {"OAUTHBEARER": "accepted", "XOAUTH2": "accepted", "PLAIN": "skipped"}
    assert "wonderland" not in str(report.facts)


def test_a_refused_token_is_tried_once() -> None:
    setup = SETUP._replace(mechanisms=("PLAIN", "XOAUTH2", "OAUTHBEARER"))
    report, asked = look(setup, username="ann", access_token="looking-glass")
    assert asked == ["OAUTHBEARER"]
    assert report.failure and report.failure.status is ExitStatus.AUTH


def test_a_token_where_only_passwords_are_taken_says_so() -> None:
    report, asked = look(SETUP._replace(mechanisms=("PLAIN",)), username="ann", access_token="t" * 20)
    assert not asked
    assert report.findings[0].id == "auth.no_common_mechanism"


@pytest.mark.parametrize(
    ("settings", "stage"),
    [({"username": "ann", "password_env": "NOT_THERE"}, "config"), ({"tls": "implicit", **ANN}, "tls")],
)
def test_what_ends_a_check_before_its_login_ends_this_too(settings: dict[str, Any], stage: str) -> None:
    report, asked = look(**settings)
    assert not asked and not report.comparisons
    assert report.failure and report.failure.stage.value == stage


def test_a_server_that_gives_no_session_is_told_as_a_check_does() -> None:
    report, _ = look(Setup(faults=Faults(*HOSTILE["not_for_you"])), **ANN)
    assert report.failure and not report.comparisons


def test_no_login_is_offered() -> None:
    report, _ = look(Setup(tls=TlsMode.STARTTLS), **ANN)
    assert report.comparisons[0].note == "The server offers no login."
    assert report.failure and report.findings[0].id == "auth.not_offered"
