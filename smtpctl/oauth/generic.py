"""The grants of OAuth 2.0 at a provider that keeps to the standard: RFC 6749, 7523, 7636, 8628.

client_credentials   an application for itself
refresh_token        what an earlier login left
device_code          somebody types a code elsewhere
authorization_code   somebody signs in with a browser; the code it brings is bound to this process (PKCE)
"""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from smtpctl.knowledge.families import entry
from smtpctl.model.errors import Problem
from smtpctl.model.secret import Secret
from smtpctl.net import http
from smtpctl.oauth import answers, assertion, waiting
from smtpctl.oauth.discovery import endpoint, way
from smtpctl.oauth.values import Application, DeviceCode, Pending, Token

Fields = dict[str, str | Secret]
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def obtain(application: Application) -> Token:
    """A token without anybody there: with the refresh token, where the grant leaves one, else for the application."""
    if application.grant == "client_credentials":
        return _token(application, {"grant_type": "client_credentials", **_scope(application)})
    fields: Fields = {"grant_type": "refresh_token", "refresh_token": application.refresh_token}
    # A login may have been granted less than was asked for; then asking for all of it again would fail (RFC 6749 6).
    return _token(application, fields | (_scope(application) if application.grant == "refresh_token" else {}))


def device(
    application: Application,
    show: Callable[[DeviceCode], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
) -> Token:
    """A token for somebody who types a code elsewhere; asks at the pace that the provider sets."""
    answer = _ask(application, endpoint(application, "device_endpoint"), _scope(application))
    found = _good(application, answer)
    code = answers.device_code(found, now())
    secret = found.get("device_code")
    if code is None or not isinstance(secret, str):
        raise _no_answer(application, answer)
    where = endpoint(application, "token_endpoint")
    show(code)
    fields: Fields = {"grant_type": DEVICE, "device_code": Secret(secret)}
    given = waiting.typed(application.name, code, found, lambda: _object(_ask(application, where, fields)), sleep, now)
    return answers.token(given, application.name, where)


def begin(application: Application, redirect: str) -> Pending:
    """The address to open. What its query has already stays (RFC 6749 3.1)."""
    import hashlib
    import secrets

    parts = urlsplit(endpoint(application, "authorization_endpoint"))
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": application.client_id,
        "redirect_uri": redirect,
        **({"scope": " ".join(application.scopes)} if application.scopes else {}),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    query = "&".join(filter(None, (parts.query, urlencode(asked))))
    url = urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
    return Pending(url, redirect, {"state": Secret(state), "verifier": Secret(verifier)})


def finish(application: Application, pending: Pending, query: Mapping[str, str]) -> Token:
    """The token for the code that the browser came back with. Problem `oauth.browser_answer`, `oauth.declined`."""
    import hmac

    state: Secret = pending.memory["state"]
    if not hmac.compare_digest(query.get("state", "").encode(), state.reveal().encode()):
        raise _foreign(application, "it belongs to another login")
    if application.issuer and query.get("iss", application.issuer) != application.issuer:
        raise _foreign(application, "another provider sent it")  # RFC 9207 2.4
    if "error" in query:
        raise answers.refused(query, application.name, endpoint(application, "authorization_endpoint"))
    if not query.get("code"):
        raise _foreign(application, "it has no code")
    return _token(
        application,
        {
            "grant_type": "authorization_code",
            "code": Secret(query["code"]),
            "redirect_uri": pending.redirect,
            "code_verifier": pending.memory["verifier"],
        },
    )


def _scope(application: Application) -> Fields:
    return {"scope": " ".join(application.scopes)} if application.scopes else {}


def _token(application: Application, fields: Fields) -> Token:
    return granted(application, _ask(application, endpoint(application, "token_endpoint"), fields))


def _ask(application: Application, url: str, fields: Fields) -> http.Answer:
    """A form from the application, which says who it is (RFC 6749 2.3)."""
    who: Fields = {"client_id": application.client_id}
    basic = None
    if application.assertion_file or application.certificate:
        who |= assertion.client_fields(application, endpoint(application, "token_endpoint"))
    elif application.client_secret and application.client_auth == "basic":
        who, basic = {}, (application.client_id, application.client_secret)
    elif application.client_secret:
        who["client_secret"] = application.client_secret
    return http.post_form(url, {**fields, **who}, way(application), basic=basic)


def granted(application: Application, answer: http.Answer) -> Token:
    """The token of an answer (RFC 6749 5.1), or a Problem of what it says instead."""
    return answers.token(_good(application, answer), application.name, answer.url)


def _good(application: Application, answer: http.Answer) -> dict[str, Any]:
    """The object of an answer that is no error; a Problem for one that is."""
    found = _object(answer)
    if "error" in found:
        raise answers.refused(found, application.name, answer.url, answer.status)
    if answer.status >= 400:
        raise _no_answer(application, answer)
    return found


def _object(answer: http.Answer) -> dict[str, Any]:
    """What it says; an error without what was sent in secret, which it may echo."""
    found = answer.json()
    return {key: answer.clean(str(value)) for key, value in found.items()} if "error" in found else found


def _no_answer(application: Application, answer: http.Answer) -> Problem:
    return entry("oauth.not_json").problem(
        target=application.name, oauth=application.name, endpoint=answer.url, status=f"status {answer.status}"
    )


def _foreign(application: Application, reason: str) -> Problem:
    return entry("oauth.browser_answer").problem(target=application.name, oauth=application.name, reason=reason)
