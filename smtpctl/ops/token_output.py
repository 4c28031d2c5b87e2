"""What `oauth token` prints and `oauth inspect` reads."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from smtpctl.config import secrets
from smtpctl.config.oauth import resolve_oauth
from smtpctl.config.profile import OAuth
from smtpctl.config.resolve import resolve
from smtpctl.config.store import Document
from smtpctl.knowledge.families import entry
from smtpctl.model.errors import UsageProblem
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import Secret
from smtpctl.oauth.inspect import Asked, Inspection
from smtpctl.oauth.inspect import inspect as read
from smtpctl.oauth.values import Token
from smtpctl.ops import credentials, tokens
from smtpctl.ops.session import Surroundings


class Output(NamedTuple):
    """A token to be printed, and the mailbox it is for (may be empty)."""

    token: Token
    user: str

    def written(self, format: str) -> str:
        """The token as `text`, `header`, `xoauth2` or `oauthbearer`. UsageProblem where the form needs a mailbox and there is
        none, or one with a character that would end its field."""
        access = self.token.access.reveal()
        if format == "header":
            return f"Authorization: Bearer {access}"
        if format not in _RESPONSES:
            return access
        if not self.user:
            raise UsageProblem(f"--format {format}: it names a mailbox", "Give --user ADDRESS.")
        if not self.user.isprintable():
            raise UsageProblem("--user: it has a line break, a control character or broken text in it")
        return b64encode(_RESPONSES[format](self.user, access).encode()).decode()

    def to_json(self) -> dict[str, Any]:
        """JSON values; the token is what was asked for, so it is in it."""
        return {
            "access_token": self.token.access.reveal(),
            "expires": int(self.token.expires) or None,
            "user": self.user,
            "source": self.token.source,
        }


_RESPONSES: dict[str, Callable[[str, str], str]] = {
    "xoauth2": lambda user, token: f"user={user}\x01auth=Bearer {token}\x01\x01",
    # RFC 7628 3.1, the name escaped as RFC 5801 4 has it
    "oauthbearer": lambda user, token: (
        f"n,a={user.replace('=', '=3D').replace(',', '=2C')},\x01auth=Bearer {token}\x01\x01"
    ),
}


def obtain(document: Document, name: str, user: str, around: Surroundings, *, renew: bool) -> Output:
    """A token of the credentials `name`. UsageProblem for a name that is none, Problem as `tokens.token`."""
    oauth = resolve_oauth(credentials.known(document, name), document)
    user = user or mailbox(document, name)
    if oauth.static:
        if oauth.access_token is None:
            raise entry("config.oauth_no_token").problem(target=name, oauth=name)
        return Output(Token(secrets.fetch(oauth.access_token, around.environ, around.prompt, warn=around.warn)), user)
    return Output(tokens.token(oauth, user, around, renew=renew), user)


def inspected(
    document: Document, what: str, user: str, around: Surroundings, stdin: Callable[[], str], now: float
) -> Inspection:
    """What is in a token: that of the credentials `what`, `what` itself, or one on standard input. UsageProblem for none."""
    if what == "-":
        text = stdin().strip()
        if not text:
            raise UsageProblem("There is no token on standard input.", "Name credentials, or pipe a token in.")
        return read(Secret(text), Asked(now, user))
    if what not in document.oauth and looks_like_a_token(what):
        return read(Secret(what), Asked(now, user))
    found = obtain(document, what, user, around, renew=False)
    oauth: OAuth = resolve_oauth(what, document)
    return read(found.token.access, Asked(now, found.user, oauth.client_id, oauth.tenant_id))


def looks_like_a_token(text: str) -> bool:
    """Whether it is no name: longer than any, or the parts of a JWT."""
    return len(text) > 60 or text.startswith("eyJ")


def mailbox(document: Document, name: str) -> str:
    """The mailbox of the profiles that use the credentials, where they agree; else empty."""
    users = {
        resolve(profile, {}, {}, document=document, need_host=False).login
        for profile in credentials.used_by(document, name)
    }
    return users.pop() if len(users) == 1 else ""
