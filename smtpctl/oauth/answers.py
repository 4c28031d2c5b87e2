"""What an authorization server answered: a token (RFC 6749 5.1), a code for another device (RFC 8628 3.2), or an error as a
Problem: its own words looked up in the knowledge base, else what its `error` means.

What to do is decided by `error` (RFC 6749 5.2, RFC 8628 3.5); numbers such as AADSTS7000215 are for explaining, and may
change.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from smtpctl.knowledge import match
from smtpctl.knowledge.catalogue import GENERIC
from smtpctl.knowledge.families import entry
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Evidence
from smtpctl.model.report import ExitStatus
from smtpctl.model.secret import Secret
from smtpctl.model.transcript import Stage
from smtpctl.oauth.values import DeviceCode, Token

_LONGEST = 1000  # characters of a description that are kept
_LATER = ("temporarily_unavailable", "slow_down", "server_error")
_NAMED = {  # what somebody did, or did not do
    "access_denied": "oauth.declined",
    "authorization_declined": "oauth.declined",  # Entra's word for it
    "expired_token": "oauth.code_expired",
}
_TOKEN = re.compile(r"[!-~]+")  # RFC 6749 A.12 has the blank too; no token has one, and it would end it on the wire
_CODE_LIFE = 3600  # seconds: no longer than this is waited, whatever the provider says


def token(answer: Mapping[str, Any], name: str, where: str) -> Token:
    """The token in a JSON object for the credentials `name` from `where`, an address. Problem of what it says instead,
    `oauth.not_json`, `oauth.not_supported`."""
    if "error" in answer:
        raise refused(answer, name, where)
    access, refresh = answer.get("access_token"), answer.get("refresh_token")
    if not _is_token(access):
        raise entry("oauth.not_json").problem(target=name, oauth=name, endpoint=where)
    if str(answer.get("token_type", "bearer")).lower() != "bearer":
        reason = "the provider gives no bearer token"
        raise entry("oauth.not_supported").problem(target=name, oauth=name, reason=reason)
    life = number(answer.get("expires_in"), 0)
    return Token(
        Secret(str(access)),
        time.time() + life if life else 0.0,
        Secret(str(refresh) if _is_token(refresh) else ""),
        scopes=str(answer.get("scope") or "")[:_LONGEST],
    )


def device_code(answer: Mapping[str, Any], now: float) -> DeviceCode | None:
    """What to show, None where it is not all there; Google says verification_url."""
    code, uri = answer.get("user_code"), answer.get("verification_uri") or answer.get("verification_url")
    complete = answer.get("verification_uri_complete") or ""
    if not (_shown(code) and _shown(uri) and (not complete or _shown(complete))):
        return None
    life = min(number(answer.get("expires_in"), _CODE_LIFE), _CODE_LIFE)
    return DeviceCode(str(code), str(uri), now + life, str(complete))


def refused(answer: Mapping[str, Any], name: str, where: str, status: int = 400) -> Problem:
    """The Problem of an error answer for the credentials `name` at `where`, an address. `answer` is its JSON object, `status`
    the one of HTTP: 5xx can pass by itself (RFC 9110 15.6)."""
    error, words = str(answer.get("error", "")), said(answer)
    context = match.Context(text=words, stage=Stage.AUTH)
    evidence = [Evidence(words, "token endpoint:")] if words else []
    matches = match.match(context)
    known = bool(matches) and matches[0].score >= 0
    later = status >= 500 or error in _LATER or (known and matches[0].said.retry == "later")
    if known and not (error in _NAMED and matches[0].said.prefix == GENERIC):
        made = match.finding(context, target=name, evidence=evidence)
    else:
        reason: dict[str, Any] = {"error": words, "reason": words} if words else {}
        named = entry(_NAMED.get(error, "oauth.refused"))
        made = named.finding(target=name, oauth=name, endpoint=where, evidence=evidence, **reason)
    exit_status = ExitStatus.TEMPORARY if later else ExitStatus.AUTH
    return Problem(made._replace(stage=Stage.AUTH), exit_status, retryable=later, lookup=context)


def said(answer: Mapping[str, Any]) -> str:
    """What an error answer says, in a line."""
    error, description = (str(answer.get(key, ""))[:_LONGEST] for key in ("error", "error_description"))
    return "".join(filter(str.isprintable, " ".join(f"{error}: {description}".split()))).strip(": ")


def number(value: Any, otherwise: int) -> int:
    """Seconds; some providers write them as text."""
    text = str(value)
    return int(text) if text.isdecimal() and text.isascii() and 0 < len(text) < 10 else otherwise


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and bool(_TOKEN.fullmatch(value))


def _shown(value: Any) -> bool:
    """Whether it may be put on a terminal."""
    return isinstance(value, str) and 0 < len(value) < 500 and value.isprintable()
