"""Where an application's endpoints are: set by themselves, else what its issuer publishes (OpenID Connect Discovery 1.0,
RFC 8414)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from smtpctl.knowledge.families import entry
from smtpctl.model.errors import Problem
from smtpctl.net import http
from smtpctl.oauth.values import Application

# An application's field -> what issuers call it, and the setting.
_PUBLISHED = {
    "token_endpoint": "token_endpoint",
    "authorization_endpoint": "authorization_endpoint",
    "device_endpoint": "device_authorization_endpoint",
}


def way(application: Application) -> http.Way:
    """How its requests go."""
    return http.Way(application.name, application.ca_file, application.proxy, application.timeout)


def endpoint(application: Application, field: str) -> str:
    """The address of `token_endpoint`, `authorization_endpoint` or `device_endpoint`, always HTTPS.

    Problem `config.oauth_no_endpoint`, `oauth.no_discovery`, `oauth.not_supported` or of the request to the issuer.
    """
    url = str(getattr(application, field))
    if not url and application.issuer:
        found = published(application)
        url = str(found.get(_PUBLISHED[field], ""))
        if not url:
            raise _undiscovered(application, f"it names no {_PUBLISHED[field]}")
    elif not url and field == "token_endpoint":
        raise entry("config.oauth_no_endpoint").problem(target=application.name)
    elif not url:
        raise entry("oauth.not_supported").problem(
            target=application.name, oauth=application.name, reason=f"neither {field} nor issuer is set"
        )
    http.require_https(url, application.name)
    return url


def published(application: Application) -> dict[str, Any]:
    """What the issuer says about itself; it must call itself as it was asked (RFC 8414 3.3)."""
    parts = urlsplit(application.issuer.rstrip("/"))
    host, path = f"{parts.scheme}://{parts.netloc}", parts.path
    for url in (
        f"{host}{path}/.well-known/openid-configuration",
        f"{host}/.well-known/oauth-authorization-server{path}",
    ):
        answer = http.get(url, way(application))
        if answer.status == 200:
            break
    else:
        raise _undiscovered(application, f"status {answer.status}")
    found = answer.json()
    itself = str(found.get("issuer", ""))[:200]
    if itself != application.issuer:
        raise _undiscovered(application, f"it calls itself {itself or 'nothing'}")
    return found


def _undiscovered(application: Application, reason: str) -> Problem:
    shown = "".join(filter(str.isprintable, reason))
    return entry("oauth.no_discovery").problem(
        target=application.name, oauth=application.name, endpoint=application.issuer, reason=shown
    )
