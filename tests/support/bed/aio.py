"""aiosmtpd: a server in Python that needs nothing installed; STARTTLS, LOGIN and PLAIN, and what it got is in `mails`."""

from __future__ import annotations

import ssl
from email.message import Message

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from aiosmtpd.smtp import AuthResult, LoginPassword

from bed.accounts import ACCOUNTS
from bed.pki import Pki


class _Keeper(MessageHandler):
    """Keeps each message with its envelope as X-MailFrom and X-RcptTo."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Message] = []

    def handle_message(self, message: Message) -> None:
        self.mails.append(message)


def _authenticate(_server: object, _session: object, _envelope: object, mechanism: str, login: object) -> AuthResult:
    assert isinstance(login, LoginPassword)
    wanted = {account.username.encode(): account.password.encode() for account in ACCOUNTS}
    # handled=False lets aiosmtpd send the 535 itself: otherwise a failure gets no reply at all.
    return AuthResult(success=wanted.get(login.login) == login.password, handled=False, auth_data=login.login)


class Aiosmtpd:
    """One running aiosmtpd, in a thread."""

    def __init__(self, port: int, pki: Pki) -> None:
        self.port = port
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki.chain("good"), pki.key("good"))
        self._keeper = _Keeper()
        self._controller = Controller(
            self._keeper,
            hostname="127.0.0.1",
            port=port,
            ready_timeout=10,
            tls_context=context,
            authenticator=_authenticate,
            auth_required=True,
            auth_require_tls=True,
            require_starttls=True,
        )
        self._controller.start()

    @property
    def mails(self) -> list[Message]:
        """What has been sent to it, oldest first."""
        return self._keeper.mails

    def stop(self) -> None:
        """End it."""
        self._controller.stop()
