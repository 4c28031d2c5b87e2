"""Many mails over one session: how far ahead each mode goes, and that each mail is settled once, whatever happens."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailserver import MailServer, Taken, talk
from smtpctl.model.envelope import Envelope, Recipient
from smtpctl.model.reply import Reply
from smtpctl.protocol import ehlo
from smtpctl.protocol.stream import Mail, Mode, best_mode, stream
from smtpctl.protocol.submit import GROUP, Submission
from transcripts import play

ALL = ehlo.parse(Reply(250, ("mx", "PIPELINING", "CHUNKING")))
OFFERED = {
    Mode.LOCKSTEP: ehlo.parse(Reply(250, ("mx",))),
    Mode.PIPELINED: ehlo.parse(Reply(250, ("mx", "PIPELINING"))),
    Mode.OVERLAPPED: ehlo.parse(Reply(250, ("mx", "PIPELINING"))),
    Mode.BDAT: ALL,
}


def letter(number: int, recipients: int = 1, size: int = 10) -> Mail:
    to = tuple(Recipient(f"r{number}.{i}@x") for i in range(recipients))
    body = f"{number}:".encode() + b"." * size + b"\r\n"
    return Mail(Envelope(f"s{number}@x", to, size=len(body)), body, number)


def run(text: str, mode: Mode, mails: list[Mail], window: int = 1 << 18) -> list[tuple[Any, Submission | None]]:
    settled: list[tuple[Any, Submission | None]] = []
    dialogue = stream(
        OFFERED[mode], mails, lambda mail, done: settled.append((mail.key, done)), mode=mode, window=window
    )
    play(dialogue, text)
    return settled


def test_best_mode() -> None:
    assert best_mode(ehlo.parse(Reply(250, ("mx", "CHUNKING")))) is Mode.LOCKSTEP
    assert best_mode(OFFERED[Mode.OVERLAPPED]) is Mode.OVERLAPPED
    assert best_mode(ALL) is Mode.BDAT


def words(number: int, *, data: str = "DATA") -> str:
    return f"C: MAIL FROM:<s{number}@x>\nC: RCPT TO:<r{number}.0@x>\nC: {data}\n"


def body(number: int, end: str = "C: .\n") -> str:
    return f"C: {number}:..........\n{end}"


def test_overlapped_sends_the_next_commands_behind_the_content() -> None:
    text = f"{words(1)}S: 250\nS: 250\nS: 354\n{body(1)}{words(2)}S: 250 one\nS: 250\nS: 250\nS: 354\n{body(2)}S: 250 two\n"
    settled = run(text, Mode.OVERLAPPED, [letter(1), letter(2)])
    assert [(key, done and str(done.final[0])) for key, done in settled] == [(1, "250 one"), (2, "250 two")]


def test_overlapped_resets_behind_a_refusal() -> None:
    text = f"{words(1)}S: 250\nS: 550 no\nS: 554 no\nC: RSET\n{words(2)}S: 250\nS: 250\nS: 250\nS: 354\n{body(2)}S: 250 two\n"
    settled = run(text, Mode.OVERLAPPED, [letter(1), letter(2)])
    assert [done and done.recipients[0].result for _, done in settled] == ["permanent", "accepted"]


def test_bdat_fills_the_window() -> None:
    def one(number: int) -> str:
        return f"C: RSET\n{words(number, data='BDAT 14 LAST')}{body(number, '')}"

    ok = "S: 250\n" * 4
    text = f"{one(1)}{one(2)}{ok}{ok}{one(3)}{ok}"
    settled = run(text, Mode.BDAT, [letter(1), letter(2), letter(3)], window=20)
    assert [key for key, _ in settled] == [1, 2, 3]


def test_more_recipients_than_one_group_go_alone() -> None:
    server = MailServer(lambda verb: 354 if verb == "DATA" else 250)
    settled: Counter[Any] = Counter()
    mails = [letter(1), letter(2, GROUP + 5), letter(3)]
    for mode in Mode:
        talk(stream(OFFERED[mode], mails, lambda mail, done: settled.update([mail.key]), mode=mode), server)
    assert settled == {1: 4, 2: 4, 3: 4}
    assert len(server.taken) == 12


def test_no_mails_say_nothing() -> None:
    for mode in Mode:
        assert run("", mode, []) == []


VERDICTS = {
    "MAIL": (250, 250, 250, 451, 550),
    "RCPT": (250, 250, 250, 450, 550),
    "DATA": (354, 354, 354, 451, 554),
    ".": (250, 250, 250, 452, 554),
    "BDAT": (250, 250, 250, 452, 554),
}


@given(st.data(), st.sampled_from(list(Mode)))
def test_whatever_the_server_does_each_mail_is_settled_once_and_truly(data: st.DataObject, mode: Mode) -> None:
    """The server is strict and refuses at random; its word and ours about every mail are the same."""

    def verdict(verb: str) -> int:
        return data.draw(st.sampled_from(VERDICTS[verb]), label=verb)

    shapes = data.draw(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 60)), max_size=6), label="mails")
    mails = [letter(number, recipients, size) for number, (recipients, size) in enumerate(shapes)]
    window = data.draw(st.sampled_from([1, 50, 1 << 18]), label="window")
    alive = data.draw(st.one_of(st.just(10**9), st.integers(0, 30)), label="replies before the end")
    server = MailServer(verdict)
    settled: list[tuple[Mail, Submission | None]] = []
    taken: list[Mail] = []

    def supply() -> Any:
        for mail in mails:
            taken.append(mail)
            yield mail

    lived = talk(
        stream(OFFERED[mode], supply(), lambda mail, done: settled.append((mail, done)), mode=mode, window=window),
        server,
        alive,
        lambda waiting: data.draw(st.integers(1, waiting), label="replies in one read"),
    )
    assert Counter(mail.key for mail, _ in settled) == Counter(mail.key for mail in taken)
    if lived:
        assert len(taken) == len(mails)
        assert all(done is not None for _, done in settled)
    true = {content: (sender, recipients) for sender, recipients, content in server.taken}
    assert len(true) == len(server.taken), "a mail was accepted twice"
    for mail, done in settled:
        if done is None:
            continue
        accepted = tuple(found.address for found in done.recipients if found.result == "accepted")
        assert true.get(mail.content, ("", ()))[1] == accepted
        if accepted:
            assert true[mail.content][0] == mail.envelope.sender


def test_a_mail_behind_a_refused_one_never_takes_its_sender() -> None:
    """The recipients of the first are refused, so its transaction stays open: what follows must not slip into it."""
    codes = iter([250, 550])
    server = MailServer(lambda verb: next(codes, 250))
    settled: list[tuple[Any, Any]] = []
    talk(
        stream(ALL, [letter(1), letter(2)], lambda mail, done: settled.append((mail.key, done)), mode=Mode.BDAT), server
    )
    assert server.taken == [Taken("s2@x", ("r2.0@x",), letter(2).content)]
    assert [(key, done.recipients[0].result) for key, done in settled] == [(1, "permanent"), (2, "accepted")]


@pytest.mark.parametrize("mode", list(Mode))
def test_stopping_early_settles_what_was_taken(mode: Mode) -> None:
    settled: list[Any] = []
    dialogue = stream(OFFERED[mode], [letter(n) for n in range(5)], lambda mail, done: settled.append(done), mode=mode)
    next(dialogue)
    dialogue.close()
    assert settled
    assert set(settled) == {None}
