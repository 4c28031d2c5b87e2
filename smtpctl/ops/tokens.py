"""Access tokens: from this run's memory, from where they are kept, else from the provider; one asks at a time.

A token is used until a few minutes before its end. Who is told that it was refused asks for a new one once (`renew`).
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, TypeVar

from smtpctl.config import secrets
from smtpctl.config.profile import OAuth
from smtpctl.config.secrets import Kind, SecretRef, kept
from smtpctl.knowledge.families import entry
from smtpctl.model.errors import Problem
from smtpctl.model.secret import Secret
from smtpctl.oauth.values import NO_SECRET, Application, Token

if TYPE_CHECKING:
    from smtpctl.ops.session import Surroundings

T = TypeVar("T")
_memory: dict[str, Token] = {}
_one_at_a_time = threading.Lock()
STORED = (Kind.KEYRING, Kind.FILE)
NONE_YET = ("secret.not_found", "secret.file_unreadable", "secret.empty")


def token(
    oauth: OAuth, user: str, around: Surroundings, *, hidden: frozenset[str] = frozenset(), renew: bool = False
) -> Token:
    """A token that is good for some minutes more; with `renew` a new one, whatever is kept. `user` is the mailbox it is
    for. Problem of the family `oauth` or `secret`, or what the provider's answer means. A token that cannot be kept is a
    warning, where somebody hears those."""
    key, place = _identity(oauth, user), _place(oauth, around.environ)
    before = _memory.get(key)
    if before and not renew and before.fresh(time.time()):
        return before
    lock = kept.exclusive(oauth.name, around.environ) if place else nullcontext()
    with _one_at_a_time, lock:
        # While this one waited, another may have asked. What is the same as before was refused.
        known = _memory.get(key) or _kept(place, key, around.environ)
        if known and known.fresh(time.time()) and not (renew and (before is None or known.access == before.access)):
            _memory[key] = known
            return known
        found = _asked(oauth, user, around, hidden, known)
        _memory[key] = found._replace(source="cache")
        try:
            keep(oauth, user, found, around.environ)
        except Problem as problem:  # what was got is good, and what it was got with may be used up
            if around.warn is None:
                raise
            reason = problem.finding.title
            around.warn(entry("oauth.not_kept").finding(target=oauth.name, oauth=oauth.name, reason=reason))
        return found


def keep(oauth: OAuth, user: str, found: Token, environ: Mapping[str, str]) -> None:
    """Keep a token where the credentials say, and its refresh token where theirs is. Problem `secret.not_writable` and
    what the keyring says. A refresh token that is there already is not written: its place may be for reading only."""
    own = oauth.refresh_token
    if found.refresh and own and own.kind in STORED and _stored(own, environ) != found.refresh:
        secrets.store(own, found.refresh, environ)
    place = _place(oauth, environ)
    if place:
        kept.write(place, _identity(oauth, user), kept.Kept(found.access, found.expires), environ)


def forget(oauth: OAuth, environ: Mapping[str, str]) -> None:
    """Throw away the tokens that are kept, also the file of a time when the credentials said `file`. Problem where the
    keyring cannot be asked."""
    _memory.clear()
    for choice in ("file", oauth.values["cache"]):
        place = kept.place(choice, oauth.name, environ)
        if place:
            secrets.remove(place, environ)


def application(oauth: OAuth, user: str, around: Surroundings, hidden: frozenset[str] = frozenset()) -> Application:
    """The credentials with their secrets fetched. Problem of the family `secret`."""

    def fetched(reference: SecretRef | None, label: str) -> Secret:
        if reference is None:
            return NO_SECRET
        return secrets.fetch(
            reference,
            around.environ,
            around.prompt,
            label=f"{label} of {oauth.name}: ",
            warn=around.warn,
            hidden=hidden,
        )

    values = oauth.values
    return Application(
        name=oauth.name,
        grant=oauth.grant,
        client_id=oauth.client_id,
        tenant_id=oauth.tenant_id,
        authority=oauth.authority if oauth.tenant_id else "",
        issuer=values["issuer"],
        # The key file of a service account says where it is good.
        token_endpoint=oauth.token_endpoint if oauth.grant == "service_account" else oauth.endpoint,
        authorization_endpoint=values["authorization_endpoint"],
        device_endpoint=values["device_endpoint"],
        scopes=tuple(oauth.scopes.split()),
        client_auth=values["client_auth"],
        client_secret=fetched(oauth.client_secret, "Client secret"),
        certificate=values["client_cert"],
        key=values["client_key"],
        passphrase=fetched(oauth.client_key_password, "Pass phrase"),
        assertion_file=values["assertion_file"],
        managed_identity=values["managed_identity"],
        key_file=values["key_file"],
        subject=values["subject"] or user,
        refresh_token=_refresh(oauth, around, hidden),
        redirect_port=values["redirect_port"] or 0,
        ca_file=values["ca_file"],
        proxy=values["proxy"],
    )


def told(oauth: OAuth, work: Callable[[], T]) -> T:
    """What `work` gives, or its Problem with commands for these credentials."""
    try:
        return work()
    except Problem as problem:
        from smtpctl.ops import advice

        problem.finding = advice.named(problem.finding, oauth)
        raise


def _asked(oauth: OAuth, user: str, around: Surroundings, hidden: frozenset[str], known: Token | None) -> Token:
    from smtpctl.oauth import grants

    asking = application(oauth, user, around, hidden)
    if known and known.refresh:
        asking = asking._replace(refresh_token=known.refresh)
    found = told(oauth, lambda: grants.obtain(asking))
    return found if found.refresh else found._replace(refresh=asking.refresh_token)


def _refresh(oauth: OAuth, around: Surroundings, hidden: frozenset[str]) -> Secret:
    """The refresh token; empty where nobody has logged in yet."""
    if oauth.refresh_token is None:
        return NO_SECRET
    try:
        return secrets.fetch(oauth.refresh_token, around.environ, around.prompt, warn=around.warn, hidden=hidden)
    except Problem as problem:
        if problem.finding.id in NONE_YET:
            return NO_SECRET
        raise


def _stored(reference: SecretRef, environ: Mapping[str, str]) -> Secret:
    try:
        return secrets.fetch(reference, environ)
    except Problem:  # storing says what is wrong there
        return NO_SECRET


def _identity(oauth: OAuth, user: str) -> str:
    """What a token is asked for with, and for whom, as a hash: a change of the settings asks for a new one."""
    own = (oauth.values[name] for name in ("issuer", "key_file", "subject", "managed_identity"))
    login = str(oauth.refresh_token or "")
    asked = (oauth.name, oauth.grant, oauth.endpoint, oauth.client_id, oauth.scopes, login, *own, user)
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _kept(place: SecretRef | None, key: str, environ: Mapping[str, str]) -> Token | None:
    found = kept.read(place, key, environ) if place else None
    return Token(found.token, found.expires, source="cache") if found else None


def _place(oauth: OAuth, environ: Mapping[str, str]) -> SecretRef | None:
    return kept.place(oauth.values["cache"], oauth.name, environ)
