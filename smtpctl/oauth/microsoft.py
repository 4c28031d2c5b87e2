"""Tokens of Microsoft Entra, by MSAL (its only home).

MSAL brings Microsoft's assertions, clouds and managed identities. It does not get to the network by itself: each asking has
a new application object with nothing cached, and its requests go through `msal_web`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from smtpctl.knowledge.families import entry
from smtpctl.model.errors import Problem
from smtpctl.model.secret import Secret
from smtpctl.oauth import answers, assertion, waiting
from smtpctl.oauth.msal_web import Web
from smtpctl.oauth.values import NO_SECRET, Application, DeviceCode, Pending, Token

T = TypeVar("T")
_ADDED_BY_MSAL = ("offline_access", "openid", "profile")  # it refuses them in what it is given
_ANYBODY = ("common", "organizations", "consumers")  # in place of a tenant: whoever signs in decides
_NOT_AZURE = "nothing answers there as Azure does"  # other clouds have a service at the same address
_PFX = (".pfx", ".p12")
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile(r"-----BEGIN (?P<kind>[A-Z ]*PRIVATE KEY)-----.+?-----END (?P=kind)-----", re.DOTALL)


def obtain(application: Application) -> Token:
    """A new token for the application itself, or by its refresh token. Problem of the family `oauth`, or what the answer
    means."""
    if application.managed_identity:
        return _of_this_machine(application)
    if application.grant != "client_credentials":
        return _asked(application, lambda app, scopes: _refreshed(app, scopes, application))
    if not application.confidential:
        raise _problem(application, "not_supported", reason="no client secret, certificate or assertion is set")
    if application.tenant_id.lower() in _ANYBODY:
        reason = f'an application needs the tenant it is in, and "{application.tenant_id}" is none'
        raise _problem(application, "not_supported", reason=reason)
    return _asked(application, lambda app, scopes: app.acquire_token_for_client(scopes))


def device(
    application: Application,
    show: Callable[[DeviceCode], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
) -> Token:
    """A token for somebody who types a code elsewhere. Problem `oauth.declined`, `oauth.code_expired` and the like. MSAL has
    this grant for public clients alone: what proves the application is not sent."""
    application = application._replace(client_secret=NO_SECRET, certificate="", assertion_file="")
    web = Web(application)
    app, flow = _guarded(application, web, lambda: _with_code(application, web))
    code = answers.device_code(flow, now())
    if code is None:
        raise _problem(application, "not_json", endpoint=web.asked)
    show(code)

    def once() -> Any:
        web.renew()  # waiting for a person takes longer than any request may
        again = {**flow, "interval": 1}  # it asks once, whatever it would wait then
        return _guarded(
            application, web, lambda: app.acquire_token_by_device_flow(again, exit_condition=lambda _: True)
        )

    given = waiting.typed(application.name, code, flow, once, sleep, now)
    return answers.token(given, application.name, web.asked)


def begin(application: Application, redirect: str) -> Pending:
    """A login in a browser that comes back to `redirect`. What is remembered has the code verifier in it."""
    web = Web(application)

    def start() -> Any:
        app = _application(application, web)
        return app.initiate_auth_code_flow(_scopes(application), redirect_uri=redirect)

    flow = _guarded(application, web, start)
    return Pending(flow["auth_uri"], redirect, {"flow": Secret(json.dumps(flow))})


def finish(application: Application, pending: Pending, query: Mapping[str, str]) -> Token:
    """The token of that login. Problem `oauth.browser_answer` for an answer that belongs to another one."""
    flow = json.loads(pending.memory["flow"].reveal())
    if query.get("state") != flow["state"] or not ("code" in query or "error" in query):
        raise _problem(application, "browser_answer")
    return _asked(application, lambda app, scopes: app.acquire_token_by_auth_code_flow(flow, dict(query)))


def _with_code(application: Application, web: Web) -> tuple[Any, dict[str, Any]]:
    """MSAL's object, and the answer with a code for another device."""
    app = _application(application, web)
    if not app.authority.device_authorization_endpoint:
        raise _problem(application, "not_supported", reason="the sign-in server has no codes for other devices")
    flow = app.initiate_device_flow(_scopes(application))
    if "error" in flow:
        raise answers.refused(flow, application.name, web.asked)
    return app, flow


def _refreshed(app: Any, scopes: list[str], application: Application) -> Any:
    return app.acquire_token_by_refresh_token(application.refresh_token.reveal(), scopes)


