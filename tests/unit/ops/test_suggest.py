"""Other ports and modes: what is tried, who may see the password, and what is suggested."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from profiles import profile
from smtpctl.config.profile import Profile
from smtpctl.config.resolve import resolve
from smtpctl.config.store import Document
from smtpctl.knowledge import families
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.report import Report
from smtpctl.model.secret import Secret
from smtpctl.ops import suggest
from smtpctl.ops.session import Surroundings
from smtpctl.protocol.server.faults import End, Fault, Faults, refusal
from smtpctl.protocol.server.values import Setup
from smtpctl.sink.server import Sink

IMPLICIT, STARTTLS, AUTO, NONE = TlsMode.IMPLICIT, TlsMode.STARTTLS, TlsMode.AUTO, TlsMode.NONE
WITH_LOGIN = Setup(tls=STARTTLS, users={"ann": Secret("wonderland")})
ANN = {"username": "ann", "password": "wonderland"}


@pytest.fixture(autouse=True)
def _own_port_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else of this machine is tried."""
    whole = suggest.plan
    monkeypatch.setattr(suggest, "plan", lambda p: tuple(one for one in whole(p) if one.port == p.endpoint.port))


def planned(host: str, port: int, **settings: Any) -> list[tuple[str, int, TlsMode]]:
    found = _PLAN(profile(host, port, **settings))
    return [(one.host if one.other else "", one.port, one.mode) for one in found]


_PLAN = suggest.plan


def around() -> Surroundings:
    return Surroundings(os.environ)


def at(sink: Sink, tls: TlsMode, **settings: Any) -> Profile:
    return profile(settings.pop("host", sink.host), sink.port, tls=tls.value, ca_file=sink.ca_file, **settings)


def results(found: suggest.Suggestion) -> list[tuple[TlsMode, str]]:
    return [(attempt.candidate.mode, attempt.result) for attempt in found.tried]


def logins(sink: Sink) -> int:
    return sum(event.text.startswith("AUTH ") for one in sink.sessions for event in one.transcript)


# The plan


def test_the_profile_as_it_is_then_the_usual_ports_then_its_own_port_in_other_modes() -> None:
    assert planned("mail.example.com", 1587, tls="none") == [
        ("", 1587, NONE),
        ("", 465, IMPLICIT),
        ("", 587, STARTTLS),
        ("", 2525, STARTTLS),
        ("", 25, STARTTLS),
        ("", 1587, STARTTLS),
        ("", 1587, IMPLICIT),
    ]


def test_nothing_is_tried_twice() -> None:
    for port in (25, 26, 587):
        found = planned("mail.example.com", port, tls="auto")
        assert len(set(found)) == len(found)
        assert ("", port, STARTTLS) not in found  # what `auto` does anyway


@pytest.mark.parametrize(("host", "trusted"), [("localhost", False), ("127.0.0.9", False), ("mail.example.com", True)])
def test_clear_text_inside_this_machine_or_a_trusted_network(host: str, trusted: bool) -> None:
    assert ("", 587, NONE) in planned(host, 587, tls="starttls", trusted=trusted)


def test_clear_text_nowhere_else() -> None:
    behind = planned("localhost", 587, tls="starttls", proxy="socks5://proxy.example.com:1080")
    assert not [mode for found in (planned("mail.example.com", 587), behind) for *_, mode in found if mode is NONE]


def test_ports_that_the_provider_documents_come_before_the_usual_ones() -> None:
    found = planned("mail.smtp2go.com", 25, tls="starttls")
    assert found[1] == ("", 2525, STARTTLS)
    assert {host for host, *_ in found} == {""}


def test_a_server_whose_name_has_a_region_keeps_it() -> None:
    found = planned("email-smtp.eu-west-1.amazonaws.com", 25, tls="starttls")
    assert ("", 2587, STARTTLS) in found
    assert {host for host, *_ in found} == {""}


@pytest.mark.parametrize("host", ["gmail.com", "aspmx.l.google.com"])
def test_the_right_server_where_a_domain_or_its_mx_was_taken_for_it(host: str) -> None:
    others = [one for one in planned(host, 587) if one[0]]
    assert ("smtp.gmail.com", 587, STARTTLS) in others
    assert planned(host, 587)[-len(others) :] == others


