"""`oauth login`: somebody signs in once; the refresh token is kept, and what was got is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from smtpctl.config import store
from smtpctl.config.oauth import resolve_oauth
from smtpctl.config.profile import OAuth
from smtpctl.knowledge.families import entry
from smtpctl.model.errors import UsageProblem
from smtpctl.oauth import grants
from smtpctl.oauth.grants import INTERACTIVE
from smtpctl.oauth.values import DeviceCode, Pending, Token
from smtpctl.ops import credentials, tokens
from smtpctl.ops.session import Surroundings

__all__ = ["DeviceCode", "Pending"]

WAIT = 600.0  # seconds for somebody to sign in
_PASTED = "http://localhost"


def found(path: Path | None, name: str, environ: Mapping[str, str]) -> OAuth:
    """The credentials, if somebody can log in for them. UsageProblem else."""
    document = store.read(path, environ)
    oauth = resolve_oauth(credentials.known(document, name), document)
    if oauth.grant not in (*INTERACTIVE, "refresh_token"):
        hint = f"For a person: smtpctl oauth set {name} grant=device_code"
        raise UsageProblem(f"Nobody logs in for {name}: its grant is {oauth.grant}", hint)
    return oauth


def by_code(oauth: OAuth, user: str, around: Surroundings, show: Callable[[DeviceCode], None]) -> Token:
    """With a code that is typed at another device. Problem of the family `oauth`."""
    application = tokens.application(oauth, user, around)._replace(grant="device_code")
    return tokens.told(oauth, lambda: grants.device(application, show))


def by_browser(oauth: OAuth, user: str, around: Surroundings, show: Callable[[Pending], str]) -> Token:
    """With a browser. `show` gets the address to open; it returns nothing, and the browser's way back is waited for, or the
    address that somebody pasted in place of it. Problem of the family `oauth`."""
    from smtpctl.oauth.loopback import listener

    application = tokens.application(oauth, user, around)._replace(grant="authorization_code")

    def signed_in() -> Token:
        with listener(application.redirect_port) as at:
            pending = grants.begin(application, at.redirect)
            pasted = show(pending)
            query = pasted_query(pasted) if pasted else at.wait(WAIT)
            return grants.finish(application, pending, query)

    return tokens.told(oauth, signed_in)


def pasted_query(address: str) -> Mapping[str, str]:
    """The parameters of the address that a browser showed after a login. Problem `oauth.browser_answer` for another."""
    query = dict(parse_qsl(urlsplit(address.strip()).query))
    if not query.keys() & {"code", "error"}:
        raise entry("oauth.browser_answer").problem(reason=f"no address that begins with {_PASTED} and holds a code")
    return query


def keep(path: Path, oauth: OAuth, user: str, token: Token, environ: Mapping[str, str]) -> str:
    """Keep what a login gave, the refresh token in the keyring where it has no place yet; where that is. Problem where it
    cannot be kept."""
    if not token.refresh:
        return ""
    if oauth.refresh_token is None:
        credentials.keep_refresh_in_keyring(path, oauth.name)
        oauth = resolve_oauth(oauth.name, store.read(path, environ))
    tokens.forget(oauth, environ)
    tokens.keep(oauth, user, token, environ)
    return str(oauth.refresh_token)