def _of_this_machine(application: Application) -> Token:
    """A token of the identity that Azure gave to this machine; its own service is asked, without TLS or a proxy."""
    msal, web = _msal(), Web(application, local=True)
    who = application.managed_identity
    identity: Any = (
        msal.SystemAssignedManagedIdentity() if who == "system" else msal.UserAssignedManagedIdentity(client_id=who)
    )
    resource = application.scopes[0].removesuffix("/.default") if application.scopes else ""
    try:
        client = msal.ManagedIdentityClient(identity, http_client=web)
        result = client.acquire_token_for_client(resource=resource)
    except (msal.ManagedIdentityError, OSError) as error:  # of Azure Arc there is a file to read
        raise _problem(application, "no_managed_identity", reason=str(error)) from None
    except (ValueError, TypeError, LookupError, AttributeError):
        raise _problem(application, "no_managed_identity", reason=_NOT_AZURE) from None
    except Problem as problem:
        if problem.finding.id not in ("oauth.unreachable", "oauth.timeout"):
            raise
        raise _problem(application, "no_managed_identity", reason=_NOT_AZURE) from None
    if "access_token" not in result:
        words = answers.said(result)  # where MSAL misses something in an answer, this has all of it
        reason = _NOT_AZURE if "access_token" in words else words
        raise _problem(application, "no_managed_identity", reason=reason)
    return answers.token(result, application.name, web.asked)


def _asked(application: Application, ask: Callable[[Any, list[str]], Any]) -> Token:
    """What `ask` gets from a new application object."""
    web = Web(application)
    result = _guarded(application, web, lambda: ask(_application(application, web), _scopes(application)))
    return answers.token(result, application.name, web.asked)


def _msal() -> Any:
    """The library, silenced: it logs answers, and a log that nobody set up goes to standard error."""
    import logging

    import msal  # type: ignore[import-untyped]

    logging.getLogger("msal").setLevel(logging.CRITICAL)
    return msal


def _application(application: Application, web: Web) -> Any:
    """MSAL's object for it, with empty caches: a token or an error of before would hide what is wrong now. Making it asks
    the tenant for its endpoints; Microsoft is asked about no other host, and not for a region."""
    msal = _msal()
    common = {
        "authority": f"{application.authority}/{quote(application.tenant_id, safe='')}",
        "instance_discovery": False,
        "http_client": web,
    }
    if not application.confidential:
        return msal.PublicClientApplication(application.client_id, **common)
    region = msal.ClientApplication.DISABLE_MSAL_FORCE_REGION
    credential = _credential(application)
    return msal.ConfidentialClientApplication(application.client_id, credential, azure_region=region, **common)


def _guarded(application: Application, web: Web, work: Callable[[], T]) -> T:
    """What MSAL gives. Its own errors are about the certificate before a token was asked for, and about the answer then."""
    import warnings

    try:
        with warnings.catch_warnings(action="ignore"):  # its advice for programmers, such as form_post for a web page
            return work()
    except Problem:
        raise
    except Exception as error:
        if web.answered:
            raise _problem(application, "not_json", endpoint=web.asked) from None
        if not application.certificate:
            raise
        reason = getattr(error, "strerror", "") or " ".join(str(error).split()) or type(error).__name__
        if "RSAPSSAlgorithm" in reason:  # PyJWT
            reason = "its key is not RSA; Entra takes no other"
        raise assertion.unusable(application, application.key or application.certificate, reason) from None


def _scopes(application: Application) -> list[str]:
    return [scope for scope in application.scopes if scope not in _ADDED_BY_MSAL]


def _credential(application: Application) -> Any:
    """What proves the application: an assertion, a certificate with its key, or a secret."""
    if application.assertion_file:
        assertion.read(application, application.assertion_file)  # what cannot be read is told before anybody is asked
        return {"client_assertion": lambda: assertion.read(application, application.assertion_file).reveal()}
    if not application.certificate:
        return application.client_secret.reveal()
    passphrase = application.passphrase.reveal() or None
    if application.certificate.lower().endswith(_PFX):
        return {"private_key_pfx_path": application.certificate, "passphrase": passphrase}
    key = application.key or application.certificate
    return {
        "private_key": _block(application, key, _KEY, "it has no private key in PEM"),
        "public_certificate": _block(
            application, application.certificate, _CERTIFICATE, "it has no certificate in PEM"
        ),
        "passphrase": passphrase,
    }


def _block(application: Application, path: str, kind: re.Pattern[str], missing: str) -> str:
    """The first one of a PEM file: of a chain, that is the application's own certificate."""
    found = kind.search(assertion.read(application, path).reveal())
    if found is None:
        raise assertion.unusable(application, path, missing)
    return found[0]


def _problem(application: Application, name: str, **values: Any) -> Problem:
    return entry(f"oauth.{name}").problem(target=application.name, oauth=application.name, **values)
