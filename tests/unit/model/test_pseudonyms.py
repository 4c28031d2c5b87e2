"""Made-up names: the same one for the same name, everywhere, and nothing else touched."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.model.finding import Evidence, Finding, Severity
from smtpctl.model.pseudonyms import Pseudonyms
from smtpctl.model.report import Report
from smtpctl.model.transcript import Event, Kind, Stage, Transcript


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ann@corp.test", "user1@domain1.example"),
        ("RCPT TO:<ann@corp.test>", "RCPT TO:<user1@domain1.example>"),
        ("550 5.1.1 <Ann@Corp.TEST>: no ann@corp.test", "550 5.1.1 <user1@domain1.example>: no user1@domain1.example"),
        ("250-mx.corp.test hello", "250-host1.domain1.example hello"),
        ("ann here, of corp.test, on mx.corp.test.", "user1 here, of domain1.example, on host1.domain1.example."),
        ("other.corp.test", "other.domain1.example"),
        ("from [10.1.2.3] by 10.1.2.3:25 [IPv6:2001:db9::1]", "from [192.0.2.1] by 192.0.2.1:25 [IPv6:2001:db8::1]"),
        ("app 6F1C0D9E-1111-4c1f-8b8e-0a4a52c0ffee, 6f1c0d9e-1111-4C1F-8b8e-0a4a52c0ffee", "app guid1, guid1"),
        ("annual mannequins, joanna", "annual mannequins, joanna"),
        ("smtp.gmail.com stays, 127.0.0.1 and ::1 too", "smtp.gmail.com stays, 127.0.0.1 and ::1 too"),
        ("https://x/?u=ann%40corp.test&v=ann", "https:user2@domain1.example&v=user1"),
        ("ann=40corp.test, bob+40corp.test", "user1@domain1.example, user2@domain1.example"),
        ('"Ann Q"@corp.test, !ann@corp.test', "user2@domain1.example, user3@domain1.example"),
        (
            "uid=YW5uQGNvcnAudGVzdA== YW5uQGNvcnAudGVzdD8_",
            "uid=dXNlcjFAZG9tYWluMS5leGFtcGxl dXNlcjFAZG9tYWluMS5leGFtcGxlPz8=",
        ),
        ("SIZE=4000 CHUNKING=40 password Basic64Z", "SIZE=4000 CHUNKING=40 password Basic64Z"),
        ("5.7.1 at 10:20:30, TLSv1.3, a.b", "5.7.1 at 10:20:30, TLSv1.3, a.b"),
    ],
)
def test_names_within_a_text(text: str, shown: str) -> None:
    names = Pseudonyms(public=["smtp.gmail.com"])
    names.text("ann@corp.test")
    names.host("mx.corp.test")
    assert names.text(text) == shown


def test_a_common_word_is_replaced_only_where_it_is_the_whole_value() -> None:
    names = Pseudonyms()
    names.text("mail@corp.test")
    names.learn("user", "al")
    assert names.text("mail server, al dente") == "mail server, al dente"
    assert (names.text("mail"), names.text("al")) == ("user1", "user2")
    assert names.text("mail@corp.test") == "user1@domain1.example"


def test_a_domain_below_a_second_level_is_registered_there() -> None:
    names = Pseudonyms()
    assert names.host("mx.corp.co.uk") == "host1.domain1.example"
    assert names.host("mx.other.co.uk") == "host2.domain2.example"
    assert names.host("corp.co.uk") == "domain1.example"


def test_records_keep_their_shape_and_ids() -> None:
    names = Pseudonyms()
    names.learn("user", "refused")
    names.host("corp.test")
    evidence = Evidence("535 at corp.test", "S:", 0, (0, 3)), Evidence("535 no", "S:", 0, (0, 3))
    finding = Finding("auth.refused", Severity.ERROR, Stage.AUTH, "corp.test says no", evidence=evidence)
    event = Event(
        0.5, Stage.AUTH, Kind.RECEIVED, "535 at corp.test", facts={"id": "auth.refused", "hosts": ["corp.test"]}
    )
    report = names.value(Report("corp.test", Transcript([event]), findings=(finding,)))
    assert report.target == "domain1.example"
    assert report.findings[0].id == "auth.refused"
    assert [piece.span for piece in report.findings[0].evidence] == [None, (0, 3)]
    assert report.transcript[0].facts == {"id": "auth.refused", "hosts": ["domain1.example"]}
    assert report.transcript[0].text == "535 at domain1.example"


WORDS = st.from_regex(r"[a-z]{4,9}", fullmatch=True)


@given(local=WORDS.map("q{}".format), label=WORDS.map("x{}".format), around=st.lists(WORDS, min_size=2, max_size=2))
def test_no_part_of_an_address_is_left(local: str, label: str, around: list[str]) -> None:
    names = Pseudonyms()
    names.text(f"{local}@{label}.test")
    before, after = around
    text = f"{before} {local.upper()} <{local}@{label}.test>, {local}: mx.{label}.test/{local} [{label}.TEST] {after}"
    told = names.text(text).lower()
    assert not re.search(
        rf"(?<![a-z]){local}(?![a-z])|(?<![a-z]){label}(?![a-z])", told.replace(before, "").replace(after, "")
    )


def test_what_is_said_last_is_known_from_the_beginning() -> None:
    assert Pseudonyms().value(["zoe is here", ("zoe@corp.test",)]) == ["user1 is here", ("user1@domain1.example",)]


@pytest.mark.parametrize("name", ["a.b*c", "(corp", "x|y", "[^q]+", "\\\\d{3}", "/home/z/", "Zo\u00eb", "a b c", "c++"])
def test_any_sign_may_be_in_a_name(name: str) -> None:
    names = Pseudonyms()
    names.learn("user", name)
    assert names.text(f"<{name}> {name.upper()}, 123 abc") == "<user1> user1, 123 abc"


@pytest.mark.parametrize(
    "texts",
    [
        ["!" * 16384] * 4,
        [f"250-h{n}.d{n}.test u{n}@e{n}.test" for n in range(8000)],
        ['"a' * 8192] * 4,
        ["QUFB" * 4096] * 4,
    ],
    ids=["signs", "names", "quotes", "base64"],
)
def test_what_a_server_may_write_comes_back(texts: list[str]) -> None:
    """In quadratic time each of these would take minutes."""
    assert len(Pseudonyms().value(texts)) == len(texts)
