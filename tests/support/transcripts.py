r"""Dialogues tested as transcripts: what the client says and what it hears, in the order in which it happens.

    S: 220 mx.example.com        the server's words, a line each; the dialogue must be waiting for them
    C: EHLO me                   the client's words; the dialogue must say just this
    T: TLS                       the dialogue must want the handshake now
    N: EHLO was refused          the dialogue must note this (other notes need not be written down)
    X: closed                    the connection ends while the dialogue waits

Pipelining shows as several C lines before their S lines. `\x00` and the like stand for octets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from smtpctl.knowledge.families import entry
from smtpctl.model.reply import Reply
from smtpctl.model.tls import TlsSession
from smtpctl.protocol.replies import ReplyReader
from smtpctl.protocol.steps import Dialogue, Note, Receive, Send, SendContent, StartTls

T = TypeVar("T")
SECURED = TlsSession("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, "mx.example.com", verified=True)


def lines_of(text: str) -> list[tuple[str, str]]:
    """(mark, words) of each line of a transcript; comments and empty lines are left out."""
    found = []
    for line in text.splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            mark, _, words = line.partition(":")
            assert mark in ("S", "C", "T", "N", "X"), f"no transcript line: {line!r}"
            found.append((mark, words.removeprefix(" ")))
    return found


def octets(words: str) -> bytes:
    r"""The words with `\x00` and the like as octets."""
    return words.encode().decode("unicode_escape").encode("latin-1") if "\\" in words else words.encode()


class Differs(AssertionError):
    """The dialogue did something other than the transcript says."""


class _Play:
    def __init__(self, text: str, tls: TlsSession) -> None:
        self.script = lines_of(text)
        self.at = 0
        self.tls = tls
        self.log: list[str] = []
        self.reader = ReplyReader()

    def expected(self) -> tuple[str, str]:
        return self.script[self.at] if self.at < len(self.script) else ("end", "")

    def differs(self, did: str) -> Differs:
        mark, words = self.expected()
        told = "\n  ".join(self.log) or "(nothing)"
        return Differs(f"said so far:\n  {told}\nexpected {mark}: {words}\nbut the dialogue {did}")

    def said(self, data: bytes) -> None:
        for line in data.removesuffix(b"\r\n").split(b"\r\n"):
            mark, words = self.expected()
            if mark != "C" or octets(words) != line:
                raise self.differs(f"sent {line!r}")
            self.log.append(f"C: {words}")
            self.at += 1

    def reply(self) -> Reply:
        buffer = bytearray()
        while True:
            mark, words = self.expected()
            if mark == "X":
                self.at += 1
                raise entry("smtp.closed_by_server").problem(target="mx.example.com:25")
            if mark != "S":
                raise self.differs("waits for a reply")
            self.log.append(f"S: {words}")
            self.at += 1
            buffer += octets(words) + b"\r\n"
            if (reply := self.reader.take(buffer)) is not None:
                return reply

    def answer(self, step: Any) -> Any:
        match step:
            case Send():
                assert step.data.endswith(b"\r\n") or step.replies == 0 or b"BDAT" in step.data, step
                self.said(step.data)
            case SendContent():
                self.said(b"".join(step.chunks))
            case Receive():
                assert step.reader is None
                if not step.many:
                    return self.reply()
                replies = [self.reply()]
                while self.expected()[0] == "S":
                    replies.append(self.reply())
                return replies
            case StartTls():
                if self.expected()[0] != "T":
                    raise self.differs("wants a handshake")
                self.log.append("T: TLS")
                self.at += 1
                return self.tls
            case Note():
                mark, words = self.expected()
                if mark == "N" and words in step.text:
                    self.at += 1
        return None


def play(dialogue: Dialogue[T], text: str, *, tls: TlsSession = SECURED) -> T:
    """The dialogue's result, when it goes as the transcript says to its last line. Differs shows where it does not."""
    plan = _Play(text, tls)
    answer: Any = None
    failure: Exception | None = None
    try:
        while True:
            step = dialogue.send(answer) if failure is None else dialogue.throw(failure)
            answer = failure = None
            try:
                answer = plan.answer(step)
            except Differs:
                raise
            except Exception as error:
                failure = error
    except StopIteration as stop:
        if plan.at < len(plan.script):
            raise plan.differs(f"ended with {stop.value!r}") from None
        return stop.value  # type: ignore[no-any-return]
    except Differs:
        raise
    except Exception as error:
        if plan.at < len(plan.script):
            raise plan.differs(f"ended with {error!r}") from error
        raise


def replies(data: bytes, sizes: Iterable[int] = ()) -> tuple[list[Reply], bytes]:
    """The replies that a reader takes from `data`, fed in pieces of these sizes (the rest at once), and what is left."""
    reader, buffer, found = ReplyReader(), bytearray(), []
    at = 0
    for size in [*sizes, len(data)]:
        buffer += data[at : at + size]
        at += size
        while (reply := reader.take(buffer)) is not None:
            found.append(reply)
    return found, bytes(buffer)
