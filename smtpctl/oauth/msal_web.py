"""What MSAL sends its requests with: `net.http`, whose limits, proxy and trust hold.

An answer that is none, or that says more than MSAL would keep of it, is raised here, before MSAL reads it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from smtpctl.knowledge.families import entry
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import Secret
from smtpctl.net import http
from smtpctl.oauth import answers
from smtpctl.oauth.discovery import way
from smtpctl.oauth.values import Application

_SECRET = (
    "client_secret", "client_assertion", "refresh_token", "code", "device_code", "code_verifier",  # of a form
    "Authorization", "X-IDENTITY-HEADER", "secret",  # headers for a machine's own service
)  # fmt: skip
_ENDPOINTS = ("authorization_endpoint", "token_endpoint")
_OPTIONAL = "device_authorization_endpoint"


class Response(NamedTuple):
    """An answer as MSAL wants it; what is no answer has been raised before."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """Never called: `Web` passes no such status on."""


class Web:
    """What MSAL sends requests with. All of them together have the application's time; `asked` is the address of the last
    one, `answered` whether a token endpoint has answered."""

    def __init__(self, application: Application, *, local: bool = False) -> None:
        self._application, self._local = application, local
        self.asked, self.answered = "", False
        self.renew()

    def renew(self) -> None:
        """Let the time begin anew."""
        self._ends = time.monotonic() + self._application.timeout

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> Response:
        """Of Entra these are the tenant's endpoints."""
        asked = f"{url}?{urlencode(params)}" if params else url
        answer = http.get(asked, self._way(asked), headers=_fields(headers))
        if not self._local:
            self._judge(answer, answer.json())
        return Response(answer.status, answer.text, answer.headers)

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> Response:
        """A request for a token or for a device code."""
        answer = http.post_form(url, _fields(data), self._way(url), headers=_fields(headers))
        found = answer.json()
        self.answered = True
        if "error" in found:  # an error may echo what was sent
            found = {key: answer.clean(str(value)) for key, value in found.items()}
        if answer.status >= 500:
            raise answers.refused(found, self._application.name, self.asked, answer.status)
        return Response(answer.status, json.dumps(found), answer.headers)

    def close(self) -> None:
        """Nothing stays open."""

    def _way(self, url: str) -> http.Way:
        self.asked = url.partition("?")[0]
        left = max(self._ends - time.monotonic(), 0.001)
        return way(self._application)._replace(timeout=left, local=self._local)

    def _judge(self, answer: http.Answer, found: Mapping[str, Any]) -> None:
        """Raise what MSAL would make a sentence without a reason of: a tenant that is not known there."""
        name = self._application.name
        if answer.status == 200:
            named = (*_ENDPOINTS, _OPTIONAL) if found.get(_OPTIONAL) else _ENDPOINTS
            if all(_is_endpoint(found.get(name)) for name in named):
                return
            reason = "it does not say where tokens are obtained"
        elif "AADSTS" in answers.said(found):
            raise answers.refused(found, name, self.asked)
        else:
            reason = answers.said(found) or f"status {answer.status}"
        raise entry("oauth.authority").problem(
            target=name, oauth=name, reason=reason, tenant=self._application.tenant_id
        )


def _is_endpoint(value: Any) -> bool:
    """Whether MSAL can use it: it wants a path, too."""
    return isinstance(value, str) and http.is_https(value) and bool(urlsplit(value).path.strip("/"))


def _fields(given: Mapping[str, Any] | None) -> dict[str, str | Secret]:
    """A form or headers of MSAL's as `net.http` takes them."""
    texts = {
        name: value.decode() if isinstance(value, bytes) else str(value)
        for name, value in (given or {}).items()
        if value is not None
    }
    return {name: Secret(text) if name in _SECRET else text for name, text in texts.items()}
