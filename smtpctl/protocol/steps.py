"""The seam between a dialogue and whoever does its I/O.

A dialogue is a generator that reads like the RFC: it yields a step and is resumed with the answer.
Sending and receiving are separate steps, so pipelining (RFC 2920) is nothing special: several `Send`s,
then as many `Receive`s. What is sent is written when the dialogue next waits.

    step            the generator is resumed with
    Send            None
    SendContent     None
    Receive         what its reader took: a Reply for clients, a line or content for servers
    StartTls        a TlsSession
    Note            None

What ends a session from outside (peer closed, timed out, TLS refused) is thrown into the dialogue as a
Problem at the step that waits.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

from smtpctl.model.record import NamedTuple
from smtpctl.model.transcript import Stage

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Reader(Protocol[T_co]):
    """Takes one complete thing from the front of a buffer of received octets."""

    def take(self, buffer: bytearray) -> T_co | None:
        """Remove and return one thing, or None when more octets are needed (what was taken so far may stay inside)."""


class Send(NamedTuple):
    """Octets to send, line ends included. `shown` is what the transcript may show instead, for lines with secrets;
    `replies` how many replies they will bring (so that unsolicited ones can be told apart)."""

    data: bytes
    stage: Stage
    shown: str | None = None
    replies: int = 1


class SendContent(NamedTuple):
    """Message content, already dot-stuffed or framed. The transcript gets one line that says how much."""

    chunks: Iterable[bytes]
    stage: Stage = Stage.DATA
    replies: int = 1


class Receive(NamedTuple):
    """Wait for one thing within the time of `stage`. `reader` None means the connection's reply reader.
    `secret`: the transcript shows the mask for its text (SASL challenges). `many`: a list of all replies that have
    come, at least one, instead of one reply. `seconds`: it may well be that nothing comes; after so long the dialogue is
    resumed with None."""

    stage: Stage
    reader: Reader[Any] | None = None
    secret: bool = False
    many: bool = False
    seconds: float | None = None


class StartTls(NamedTuple):
    """Handshake now. Octets received in clear and not yet read are discarded and reported (RFC 3207 6)."""

    stage: Stage = Stage.TLS


class Note(NamedTuple):
    """An observation for the transcript; `facts` holds JSON values."""

    text: str
    stage: Stage
    facts: Mapping[str, Any] = {}


Step: TypeAlias = Send | SendContent | Receive | StartTls | Note
Dialogue: TypeAlias = Generator[Step, Any, T]
