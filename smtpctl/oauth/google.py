"""Google's service accounts: an account without a person, which speaks for a mailbox of its Workspace (RFC 7523 2.1).

The key is the JSON file that Google Cloud hands out once. An administrator must have allowed the account to speak for
mailboxes (domain-wide delegation). All other grants at Google are `generic`.
"""

from __future__ import annotations

import json
import time
from typing import Any

from smtpctl.knowledge.families import entry
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Evidence
from smtpctl.model.secret import Secret
from smtpctl.net import http
from smtpctl.oauth import assertion, generic
from smtpctl.oauth.discovery import way
from smtpctl.oauth.values import Application, Token

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKENS = "https://oauth2.googleapis.com/token"
_LIFE, _EARLIER = 3600, 60  # seconds: the longest that Google takes; begun before now, because clocks differ
_NEEDED = ("client_email", "private_key")


def obtain(application: Application) -> Token:
    """A token for the mailbox `subject`. Problem `oauth.file_unusable`, or what Google's answer means."""
    if not application.subject:
        reason = "no mailbox is set that the service account speaks for (subject)"
        raise entry("oauth.not_supported").problem(target=application.name, oauth=application.name, reason=reason)
    key = _key(application)
    url = application.token_endpoint or str(key.get("token_uri") or TOKENS)
    http.require_https(url, application.name)
    begin = int(time.time()) - _EARLIER
    claims = {
        "iss": key["client_email"],
        "sub": application.subject,
        "scope": " ".join(application.scopes),
        "aud": url,
        "iat": begin,
        "exp": begin + _LIFE,
    }
    headers = {"kid": str(key["private_key_id"])} if key.get("private_key_id") else {}
    signed = assertion.sign(application, application.key_file, Secret(key["private_key"]), claims, headers)
    answer = http.post_form(url, {"grant_type": GRANT, "assertion": signed}, way(application))
    try:
        return generic.granted(application, answer)
    except Problem as problem:
        problem.finding = problem.finding._replace(evidence=(*problem.finding.evidence, *_told(key, answer)))
        raise


def _key(application: Application) -> dict[str, Any]:
    """What the file holds, the needed texts in it. Problem `oauth.file_unusable`."""
    path = application.key_file
    try:
        found = json.loads(assertion.read(application, path).reveal())
    except (ValueError, RecursionError):
        raise assertion.unusable(application, path, "it is no JSON") from None
    if not isinstance(found, dict):
        raise assertion.unusable(application, path, "it is no JSON object")
    if missing := [name for name in _NEEDED if not isinstance(found.get(name), str)]:
        reason = f"it has no {' and no '.join(missing)}; it is not the key of a service account"
        raise assertion.unusable(application, path, reason)
    return found


def _told(key: dict[str, Any], answer: http.Answer) -> list[Evidence]:
    """What the Admin console is asked with, and how far the clocks are apart."""
    from email.utils import parsedate_to_datetime

    told = [Evidence(f"{key['client_email']}, client id {key.get('client_id', 'unknown')}", "service account:")]
    try:
        apart = time.time() - parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return told
    if abs(apart) > _EARLIER:
        told.append(
            Evidence(f"{abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} the provider's", "our clock:")
        )
    return told