def test_the_provider_of_the_login_where_the_server_is_nobodys() -> None:
    assert "smtp.gmail.com" in {
        host for host, *_ in planned("mail.example.com", 587, username="ann@gmail.com", **PASSWORD)
    }
    known = planned("smtp.sendgrid.net", 587, username="ann@gmail.com", **PASSWORD)
    assert "smtp.gmail.com" not in {host for host, *_ in known}


PASSWORD = {"password": "wonderland"}


@pytest.mark.parametrize("settings", [{"host": "/run/smtp"}, {"host": "localhost", "lmtp": True}])
def test_a_socket_and_lmtp_have_no_other_ports(settings: dict[str, Any]) -> None:
    assert not planned(settings.pop("host"), 24, **settings)


# The run


def test_the_mode_that_works_and_one_login() -> None:
    with Sink(WITH_LOGIN) as sink:
        found = suggest.suggest(at(sink, IMPLICIT, **ANN), around())
        assert logins(sink) == 1
    assert found.best is not None
    assert found.best.candidate.mode is STARTTLS
    assert found.best.detail == "works, login accepted (PLAIN)"
    assert results(found)[0] == (STARTTLS, "works")
    assert (IMPLICIT, "failed") in results(found)
    assert found.command.startswith(f"smtpctl check 127.0.0.1:{sink.port} --tls starttls ")
    assert "--username ann --password-env" in found.command
    assert "wonderland" not in found.command


@pytest.mark.parametrize(
    ("tls", "command"),
    [("implicit", "smtpctl profile set 'b\u00fcro' port={port} tls=starttls"), ("starttls", "")],
)
def test_the_command_for_a_stored_profile(tls: str, command: str) -> None:
    with Sink(Setup(tls=STARTTLS)) as sink:
        text = f'[profiles."b\u00fcro"]\nhost = "{sink.host}"\nport = {sink.port}\nca_file = "{sink.ca_file}"\n'
        document = Document(Path("none.toml"), text)
        made = resolve("b\u00fcro", {"tls": tls}, {}, document=document)
        found = suggest.suggest(made, around())
    assert found.best is not None and found.best.candidate.given is (tls == "starttls")
    assert found.command == command.format(port=sink.port)
    assert ("nothing to change" in found.comparison().note) is (tls == "starttls")


def test_after_a_refusal_no_other_login_is_tried() -> None:
    with Sink(WITH_LOGIN._replace(tls=NONE)) as sink:
        wrong = at(sink, NONE, username="ann", password="looking-glass")
        candidates = (
            suggest.Candidate(sink.host, sink.port, NONE, given=True),
            suggest.Candidate("localhost", sink.port, NONE),
        )
        found = _with(candidates, wrong)
        assert logins(sink) == 1
    assert [attempt.result for attempt in found.tried] == ["login_refused", "reached"]
    assert found.tried[1].detail.endswith("one try is enough")
    assert "not locked" in found.comparison().note


def _with(candidates: tuple[suggest.Candidate, ...], made: Profile, known: Report | None = None) -> suggest.Suggestion:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suggest, "plan", lambda _profile: candidates)
        return suggest.suggest(made, around(), known)


def test_a_login_that_a_check_saw_refused_is_the_last() -> None:
    with Sink(WITH_LOGIN) as sink:
        report = suggest.check_and_suggest(at(sink, STARTTLS, username="ann", password="looking-glass"), around())
        assert logins(sink) == 1
    assert report.facts["suggestion"]["tried"][0]["result"] == "login_refused"
    assert report.facts["suggestion"]["command"] == ""
    assert report.failure


def test_a_login_that_a_temporary_fault_kept_from_being_judged_is_not_repeated() -> None:
    setup = WITH_LOGIN._replace(tls=STARTTLS, faults=Faults(refusal("auth:454 4.7.0 Later")))
    with Sink(setup) as sink:
        report = suggest.check_and_suggest(at(sink, STARTTLS, **ANN), around())
        assert logins(sink) == 1
    assert report.facts["suggestion"]["tried"][0]["detail"] == "login refused: 454 4.7.0 Later"


