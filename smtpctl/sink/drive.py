"""Runs one server session on one socket, blocking, in a thread of its own; the only I/O of the sink.

Every wait has an end: a line or piece of content must be there within `idle` seconds, however slowly its octets
drip, and what is sent must be taken within the same time.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import MASK
from smtpctl.model.tls import TlsSession
from smtpctl.model.transcript import Event, Kind, Stage, Transcript
from smtpctl.protocol.server.faults import End
from smtpctl.protocol.server.readers import Line
from smtpctl.protocol.server.session import stage_of
from smtpctl.protocol.server.talk import wire
from smtpctl.protocol.server.values import Deliver, Hangup, Mail, Pause, ServerDialogue
from smtpctl.protocol.steps import Receive, Send, StartTls

_FULL = 64 * 1024  # octets waiting to be sent before they are
_MOST_TEXT = 1000  # characters of one event
_MOST_EVENTS = 10_000  # of a transcript: an endless reply must not fill the memory
_LINGER = 1.0  # seconds for the peer to take our last words


class Post(NamedTuple):
    """What a driver needs from its server: `deliver` stores a mail and gives its id, None if it could not."""

    context: ssl.SSLContext | None
    deliver: Callable[[Mail], str | None]
    stopping: threading.Event
    idle: float


class _Over(Exception):
    """The session ended from outside; the text says how."""


class Driver:
    """One connection."""

    def __init__(self, sock: socket.socket, post: Post, transcript: Transcript) -> None:
        self._sock = sock
        self._post = post
        self._transcript = transcript
        self._buffer = bytearray()
        self._out = bytearray()
        self._mute = False  # our direction is closed
        self._secured = False
        self._began = time.monotonic()

    def run(self, dialogue: ServerDialogue) -> None:
        """Drive `dialogue` to its end; the socket is closed then."""
        acts: Mapping[type, Callable[[Any], Any]] = {
            Send: self._send,
            Receive: self._receive,
            StartTls: self._start_tls,
            Deliver: lambda step: self._post.deliver(step.mail),
            Pause: self._pause,
            Hangup: self._hang_up,
        }
        answer: Any = None
        try:
            while True:
                step = dialogue.send(answer)
                answer = acts[type(step)](step)
        except _Over as over:
            self._record(Stage.QUIT, Kind.NOTE, str(over))
        except OSError as error:  # ssl.SSLError too
            self._record(Stage.QUIT, Kind.ERROR, error.strerror or str(error))
        finally:
            dialogue.close()
            self._sock.close()

    def abort(self) -> None:
        """End the session from another thread."""
        with suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)  # not SSLSocket's, which forgets TLS first

    def _send(self, step: Send) -> None:
        for text in (step.shown or step.data.decode("utf-8", "backslashreplace")).splitlines():
            self._record(step.stage, Kind.SENT, text)
        self._out += step.data
        if len(self._out) >= _FULL:
            self._flush()

    def _flush(self) -> None:
        if self._out and not self._mute:
            self._sock.settimeout(self._post.idle)
            self._sock.sendall(self._out)
        self._out.clear()

    def _receive(self, step: Receive) -> Any:
        deadline = time.monotonic() + self._post.idle
        assert step.reader is not None
        while (taken := step.reader.take(self._buffer)) is None:
            self._flush()
            self._sock.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                octets = self._sock.recv(_FULL)
            except TimeoutError:
                self._out += wire(421, "4.4.2 Idle for too long")
                self._hang_up(Hangup(End.CLOSE))
            if not octets:
                raise _Over("the client closed the connection")
            self._buffer += octets
        if isinstance(taken, Line):
            stage = step.stage if step.secret else stage_of(taken, step.stage)
            self._record(stage, Kind.RECEIVED, MASK if step.secret else taken.shown)
        return taken

    def _start_tls(self, step: StartTls) -> TlsSession:
        self._flush()
        if self._buffer:
            self._record(Stage.STARTTLS, Kind.NOTE, f"{len(self._buffer)} octets sent before the handshake dropped")
            self._buffer.clear()  # RFC 3207 6: nothing said in clear counts after it
        assert self._post.context is not None
        self._sock.settimeout(self._post.idle)
        # The handshake comes after the assignment, so that abort() can reach the socket meanwhile.
        secured = self._post.context.wrap_socket(self._sock, server_side=True, do_handshake_on_connect=False)
        self._sock = secured
        secured.do_handshake()
        self._secured = True
        session = _session(secured)
        self._record(Stage.TLS, Kind.TLS, f"{session.protocol} {session.cipher}", session.facts())
        return session

    def _pause(self, step: Pause) -> None:
        self._flush()
        if self._post.stopping.wait(step.seconds):
            raise _Over("the sink was stopped")

    def _hang_up(self, step: Hangup) -> None:
        self._flush()
        if step.how is End.RESET:
            # A linger time of zero makes close() send RST instead of FIN.
            self._sock.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
            )
            raise _Over("the sink reset the connection")
        if step.how is End.HALF:
            self._sock.shutdown(socket.SHUT_WR)
            self._mute = True
            return
        with suppress(OSError, ValueError):
            self._say_goodbye()
        raise _Over("the sink closed the connection")

    def _say_goodbye(self) -> None:
        """Close so that the last reply arrives: with unread octets a plain close() would reset the connection."""
        deadline = time.monotonic() + _LINGER
        self._sock.settimeout(_LINGER)
        if isinstance(self._sock, ssl.SSLSocket):
            self._sock = self._sock.unwrap()
        self._sock.shutdown(socket.SHUT_WR)
        while self._sock.recv(_FULL) and time.monotonic() < deadline:
            pass

    def _record(self, stage: Stage, kind: Kind, text: str, facts: Mapping[str, Any] | None = None) -> None:
        if len(self._transcript) < _MOST_EVENTS:
            at = time.monotonic() - self._began
            self._transcript.add(Event(at, stage, kind, text[:_MOST_TEXT], self._secured, facts or {}))


def _session(sock: ssl.SSLSocket) -> TlsSession:
    """What was negotiated, as the server sees it: the chain and the subject are the client's."""
    cipher, protocol, bits = sock.cipher() or ("", "", 0)
    protocol = sock.version() or protocol
    client = sock.getpeercert() or {}
    der = sock.getpeercert(binary_form=True)
    names: Any = client.get("subject", ())
    common = [value for part in names for key, value in part if key == "commonName"]
    unique = sock.get_channel_binding("tls-unique") if protocol == "TLSv1.2" else None
    return TlsSession(
        protocol,
        cipher,
        bits,
        "",
        chain=(der,) if der else (),
        verified=bool(der),
        verify_code=0 if der else -1,
        tls_unique=unique or b"",
        subject=common[0] if common else "",
    )
