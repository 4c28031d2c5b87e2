"""What servers offer, in the forms in which they write it."""

from __future__ import annotations

import pytest

from smtpctl.model.reply import Reply
from smtpctl.protocol import ehlo
from smtpctl.protocol.ehlo import Capabilities


def offered(*lines: str) -> Capabilities:
    return ehlo.parse(Reply(250, ("mx.example.com Hello", *lines)))


def test_a_usual_reply() -> None:
    found = offered("SIZE 1000", "AUTH PLAIN LOGIN", "8BITMIME", "STARTTLS")
    assert found.name == "mx.example.com"
    assert found.keywords == {"SIZE": ("1000",), "AUTH": ("PLAIN", "LOGIN"), "8BITMIME": (), "STARTTLS": ()}
    assert found.auth == ("PLAIN", "LOGIN")
    assert found.size == 1000
    assert found.has("STARTTLS")
    assert not found.has("DSN")
    assert found.extended
    assert found.masked == ()


@pytest.mark.parametrize(
    ("lines", "mechanisms"),
    [
        (["AUTH=LOGIN PLAIN"], ("LOGIN", "PLAIN")),
        (["AUTH PLAIN", "AUTH=LOGIN PLAIN CRAM-MD5"], ("PLAIN", "LOGIN", "CRAM-MD5")),
        (["AUTH PLAIN LOGIN", "AUTH PLAIN LOGIN"], ("PLAIN", "LOGIN")),
        (["auth plain login"], ("PLAIN", "LOGIN")),
        (["AUTH  PLAIN   LOGIN "], ("PLAIN", "LOGIN")),
        (["AUTH = PLAIN"], ("=", "PLAIN")),
        (["AUTH"], ()),
        (["AUTH="], ()),
    ],
)
def test_mechanisms(lines: list[str], mechanisms: tuple[str, ...]) -> None:
    assert offered(*lines).auth == mechanisms


@pytest.mark.parametrize(
    ("line", "size"),
    [("SIZE 0", None), ("SIZE", None), ("SIZE 35882577", 35882577), ("SIZE -1", None), ("SIZE x", None), ("SIZE 1e9", None),
     ("SIZE ٣", 3), ("SIZE ²", None), ("size 7", 7), ("SIZE " + "9" * 400, None)],
)  # fmt: skip
def test_size(line: str, size: int | None) -> None:
    assert offered(line).size == size


@pytest.mark.parametrize("word", ["XXXXXXXA", "XXXX", "********", "XXXXB"])
def test_masked(word: str) -> None:
    assert offered("SIZE 1", word).masked == (word,)


@pytest.mark.parametrize("word", ["X-EXPS", "XCLIENT", "XXX", "XEXCH50"])
def test_not_masked(word: str) -> None:
    assert offered(word).masked == ()


def test_empty_lines_and_odd_ones() -> None:
    assert ehlo.parse(Reply(250, ("",))) == Capabilities(lines=("",))
    assert offered("", "  ", "\t").keywords == {}


def test_helo_offers_nothing() -> None:
    found = ehlo.parse(Reply(250, ("mx.example.com", "SIZE 100")), extended=False)
    assert (found.name, found.keywords, found.extended) == ("mx.example.com", {}, False)
