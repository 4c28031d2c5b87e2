"""A server's session: greeting, EHLO, STARTTLS, AUTH and the dispatch of commands (RFC 5321, 3207, 4954, 2033)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Generator, Mapping
from typing import Any

from smtpctl.model.endpoint import TlsMode
from smtpctl.model.record import NamedTuple
from smtpctl.model.transcript import Stage
from smtpctl.protocol.server.faults import End
from smtpctl.protocol.server.mechanisms import MECHANISMS, Denied, Door, Exchange, Malformed, offered
from smtpctl.protocol.server.readers import Line
from smtpctl.protocol.server.talk import Talk, misbehave
from smtpctl.protocol.server.transaction import Peer, Transaction
from smtpctl.protocol.server.values import Hangup, Pause, ServerDialogue, ServerStep, Setup
from smtpctl.protocol.steps import StartTls


def serve(setup: Setup) -> ServerDialogue:
    """One session from the greeting to QUIT; it also ends when its driver closes it."""
    return _Session(setup).run()


def stage_of(line: Line, otherwise: Stage) -> Stage:
    """The stage that a command line belongs to."""
    known = _COMMANDS.get(line.text.partition(" ")[0].upper())
    return known.stage if known else otherwise


class _Session:
    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.talk = Talk(setup)
        self.peer = Peer()
        self.transaction = Transaction(setup, self.talk)
        self.remarks: set[str] = set()
        self.extensions: frozenset[str] = frozenset()  # offered in the last EHLO
        self.welcome = False

    def run(self) -> ServerDialogue:
        if self.setup.tls is TlsMode.IMPLICIT:
            yield from self.handshake()
        kind = "LMTP" if self.setup.lmtp else "ESMTP"
        greeting = self.setup.greeting or f"{self.setup.name} {kind} smtpctl sink"
        self.welcome = yield from self.talk.answer("greeting", 220, greeting)
        while True:
            line = yield from self.talk.line(Stage.EHLO, self.setup.limits.line)
            yield from self.command(line)

    def handshake(self) -> ServerDialogue:
        for fault in self.setup.faults.at("tls"):
            if fault.delay:
                yield Pause(fault.delay)
            yield from misbehave(fault, Stage.TLS)
        self.peer = Peer(tls=(yield StartTls()))
        self.transaction.reset()
        self.extensions = frozenset()

    def command(self, line: Line) -> ServerDialogue:
        verb, _, argument = line.text.partition(" ")
        verb = verb.upper()
        known = _COMMANDS.get(verb)
        if line.bare_lf:
            self.remarks.add("command_bare_lf")
        if not line.complete:
            yield from self.talk.say(Stage.EHLO, 500, "5.5.2 Line too long")
        elif not known or known.only_lmtp not in (None, self.setup.lmtp):
            yield from self.talk.say(Stage.EHLO, 500, "5.5.2 Command not recognized")
        elif known.extension and known.extension not in self.setup.extensions:
            yield from self.talk.say(known.stage, 502, "5.5.1 Command not implemented")
        elif not self.welcome and verb != "QUIT":
            yield from self.talk.say(known.stage, 503, "5.5.1 No service here, only QUIT")
        elif known.greeted and not self.peer.helo:
            yield from self.talk.say(known.stage, 503, f"5.5.1 Say {'LHLO' if self.setup.lmtp else 'EHLO'} first")
        elif argument.strip() and known.bare:
            yield from self.talk.say(known.stage, 501, f"5.5.4 {verb} takes no argument")
        else:
            yield from known.run(self, line.text, argument.strip())

    def ehlo(self, line: str, argument: str) -> ServerDialogue:
        if not argument or not argument.isprintable():
            yield from self.talk.say(Stage.EHLO, 501, "5.5.4 Say who you are: a host name or [address]")
            return
        self.transaction.reset()
        keywords = self.keywords()
        hello = self.setup.hello or f"{self.setup.name} greets you"
        lines = (hello, *(" ".join(words) for words in keywords.items()))
        if (yield from self.talk.answer("ehlo", 250, *(text.rstrip() for text in lines), about=line)):
            self.peer = self.peer._replace(helo=argument, extended=True)
            self.extensions = frozenset(keywords)

    def keywords(self) -> dict[str, str]:
        """The keywords of an EHLO reply with their arguments."""
        mechanisms = offered(self.setup, self.peer.tls)
        secured = bool(self.peer.tls.protocol)
        arguments = {"SIZE": str(self.setup.limits.content), "AUTH": " ".join(mechanisms)}
        hidden = {
            "STARTTLS": secured or self.setup.tls is not TlsMode.STARTTLS,
            "AUTH": not mechanisms,
            "REQUIRETLS": not secured,
        }
        return {name: arguments.get(name, "") for name in self.setup.extensions if not hidden.get(name)}

    def helo(self, line: str, argument: str) -> ServerDialogue:
        if not argument or not argument.isprintable():
            yield from self.talk.say(Stage.EHLO, 501, "5.5.4 Say who you are: a host name or [address]")
            return
        self.transaction.reset()
        if (yield from self.talk.answer("ehlo", 250, self.setup.name, about=line)):
            self.peer = self.peer._replace(helo=argument, extended=False)
            self.extensions = frozenset()

    def starttls(self, line: str, argument: str) -> ServerDialogue:
        if self.peer.tls.protocol:
            yield from self.talk.say(Stage.STARTTLS, 503, "5.5.1 TLS is on already")
        elif self.setup.tls is not TlsMode.STARTTLS:
            yield from self.talk.say(Stage.STARTTLS, 502, "5.5.1 TLS is not offered")
        elif (yield from self.talk.answer("starttls", 220, "2.0.0 Ready to start TLS")):
            yield from self.handshake()

    def auth(self, line: str, argument: str) -> ServerDialogue:
        name, _, initial = argument.partition(" ")
        name = name.upper()
        refusal = self.auth_refusal(name, initial)
        if refusal:
            yield from self.talk.say(Stage.AUTH, *refusal)
            return
        setup = self.setup
        door = Door(setup.users, self.peer.tls, setup.certificate_hash, setup.name, setup.denial)
        verdict: tuple[int, str]
        try:
            first = _decoded(initial) if initial else None
            user = yield from self.exchange(MECHANISMS[name].run(door, first))
            verdict = (235, "2.7.0 Authentication successful")
        except Denied:
            user, verdict = "", (535, "5.7.8 Authentication credentials invalid")
        except Malformed:
            user, verdict = "", (501, "5.5.2 Cannot understand that response")
        except _Given as given:
            user, verdict = "", (given.code, given.text)
        if (yield from self.talk.answer("auth", *verdict, about=f"AUTH {name}")):
            self.peer = self.peer._replace(login=user or "anyone", mechanism=name)

    def auth_refusal(self, name: str, initial: str) -> tuple[int, str] | None:
        """Why AUTH cannot even begin."""
        if self.peer.login:
            return 503, "5.5.1 Already authenticated"
        if self.transaction.sender:
            return 503, "5.5.1 Not during a mail transaction"
        if not self.setup.users:
            return 502, "5.5.1 AUTH is not offered"
        if name not in offered(self.setup, self.peer.tls):
            if name in self.setup.mechanisms and not self.peer.tls.protocol:
                return 538, "5.7.11 Encryption required for this mechanism"
            return 504, "5.5.4 Unrecognized authentication mechanism"
        if initial and not MECHANISMS[name].client_first:
            return 501, "5.7.0 This mechanism takes no initial response"
        return None

    def exchange(self, mechanism: Exchange) -> Generator[ServerStep, Any, str]:
        """Challenges and responses; the name that logged in."""
        try:
            challenge = next(mechanism)
            while True:
                yield from self.talk.say(Stage.AUTH, 334, base64.b64encode(challenge).decode("ascii"))
                line = yield from self.talk.line(Stage.AUTH, self.setup.limits.response, secret=True)
                if not line.complete:
                    raise _Given(500, "5.5.6 Authentication exchange line is too long")
                if line.data == b"*":
                    raise _Given(501, "5.7.0 Authentication cancelled")
                challenge = mechanism.send(_decoded(line.text))
        except StopIteration as done:
            return str(done.value)

    def mail(self, line: str, argument: str) -> ServerDialogue:
        yield from self.transaction.mail(line, argument, self.extensions, self.peer)

    def rcpt(self, line: str, argument: str) -> ServerDialogue:
        yield from self.transaction.rcpt(line, argument, self.extensions)

    def data(self, line: str, argument: str) -> ServerDialogue:
        yield from self.transaction.data(self.peer, self.remarks)

    def bdat(self, line: str, argument: str) -> ServerDialogue:
        yield from self.transaction.bdat(argument, self.peer, self.remarks)

    def rset(self, line: str, argument: str) -> ServerDialogue:
        self.transaction.reset()
        yield from self.talk.say(Stage.MAIL, 250, "2.0.0 Ok")

    def noop(self, line: str, argument: str) -> ServerDialogue:
        yield from self.talk.say(Stage.MAIL, 250, "2.0.0 Ok")

    def vrfy(self, line: str, argument: str) -> ServerDialogue:
        yield from self.talk.say(Stage.RCPT, 252, "2.1.5 Cannot VRFY a user, but will take mail")

    def help(self, line: str, argument: str) -> ServerDialogue:
        yield from self.talk.say(Stage.EHLO, 214, "2.0.0 " + " ".join(_COMMANDS))

    def quit(self, line: str, argument: str) -> ServerDialogue:
        yield from self.talk.answer("quit", 221, "2.0.0 Bye")
        yield Hangup(End.CLOSE)


class _Given(Exception):
    """An exchange that ends with a reply of its own."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def _decoded(text: str) -> bytes:
    """A base64 response; `=` is an empty initial response (RFC 4954 4)."""
    try:
        return b"" if text == "=" else base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise _Given(501, "5.5.2 Cannot decode the base64 of that response") from None


