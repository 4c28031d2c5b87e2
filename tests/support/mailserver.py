"""A server in memory that keeps RFC 5321, 2920 and 3030 to the letter and answers as it is told, for tests of streams.

It is strict where real servers are: MAIL inside a transaction is 503 and changes nothing, RCPT belongs to whatever
transaction is open, a refused BDAT leaves it open until RSET. So whatever a client gets wrong shows in `taken`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from smtpctl.knowledge.families import entry
from smtpctl.model.reply import Reply
from smtpctl.protocol.steps import Dialogue, Note, Receive, Send, SendContent

# verb -> the reply it gets this time
Verdict = Callable[[str], int]


class Taken(NamedTuple):
    """A mail that the server said 250 to."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


class MailServer:
    """Takes octets, gives codes. `verdict` decides about MAIL, RCPT, DATA, content (`.`) and BDAT."""

    def __init__(self, verdict: Verdict) -> None:
        self.taken: list[Taken] = []
        self.replies: list[Reply] = []
        self._verdict = verdict
        self._buffer = b""
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._body: list[bytes] = []
        self._data = False
        self._broken = False

    def feed(self, octets: bytes) -> None:
        self._buffer += octets
        while self._step():
            pass

    def _say(self, code: int) -> None:
        self.replies.append(Reply(code, (f"{code // 100}.0.0 so",)))

    def _step(self) -> bool:
        if self._data:
            end = self._buffer.find(b"\r\n.\r\n") if not self._buffer.startswith(b".\r\n") else -2
            if end == -1:
                return False
            body = self._buffer[: end + 2] if end >= 0 else b""
            self._buffer = self._buffer[end + 5 :]
            self._data = False
            self._end(re.sub(rb"(?m)^\.", b"", body), self._verdict("."))
            return True
        line, found, rest = self._buffer.partition(b"\r\n")
        if not found:
            return False
        words = line.decode()
        if words.startswith("BDAT"):
            size, last = int(words.split()[1]), words.endswith("LAST")
            if len(rest) < size:
                return False
            self._buffer = rest[size:]
            self._bdat(rest[:size], last=last)
            return True
        self._buffer = rest
        self._command(words)
        return True

    def _command(self, words: str) -> None:
        verb = words[:4]
        address = words.partition("<")[2].partition(">")[0]
        if verb == "RSET":
            self._reset()
            self._say(250)
        elif verb == "MAIL":
            code = 503 if self._sender is not None else self._verdict("MAIL")
            if code == 250:
                self._sender = address
            self._say(code)
        elif verb == "RCPT":
            code = 503 if self._sender is None else self._verdict("RCPT")
            if code == 250:
                self._recipients.append(address)
            self._say(code)
        elif verb == "DATA":
            code = 503 if self._sender is None else 554 if not self._recipients else self._verdict("DATA")
            self._data = code == 354
            self._say(code)
        else:
            self._say(221 if verb == "QUIT" else 500)

    def _bdat(self, chunk: bytes, *, last: bool) -> None:
        if self._sender is None or not self._recipients or self._broken:
            self._say(503 if self._sender is None else 554)
            return
        self._body.append(chunk)
        code = self._verdict("BDAT")
        if code >= 400:
            self._broken = True
            self._say(code)
        elif last:
            self._end(b"".join(self._body), code)
        else:
            self._say(code)

    def _end(self, content: bytes, code: int) -> None:
        if code == 250:
            self.taken.append(Taken(self._sender or "", tuple(self._recipients), content))
        self._reset()
        self._say(code)

    def _reset(self) -> None:
        self._sender, self._recipients, self._body, self._broken = None, [], [], False


def talk(
    dialogue: Dialogue[Any], server: MailServer, alive: int = 10**9, many: Callable[[int], int] = lambda n: n
) -> bool:
    """Run the dialogue against the server; after `alive` replies the connection is closed. Whether it lived to the end.

    `many` says how many of the waiting replies come in one read.
    """
    answer: Any = None
    unsent: list[bytes] = []
    try:
        while True:
            step = dialogue.send(answer)
            answer = None
            if isinstance(step, Send):
                unsent.append(step.data)
            elif isinstance(step, SendContent):
                unsent += step.chunks
            elif isinstance(step, Receive):
                server.feed(b"".join(unsent))
                unsent.clear()
                if alive <= 0:
                    dialogue.throw(entry("smtp.closed_by_server").problem(target="mx:25"))
                assert server.replies, "the client waits for a reply that will not come"
                count = max(1, min(many(len(server.replies)), len(server.replies), alive)) if step.many else 1
                found, server.replies = server.replies[:count], server.replies[count:]
                alive -= count
                answer = found if step.many else found[0]
            else:
                assert isinstance(step, Note)
    except StopIteration:
        assert not server.replies, f"replies that nobody asked for: {server.replies}"
        return True
    except Exception as error:
        if alive <= 0:
            return False
        raise error
