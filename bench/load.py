"""One load client, a process of its own: python bench/load.py MODE PORT MAILS. MODE is a mode of smtpctl or `aiosmtplib`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

CONNECTIONS = 10
SENDER, RECIPIENT = "ann@bench.test", "bob@bench.test"
LINE = b"The quick brown fox jumps over the lazy dog and then writes a mail log.\r\n"
HEADER = b"From: <ann@bench.test>\r\nTo: <bob@bench.test>\r\nSubject: load\r\nMessage-ID: <load@bench.test>\r\n\r\n"
BODY = HEADER + (LINE * 40)[: 2048 - len(HEADER) - 2] + b"\r\n"


def engine(mode: str, port: int, mails: int) -> None:
    from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsMode, TlsPolicy
    from smtpctl.model.envelope import Envelope, Recipient
    from smtpctl.model.transcript import Transcript
    from smtpctl.net.connect import connect
    from smtpctl.net.connection import Connection, Log
    from smtpctl.net.pool import drive
    from smtpctl.protocol.dialogue import Login, log_in
    from smtpctl.protocol.steps import Dialogue
    from smtpctl.protocol.stream import Mail, Mode, stream
    from smtpctl.protocol.submit import Submission, leave

    mail = Mail(Envelope(SENDER, (Recipient(RECIPIENT),)), BODY)
    accepted = 0

    def settle(mail: Mail, done: Submission | None) -> None:
        nonlocal accepted
        accepted += bool(done and done.final and done.final[0].positive)

    def supply() -> Iterator[Mail]:
        for _ in range(mails):
            yield mail

    shared = supply()

    def session() -> Dialogue[None]:
        opened = yield from log_in(Login("client.bench.test", TlsMode.NONE))
        yield from stream(opened.capabilities, shared, settle, mode=Mode(mode))
        yield from leave()

    def opened() -> Connection:
        policy = TlsPolicy(mode=TlsMode.NONE)
        connection = connect(Endpoint("127.0.0.1", port), Route(), policy, Timeouts(), Log(Transcript()))
        connection.log = None
        return connection

    drive([(opened(), session()) for _ in range(CONNECTIONS)])
    if accepted != mails:
        raise SystemExit(f"{accepted} of {mails} mails were accepted")


def aiosmtplib(port: int, mails: int) -> None:
    import asyncio

    import aiosmtplib

    async def one(number: int) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for _ in range(number):
                await client.sendmail(SENDER, [RECIPIENT], BODY)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(mails // CONNECTIONS) for _ in range(CONNECTIONS)))

    asyncio.run(all_of_them())


if __name__ == "__main__":
    mode, port, mails = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    aiosmtplib(port, mails) if mode == "aiosmtplib" else engine(mode, port, mails)
