"""The sink: a listening socket, a thread a connection, and what was caught.

As a library, and for tests with well-behaved and hostile servers alike::

    with Sink(Setup(tls=TlsMode.STARTTLS, users={"ann": Secret("...")})) as sink:
        ...  # sink.host, sink.port, sink.ca_file
    sink.messages, sink.transcript
"""

from __future__ import annotations

import secrets
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from smtpctl.model.endpoint import Endpoint, TlsMode
from smtpctl.model.record import NamedTuple
from smtpctl.model.transcript import Transcript
from smtpctl.protocol.server.session import serve
from smtpctl.protocol.server.talk import wire
from smtpctl.protocol.server.values import Mail, Setup
from smtpctl.sink.capture import Capture, Captured, Memory
from smtpctl.sink.drive import Driver, Post

PLAIN = Setup()
LOOPBACK = Endpoint("127.0.0.1", 0)
_MOST_SESSIONS = 100  # transcripts kept
_LOCAL_OF = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  # looked up, not bound


class Session(NamedTuple):
    """One connection: the client's address and what was said."""

    peer: str
    transcript: Transcript


class Hooks(NamedTuple):
    """Called in the threads of the connections: with each mail that was stored, when a session begins and ends."""

    mail: Callable[[Captured], None] | None = None
    begin: Callable[[Session], None] | None = None
    end: Callable[[Session], None] | None = None


NO_HOOKS = Hooks()


class Sink:
    """A server on `endpoint` (port 0: any free one). Use it as a context manager, or `start` and `stop` it.

    With TLS it makes an authority of its own in `tls_folder`, or in a temporary folder that goes with it; `flaw` is what
    its certificate has (`authority.FLAWS`).
    OSError if it cannot listen or write.
    """

    def __init__(
        self,
        setup: Setup = PLAIN,
        endpoint: Endpoint = LOOPBACK,
        *,
        capture: Capture | None = None,
        tls_folder: Path | None = None,
        flaw: str = "",
        connections: int = 100,
        idle: float = 300.0,
        hooks: Hooks = NO_HOOKS,
    ) -> None:
        self.setup = setup
        self.ca_file = ""
        self.sessions: list[Session] = []
        self.refused = 0
        self._endpoint = endpoint
        self._memory = Memory()
        self._capture = capture or self._memory
        self._tls_folder = tls_folder
        self._flaw = flaw
        self._connections = connections
        self._idle = idle
        self._hooks = hooks
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, Driver] = {}
        self._cleanup = ExitStack()

    @property
    def messages(self) -> Sequence[Captured]:
        """What was caught, if nothing else captures."""
        return tuple(self._memory.mails)

    @property
    def transcript(self) -> Transcript:
        """Of the last connection; IndexError before the first."""
        return self.sessions[-1].transcript

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens, with the real port."""
        return self._endpoint

    @property
    def host(self) -> str:
        return self._endpoint.host

    @property
    def port(self) -> int:
        return self._endpoint.port

    def __enter__(self) -> Sink:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; returns when clients can connect."""
        context = self._tls() if self.setup.tls is not TlsMode.NONE else None
        listener = _listener(self._endpoint)
        if self._endpoint.path:
            self._cleanup.callback(Path(self._endpoint.path).unlink, missing_ok=True)
        else:
            self._endpoint = self._endpoint._replace(port=listener.getsockname()[1])
        self._listener = listener
        self._post = Post(context, self._deliver, self._stopping, self._idle)
        self._thread = threading.Thread(target=self._accept, name="sink", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close everything; returns when the threads have ended."""
        self._stopping.set()
        _wake(self._endpoint)
        self._thread.join()
        self._listener.close()
        with self._lock:
            running = dict(self._open)
        for driver in running.values():
            driver.abort()
        for thread in running:
            thread.join()
        self._cleanup.close()

    def _tls(self) -> ssl.SSLContext:
        from smtpctl.sink import authority

        folder = self._tls_folder
        if folder is None:
            folder = Path(self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="smtpctl-sink-")))
        by_certificate = "EXTERNAL" in self.setup.mechanisms
        host = self._endpoint.host
        names = [self.setup.name, socket.gethostname() if host in _LOCAL_OF else host]
        files = authority.create(
            folder, [name for name in names if name], tuple(self.setup.users) if by_certificate else (), self._flaw
        )
        self.ca_file = str(files.ca)
        self.setup = self.setup._replace(certificate_hash=authority.certificate_hash(files))
        return authority.context(files, ask_client=by_certificate)

    def _accept(self) -> None:
        while True:
            try:
                sock, address = self._listener.accept()
            except OSError:  # out of descriptors, or a client that left at once
                if self._stopping.wait(0.05):
                    return
                continue
            if self._stopping.is_set():
                sock.close()
                return
            peer = "unix"
            if isinstance(address, tuple):
                peer = str(address[0])
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # replies are small and waited for
            if len(self._open) >= self._connections:
                self._turn_away(sock)
                continue
            self._begin(sock, peer)

    def _turn_away(self, sock: socket.socket) -> None:
        self.refused += 1
        with sock, suppress(OSError):
            sock.settimeout(1)
            if self.setup.tls is not TlsMode.IMPLICIT:
                sock.sendall(wire(421, f"4.7.0 {self.setup.name} Too many connections"))

    def _begin(self, sock: socket.socket, peer: str) -> None:
        session = Session(peer, Transcript())
        post = self._post._replace(deliver=lambda mail: self._deliver(mail, peer))
        driver = Driver(sock, post, session.transcript)
        thread = threading.Thread(target=self._serve, args=(driver, session), name=f"sink {peer}", daemon=True)
        with self._lock:
            self.sessions.append(session)
            del self.sessions[:-_MOST_SESSIONS]
            self._open[thread] = driver
        thread.start()

    def _serve(self, driver: Driver, session: Session) -> None:
        try:
            if self._hooks.begin:
                self._hooks.begin(session)
            driver.run(serve(self.setup))
            if self._hooks.end:
                self._hooks.end(session)
        finally:
            with self._lock:
                del self._open[threading.current_thread()]

    def _deliver(self, mail: Mail, peer: str = "") -> str | None:
        captured = Captured(secrets.token_hex(5).upper(), time.time(), peer, mail)
        try:
            self._capture.store(captured)
        except OSError:
            return None
        if self._hooks.mail:
            self._hooks.mail(captured)
        return captured.id


def _listener(endpoint: Endpoint) -> socket.socket:
    if endpoint.path:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(endpoint.path)
        listener.listen(128)
        return listener
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    return socket.create_server((endpoint.host, endpoint.port), family=family, backlog=128)


def _wake(endpoint: Endpoint) -> None:
    """Let accept() return: a connection of our own works on every system."""
    with suppress(OSError):
        if endpoint.path:
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(endpoint.path)
        else:
            socket.create_connection((_LOCAL_OF.get(endpoint.host, endpoint.host), endpoint.port), timeout=1).close()