class _Command(NamedTuple):
    """`greeted`: only after EHLO; `bare`: without argument; `only_lmtp` None for both protocols."""

    run: Callable[[_Session, str, str], ServerDialogue]
    stage: Stage
    greeted: bool = False
    bare: bool = False
    extension: str = ""
    only_lmtp: bool | None = None


_COMMANDS: Mapping[str, _Command] = {
    "EHLO": _Command(_Session.ehlo, Stage.EHLO, only_lmtp=False),
    "HELO": _Command(_Session.helo, Stage.EHLO, only_lmtp=False),
    "LHLO": _Command(_Session.ehlo, Stage.EHLO, only_lmtp=True),
    "STARTTLS": _Command(_Session.starttls, Stage.STARTTLS, bare=True, extension="STARTTLS"),
    "AUTH": _Command(_Session.auth, Stage.AUTH, greeted=True, extension="AUTH"),
    "MAIL": _Command(_Session.mail, Stage.MAIL, greeted=True),
    "RCPT": _Command(_Session.rcpt, Stage.RCPT, greeted=True),
    "DATA": _Command(_Session.data, Stage.DATA, greeted=True, bare=True),
    "BDAT": _Command(_Session.bdat, Stage.DATA, greeted=True, extension="CHUNKING"),
    "RSET": _Command(_Session.rset, Stage.MAIL, bare=True),
    "NOOP": _Command(_Session.noop, Stage.MAIL),
    "VRFY": _Command(_Session.vrfy, Stage.RCPT),
    "HELP": _Command(_Session.help, Stage.EHLO),
    "QUIT": _Command(_Session.quit, Stage.QUIT, bare=True),
}
