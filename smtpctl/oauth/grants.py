"""Where a token comes from: each grant, and whose module carries it out.

    token = obtain(application)                     # without anybody there
    token = device(application, show)               # somebody types a code elsewhere
    pending = begin(application, redirect)          # somebody signs in with a browser
    token = finish(application, pending, query)

Whatever goes wrong is a Problem of the family `oauth`, or what the knowledge base has on the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from smtpctl.knowledge.families import entry
from smtpctl.model.record import NamedTuple
from smtpctl.oauth.values import Application, DeviceCode, Pending, Token

INTERACTIVE = ("authorization_code", "device_code")


class Grant(NamedTuple):
    """A grant: its `grant_type`, and what the application must have for it."""

    type: str
    needs: tuple[str, ...]


GRANTS: Mapping[str, Grant] = {
    "client_credentials": Grant("client_credentials", ("client_id",)),
    "authorization_code": Grant("authorization_code", ("client_id",)),
    "device_code": Grant("urn:ietf:params:oauth:grant-type:device_code", ("client_id",)),
    "refresh_token": Grant("refresh_token", ("client_id",)),
    "service_account": Grant("urn:ietf:params:oauth:grant-type:jwt-bearer", ("key_file",)),
}


def obtain(application: Application) -> Token:
    """A new token, with nobody there. Problem `oauth.login_needed` for a grant that needs somebody and has no refresh
    token yet."""
    if application.grant in (*INTERACTIVE, "refresh_token") and not application.refresh_token:
        raise entry("oauth.login_needed").problem(target=application.name, oauth=application.name)
    token: Token = _module(application).obtain(application)
    return token


def device(application: Application, show: Callable[[DeviceCode], None]) -> Token:
    """A token for somebody who types a code at another device (RFC 8628). `show` gets the code once; then it is asked
    until somebody has, declines, or the code expires."""
    token: Token = _module(application).device(application, show)
    return token


def begin(application: Application, redirect: str) -> Pending:
    """The begin of a login in a browser with PKCE (RFC 7636), which comes back to `redirect`."""
    pending: Pending = _module(application).begin(application, redirect)
    return pending


def finish(application: Application, pending: Pending, query: Mapping[str, str]) -> Token:
    """The end of it: `query` are the parameters that the browser came back with."""
    token: Token = _module(application).finish(application, pending, query)
    return token


def _module(application: Application) -> Any:
    name = "google" if application.grant == "service_account" else "microsoft" if application.microsoft else "generic"
    return import_module(f"smtpctl.oauth.{name}")
