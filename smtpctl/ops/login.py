"""`oauth login`: somebody signs in once; the refresh token is kept, and what was got is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from smtpctl.config import secrets, store
from smtpctl.config.oauth import resolve_oauth
from smtpctl.config.profile import OAuth
from smtpctl.config.secrets import Kind, SecretRef, keyring_entry
from smtpctl.knowledge.families import entry
from smtpctl.model.errors import Problem, UsageProblem
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
        with listener(application.redirect_port, oauth.name) as at:
            pending = grants.begin(application, at.redirect)
            at.expect(pending.state)
            pasted = show(pending)
            query = pasted_query(pasted) if pasted else at.wait(WAIT)
            return grants.finish(application, pending, query)

    return tokens.told(oauth, signed_in)


def pasted_query(address: str) -> Mapping[str, str]:
    """The parameters of the address that a browser showed after a login. Problem `oauth.browser_answer` for another."""
    try:
        query = dict(parse_qsl(urlsplit(address.strip()).query))
    except ValueError:
        query = {}
    if not query.keys() & {"code", "error"} or not address.strip().isprintable():
        raise entry("oauth.browser_answer").problem(reason=f"no address that begins with {_PASTED} and holds a code")
    return query


def place(oauth: OAuth, environ: Mapping[str, str]) -> SecretRef:
    """Where the refresh token will be kept: where the credentials say, else the keyring. Asked before anybody signs in, so
    that no login is for nothing: UsageProblem for a place that is not written to, Problem where there is no keyring."""
    reference = oauth.refresh_token or SecretRef(Kind.KEYRING, keyring_entry("oauth", oauth.name, "refresh_token"))
    elsewhere = f"smtpctl oauth set {oauth.name} refresh_token_file=PATH"
    if reference.kind not in tokens.STORED:
        raise UsageProblem(f"The refresh token cannot be kept in {reference}", f"Give it a file: {elsewhere}")
    try:
        secrets.fetch(reference, environ)
    except Problem as problem:
        if problem.finding.id == "secret.no_keyring" and oauth.refresh_token is None:
            raise UsageProblem(problem.finding.title, f"Give the refresh token a file: {elsewhere}") from None
        if problem.finding.id not in tokens.NONE_YET:
            raise
    return reference


def keep(path: Path, oauth: OAuth, user: str, token: Token, where: SecretRef, environ: Mapping[str, str]) -> str:
    """Keep what a login gave, the refresh token at `where`; the name of that place, or nothing where none was given.
    Problem where it cannot be kept."""
    if not token.refresh:
        return ""
    secrets.store(where, token.refresh, environ)
    if oauth.refresh_token is None:
        credentials.keep_refresh_in_keyring(path, oauth.name)
    tokens.forget(oauth, environ)
    tokens.keep(oauth._replace(refresh_token=where), user, token, environ)
    return str(where)
