"""What `smtpctl sink` shows: directions, a line a mail, what went wrong in a session, a summary. Text or JSON Lines."""

from __future__ import annotations

from collections import Counter
from typing import Any

from smtpctl.cli.terminal import Terminal
from smtpctl.model.transcript import Event, Kind
from smtpctl.ops.directions import directions
from smtpctl.ops.sink import REMARKS, SCHEMA, Running, Session

_UNITS = ((1024 * 1024, "MB"), (1024, "kB"))


class TextScreen:
    """Talk on stderr; nothing on stdout."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._canvas = terminal.err_canvas
        self.mails = 0
        self._sessions = 0
        self._size = 0
        self._remarks: Counter[str] = Counter()

    def listening(self, run: Running) -> None:
        """How to point an application at it."""
        if run.exposed:
            self._terminal.warn(f"{run.sink.endpoint} can be reached from other machines; anybody may leave mail there")
        told = directions(run)
        canvas = self._canvas
        say = self._terminal.say
        say(canvas.paint("title", f"smtpctl sink  {run.sink.endpoint}"))
        say("")
        for label, value in told.settings.items():
            for line in canvas.prose(value, " " * 14, first=f"  {label:<12}"):
                say(line)
        say("")
        for label, line in (("try", told.try_it), ("keep", told.keep_it), ("environment", told.variables)):
            if line:
                say(f"  {canvas.paint('dim', f'{label:<12}')}{canvas.text(line)}")
        say("\nWaiting for mail. Ctrl-C ends.")

    def begin(self, session: Session) -> None:
        """With --verbose, everything that is said."""
        self._sessions += 1
        if self._terminal.verbosity:
            for event in tuple(session.transcript):
                self._event(event)
            session.transcript.subscribe(self._event)

    def _event(self, event: Event) -> None:
        who = {Kind.SENT: "S:", Kind.RECEIVED: "C:"}.get(event.kind, " *")
        self._terminal.say(f"  {self._canvas.paint('dim', who)} {self._canvas.text(event.text)}")

    def mail(self, captured: Any) -> None:
        """One line for a mail, and one for each remark on it."""
        mail = captured.mail
        self.mails += 1
        self._size += len(mail.content)
        self._remarks.update(mail.remarks)
        to = mail.recipients[0].address + (f" +{len(mail.recipients) - 1}" if len(mail.recipients) > 1 else "")
        how = " ".join(word for word in (mail.protocol, mail.tls, mail.mechanism, mail.login) if word)
        canvas = self._canvas
        text = f"{mail.sender.address or '<>'} → {to}  {_subject(mail.content)}"
        line = f"{_clock(captured.at)}  {canvas.text(text)}"
        self._terminal.say(
            f"{canvas.status('passed')} {line}  {canvas.paint('dim', f'{_size(len(mail.content))} {how}')}"
        )
        for name in mail.remarks:
            self._terminal.say(f"  {canvas.status('warning')} {canvas.text(REMARKS[name])}")

    def end(self, session: Session) -> None:
        """Only what went wrong, with what was said last."""
        for event in session.transcript:
            if event.kind is Kind.ERROR:
                said = [e.text for e in session.transcript if e.kind is Kind.RECEIVED][-1:]
                where = f"{session.peer} after {said[0]}" if said else session.peer
                text = f"{where}: {event.text}"
                self._terminal.say(f"{self._canvas.status('failed')} {self._canvas.text(text)}")

    def ended(self) -> None:
        """What there was in all."""
        counted = f"{self.mails} mail{'s' * (self.mails != 1)}, {_size(self._size)}, {self._sessions} connection{'s' * (self._sessions != 1)}"
        self._terminal.say(f"\n{counted}")
        for name, number in self._remarks.most_common():
            self._terminal.say(f"  {number} mail{'s' * (number != 1)}: {self._canvas.text(REMARKS[name])}")


class JsonScreen:
    """One JSON object a line on stdout: `listening`, `mail` ..., `summary`."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self.mails = 0
        self._sessions = 0

    def listening(self, run: Running) -> None:
        """Where it listens; the passwords are those that were made up for this run."""
        sink = run.sink
        made = {name: secret.reveal() for name, secret in run.generated.items()}
        place = {"socket": sink.endpoint.path} if sink.endpoint.path else {"host": sink.host, "port": sink.port}
        plays = run.role.personality.name
        more = {"as": plays, "try": directions(run).try_it} if plays else {}
        self._write("listening", tls=str(sink.setup.tls), ca_file=sink.ca_file, passwords=made, **place, **more)

    def begin(self, session: Session) -> None:
        self._sessions += 1

    def mail(self, captured: Any) -> None:
        self.mails += 1
        self._write("mail", **captured.to_json())

    def end(self, session: Session) -> None:
        for event in session.transcript:
            if event.kind is Kind.ERROR:
                self._write("error", peer=session.peer, **event.to_json())

    def ended(self) -> None:
        self._write("summary", mails=self.mails, connections=self._sessions)

    def _write(self, event: str, **values: Any) -> None:
        from smtpctl.render.to_json import line

        self._terminal.out(line(SCHEMA, {"event": event, **values}))
        self._terminal.stdout.flush()


def _subject(content: bytes) -> str:
    from email import message_from_bytes, policy

    head = content[:65536].partition(b"\r\n\r\n")[0]
    try:
        subject = message_from_bytes(head, policy=policy.default)["Subject"]
    except (ValueError, LookupError, AttributeError, IndexError):  # the parser of headers is not always sure
        return ""
    return f"“{str(subject)[:60]}”" if subject else ""


def _clock(at: float) -> str:
    from datetime import datetime

    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")


def _size(octets: int) -> str:
    for unit, name in _UNITS:
        if octets >= unit:
            return f"{octets / unit:.1f} {name}"
    return f"{octets} octets"
