"""Command lines: what goes into them, and what never does."""

from __future__ import annotations

import pytest

from smtpctl.model.envelope import Envelope, Recipient
from smtpctl.model.errors import Obstacle
from smtpctl.model.reply import Reply
from smtpctl.model.transcript import Stage
from smtpctl.protocol import commands, ehlo

EVERYTHING = ehlo.parse(Reply(250, ("mx", "SIZE", "8BITMIME", "SMTPUTF8", "DSN", "REQUIRETLS")))
NOTHING = ehlo.parse(Reply(250, ("mx",)))
ANN = Envelope("ann@example.com", (Recipient("bob@example.com"),))
UNSAFE = ["\r\nRSET", "\n", "\r", "\0", "\x7f", "\x1b[2J", "\udcff"]


def test_a_command_line() -> None:
    send = commands.command(Stage.EHLO, "EHLO me.example.com", shown="EHLO x")
    assert send == (b"EHLO me.example.com\r\n", Stage.EHLO, "EHLO x", 1)


@pytest.mark.parametrize("octets", UNSAFE)
def test_nothing_but_one_line_gets_out(octets: str) -> None:
    for make in (
        lambda: commands.command(Stage.EHLO, f"EHLO me{octets}"),
        lambda: commands.mail(ANN._replace(sender=f"a{octets}@example.com"), EVERYTHING),
        lambda: commands.rcpt(Recipient(f"a{octets}@example.com"), EVERYTHING),
    ):
        with pytest.raises(Obstacle) as told:
            make()
        assert told.value.id == "smtp.unsafe_input"
        assert told.value.facts["text"].isprintable()


@pytest.mark.parametrize("octets", UNSAFE[:-1])
def test_dsn_values_are_encoded(octets: str) -> None:
    wishes = ANN._replace(ret=f"FULL{octets}", envid=f"id{octets}")
    recipient = Recipient("b@example.com", f"NEVER{octets}", f"rfc822{octets};b@example.com{octets}")
    for send in (commands.mail(wishes, EVERYTHING), commands.rcpt(recipient, EVERYTHING)):
        assert not set(send.data.removesuffix(b"\r\n")) & set(b"\r\n\0\x7f\x1b")


@pytest.mark.parametrize(
    "address", ["a@example.com> SIZE=1", "<a@example.com", "a b@example.com", "a@example.com BODY=7BIT"]
)
def test_nothing_ends_a_path_early(address: str) -> None:
    with pytest.raises(Obstacle, match=r"smtp\.unsafe_input"):
        commands.mail(ANN._replace(sender=address), EVERYTHING)


@pytest.mark.parametrize(
    "address", ["", "ann@example.com", '"a b"@example.com', "a+b=c@example.com", "grüße@example.com"]
)
def test_paths(address: str) -> None:
    assert commands.mail(ANN._replace(sender=address), NOTHING).data == f"MAIL FROM:<{address}>\r\n".encode()


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"size": 100}, b" SIZE=100"),
        ({"size": 0}, b" SIZE=0"),
        ({"eight_bit": True}, b" BODY=8BITMIME"),
        ({"utf8": True}, b" SMTPUTF8"),
        ({"require_tls": True}, b" REQUIRETLS"),
        ({"ret": "HDRS", "envid": "a+b=c d"}, b" RET=HDRS ENVID=a+2Bb+3Dc+20d"),
        ({"size": 5, "eight_bit": True, "utf8": True}, b" SIZE=5 BODY=8BITMIME SMTPUTF8"),
    ],
)
def test_mail_parameters(wish: dict[str, object], words: bytes) -> None:
    assert commands.mail(ANN._replace(**wish), EVERYTHING).data == b"MAIL FROM:<ann@example.com>" + words + b"\r\n"


def test_size_and_body_are_left_out_where_they_are_not_offered() -> None:
    assert commands.mail(ANN._replace(size=1, eight_bit=True), NOTHING).data == b"MAIL FROM:<ann@example.com>\r\n"


@pytest.mark.parametrize(
    ("wish", "id"),
    [
        ({"utf8": True}, "smtp.smtputf8_missing"),
        ({"require_tls": True}, "smtp.requiretls_missing"),
        ({"ret": "FULL"}, "smtp.dsn_missing"),
        ({"envid": "1"}, "smtp.dsn_missing"),
    ],
)
def test_a_wish_that_means_something_is_never_dropped(wish: dict[str, object], id: str) -> None:
    with pytest.raises(Obstacle) as told:
        commands.mail(ANN._replace(**wish), NOTHING)
    assert told.value.id == id


def test_rcpt() -> None:
    whole = Recipient("bob@example.com", "SUCCESS,FAILURE", "rfc822;b+c@example.com")
    assert commands.rcpt(Recipient("bob@example.com"), NOTHING).data == b"RCPT TO:<bob@example.com>\r\n"
    assert commands.rcpt(whole, EVERYTHING).data == (
        b"RCPT TO:<bob@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bc@example.com\r\n"
    )
    with pytest.raises(Obstacle, match=r"smtp\.dsn_missing"):
        commands.rcpt(whole, NOTHING)


def test_xtext() -> None:
    assert commands.xtext("a+b=c\x00 ü~") == "a+2Bb+3Dc+00+20+C3+BC~"
