"""Small questions to a port, asked after something went wrong."""

from __future__ import annotations

import ssl

from smtpctl.model.endpoint import Endpoint, Route, Timeouts, TlsMode, TlsPolicy
from smtpctl.model.errors import Problem
from smtpctl.model.transcript import Stage, Transcript
from smtpctl.net.connect import connect
from smtpctl.net.connection import Log
from smtpctl.net.runner import run
from smtpctl.protocol.steps import Dialogue, StartTls

SECONDS = 5.0


def speaks_tls(endpoint: Endpoint, route: Route, limit: float = SECONDS) -> bool:
    """Whether the port answers a TLS hello from the first octet; any certificate and any alert counts as TLS. `limit`
    seconds at most."""
    policy = TlsPolicy(mode=TlsMode.IMPLICIT, verify=False)
    seconds = min(limit, SECONDS)
    timeouts = Timeouts(total=seconds, stages={Stage.TLS: seconds, Stage.CONNECT: seconds})
    try:
        with connect(endpoint, route, policy, timeouts, Log(Transcript())) as connection:
            run(_handshake(), connection)
    except Problem as problem:
        # An alert is TLS too: the server wanted another version, cipher or a client certificate.
        cause = problem.__cause__
        return isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or "")
    return True


def _handshake() -> Dialogue[None]:
    yield StartTls()
