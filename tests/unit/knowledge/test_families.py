from __future__ import annotations

import pytest

from smtpctl.knowledge import families
from smtpctl.knowledge.families import MX, Entry, because, fix
from smtpctl.model.finding import Evidence, Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

ENTRY = Entry(
    id="conn.test",
    severity=Severity.ERROR,
    mx_severity=Severity.NOTE,
    stage=Stage.CONNECT,
    title="{host} is closed[ since {day}][ ({code}, {reason})]",
    message="[It said {reason}. ]Port {port} of {target}; braces stay: {{}}",
    causes=(because(0.9, "{host} is off", fix("Switch {host} on.", "wake {host}")),),
    status=ExitStatus.TEMPORARY,
    retryable=True,
)


def test_values_fill_every_text() -> None:
    finding = ENTRY.finding(target="mail.example.com:587", day="Monday")
    assert finding.title == "mail.example.com is closed since Monday"
    assert finding.message == "Port 587 of mail.example.com:587; braces stay: {}"
    assert finding.causes[0].text == "mail.example.com is off"
    assert finding.causes[0].remedies[0] == fix("Switch mail.example.com on.", "wake mail.example.com")


def test_an_optional_part_needs_all_its_values() -> None:
    assert ENTRY.finding(target="h:1", code=5).title == "h is closed"
    assert ENTRY.finding(target="h:1", code=5, reason="x").title == "h is closed (5, x)"


def test_a_page_shows_the_names_of_values() -> None:
    assert ENTRY.finding().title == "<host> is closed"


def test_a_value_with_braces_and_brackets_is_only_text() -> None:
    assert ENTRY.finding(target="h:1", day="{host} [{day}]").title == "h is closed since {host} [{day}]"


@pytest.mark.parametrize(
    ("target", "host", "port"),
    [
        ("mail.example.com:25", "mail.example.com", "25"),
        ("[2001:db8::1]:25", "[2001:db8::1]", "25"),
        ("office", "office", "<port>"),
        ("unix:/run/lmtp", "unix:/run/lmtp", "<port>"),
    ],
)
def test_a_target_gives_host_and_port(target: str, host: str, port: str) -> None:
    finding = ENTRY._replace(title="{host} {port}").finding(target=target)
    assert finding.title == f"{host} {port}"


def test_the_role_decides_the_severity() -> None:
    assert ENTRY.finding(role=MX).severity is Severity.NOTE
    assert ENTRY.finding(role="submission").severity is Severity.ERROR
    assert ENTRY.finding(role=MX, severity=Severity.WARNING).severity is Severity.WARNING


def test_evidence_may_be_plain_text() -> None:
    assert ENTRY.finding(evidence=["a", Evidence("b", "S:")]).evidence == (Evidence("a"), Evidence("b", "S:"))


def test_a_problem_carries_the_finding_and_what_it_means_for_the_run() -> None:
    problem = ENTRY.problem(target="h:1")
    assert problem.finding == ENTRY.finding(target="h:1")
    assert (problem.status, problem.retryable) == (ExitStatus.TEMPORARY, True)


@pytest.mark.parametrize("name", ["", "conn", "conn.", "conn.nothing", "nothing.at.all", "tls.cert", ".", "tls..x"])
def test_an_unknown_id_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        families.entry(name)


def test_the_longest_prefix_decides_the_module() -> None:
    assert families.entry("tls.cert.expired").id == "tls.cert.expired"
    assert families.entry("tls.chain.order").id == "tls.chain.order"
    assert families.entry("tls.pin_mismatch").id == "tls.pin_mismatch"


def test_similar_ids_are_suggested() -> None:
    assert families.similar("conn.refusd", ["conn.refused", "auth.refused"])[0] == "conn.refused"


@pytest.mark.parametrize("text", ["." * 1_000_000, "tls." * 250_000, "a" * 1_000_000])
def test_a_text_looked_up_as_an_id_takes_no_quadratic_time(text: str) -> None:
    """A million dots took minutes."""
    with pytest.raises(KeyError):
        families.entry(text)
    families.similar(text, ["tls.cert.expired"])