def test_a_server_that_hangs_up_at_a_login_is_not_asked_again() -> None:
    faults = Faults(Fault("auth", octets=b"", end=End.CLOSE))
    with Sink(WITH_LOGIN._replace(tls=NONE, faults=faults)) as sink:
        candidates = tuple(suggest.Candidate(sink.host, sink.port, mode) for mode in (NONE, AUTO))
        found = _with(candidates, at(sink, NONE, **ANN))
        assert logins(sink) == 1
        report = suggest.check_and_suggest(at(sink, NONE, **ANN), around())
        assert logins(sink) == 2
    assert [attempt.result for attempt in found.tried] == ["reached", "failed"]
    assert report.facts["suggestion"]["best"] is None


def test_what_failed_is_told_in_few_words() -> None:
    with Sink(Setup(tls=STARTTLS)) as sink:
        made = at(sink, IMPLICIT)
    found = suggest.suggest(made, around())
    assert {attempt.detail for attempt in found.tried} == {"connection refused"}
    assert {attempt.finding for attempt in found.tried} == {"conn.refused"}


@pytest.mark.parametrize("id", sorted(suggest._SHORT))
def test_each_of_the_few_words_is_of_a_finding(id: str) -> None:
    assert families.entry(id).id == id


def test_no_other_server_sees_the_password() -> None:
    with Sink(WITH_LOGIN._replace(tls=NONE)) as sink:
        other = suggest.Candidate("localhost", sink.port, NONE, other=True)
        found = _with((other,), at(sink, NONE, **ANN))
        assert logins(sink) == 0
    assert found.tried[0].detail == "answers; the login was not tried: you named another server"
    assert " --host" not in found.command and found.command.startswith(f"smtpctl check localhost:{sink.port} ")


def test_where_tls_is_not_verified_nobody_logs_in() -> None:
    with Sink(WITH_LOGIN) as sink:  # 0.0.0.0 leads to this machine too, but no rule says that it must
        found = suggest.suggest(at(sink, IMPLICIT, host="0.0.0.0", insecure=True, **ANN), around())
        assert logins(sink) == 0
    assert found.best is not None and found.best.candidate.mode is STARTTLS
    assert found.best.detail.endswith("TLS is not verified there")


def test_without_a_password_it_is_reached() -> None:
    with Sink(WITH_LOGIN) as sink:
        found = suggest.suggest(at(sink, IMPLICIT, username="ann"), around())
    assert found.best is not None
    assert (found.best.result, found.best.detail[-20:]) == ("reached", "there is no password")


def test_a_password_that_cannot_be_had_leaves_the_settings_as_they_are() -> None:
    with Sink(WITH_LOGIN) as sink:
        made = at(sink, STARTTLS, username="ann", password_env="NOT_THERE")
        report = suggest.check_and_suggest(made, around())
    best = report.facts["suggestion"]["best"]
    assert (best["port"], best["tls"]) == (sink.port, "starttls")
    assert report.facts["suggestion"]["tried"][0]["result"] == "reached"


def test_a_server_that_offers_no_login_is_no_answer_for_who_wants_one() -> None:
    with Sink(Setup()) as sink:
        found = suggest.suggest(at(sink, NONE, **ANN), around())
    assert found.best is None
    assert "offers no login" in found.tried[0].detail
    assert found.comparison().note.startswith("None of these")


def test_a_check_ends_with_what_was_tried() -> None:
    with Sink(WITH_LOGIN) as sink:
        report = suggest.check_and_suggest(at(sink, IMPLICIT, **ANN), around())
    assert report.failure
    assert report.next_command == report.facts["suggestion"]["command"] != ""
    (told,) = report.comparisons
    assert told.lines[0].status == "passed"
    assert len(told.lines) == len(report.facts["suggestion"]["tried"])
    assert sum(tried["given"] for tried in report.facts["suggestion"]["tried"]) == 1
