"""What an access token says about itself, read on this machine and sent nowhere.

A token is meant for the server alone and may be opaque (Google's are, and those of personal Microsoft accounts). Where it
is a JWT (RFC 7519), its claims tell why a server refuses it; the signature is not checked, because nothing is granted on
the strength of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import Secret

SKEW = 300  # seconds that clocks may differ, as Entra allows
ROLE = "SMTP.SendAsApp"  # what an application needs at Exchange Online
_LONGEST = 64 * 1024  # octets of a token that is looked at
_NO_TIME = 1e15  # more seconds than any calendar has
GRAPH = ("https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000")
_ACCOUNTS = ("upn", "preferred_username", "unique_name", "email")


class Told(NamedTuple):
    """What a token tells.

    `grant` is the OAuth 2.0 grant it comes from, as far as that shows (`client_credentials`, `authorization_code`);
    `facts` and `denied` are names of `knowledge/replies/facts.toml`; `shown` are claims for people and programs, none
    of them secret: `audience`, `tenant`, `app`, `object`, `account` (texts), `roles`, `scopes` (lists), `expires`
    (epoch seconds).
    """

    grant: str = ""
    facts: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    shown: Mapping[str, Any] = {}

    def __str__(self) -> str:
        parts = [f"of app {self.shown['app']}" if "app" in self.shown else ""]
        parts += [f"{name}: {' '.join(self.shown[name])}" for name in ("roles", "scopes") if name in self.shown]
        parts += [f"for {self.shown['audience']}" if "audience" in self.shown else ""]
        return ", ".join(filter(None, parts))


NOTHING = Told()


def claims(token: Secret) -> Mapping[str, Any]:
    """The claims of a JWT; empty for a token that is none."""
    import base64
    import json

    parts = token.reveal().split(".")
    if len(parts) != 3 or len(parts[1]) > _LONGEST:
        return {}
    try:
        octets = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        found = json.loads(octets, parse_int=_sane, parse_float=_sane, parse_constant=str)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def told(token: Secret, user: str, now: float) -> Told:
    """What the token tells about a login as `user` at `now` (epoch seconds)."""
    found = claims(token)
    if not found:
        return NOTHING
    scopes, roles = words(found.get("scp")), words(found.get("roles"))
    account = next((str(found[name]) for name in _ACCOUNTS if found.get(name)), "")
    app_only = found.get("idtyp") == "app" or not (scopes or account)
    holds = {
        "scope_of_graph": str(found.get("aud", "")).rstrip("/") in GRAPH,
        "token_expired": _number(found.get("exp"), now) + SKEW < now,
        "token_of_somebody_else": bool(account and user) and account.lower() != user.lower(),
        # Without the role it may still be right: an application may be granted mailboxes in Exchange instead.
        **({"app_role": True} if ROLE in roles else {}),
    }
    return Told(
        "client_credentials" if app_only else "authorization_code",
        frozenset(name for name, does in holds.items() if does),
        frozenset(name for name, does in holds.items() if not does),
        _shown(found, account, roles, scopes),
    )


def _shown(found: Mapping[str, Any], account: str, roles: list[str], scopes: list[str]) -> dict[str, Any]:
    texts = {
        "audience": found.get("aud"),
        "tenant": found.get("tid"),
        "app": found.get("appid") or found.get("azp"),
        "object": found.get("oid"),
        "account": account,
    }
    shown: dict[str, Any] = {name: value for name, value in texts.items() if isinstance(value, str) and value}
    shown |= {name: value for name, value in (("roles", roles), ("scopes", scopes)) if value}
    expires = _number(found.get("exp"), 0)
    return {**shown, "expires": expires} if expires else shown


def words(value: Any) -> list[str]:
    """A claim that is a list, or words with blanks between."""
    return value.split() if isinstance(value, str) else [str(item) for item in value] if isinstance(value, list) else []


def _number(value: Any, otherwise: float) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


def _sane(text: str) -> float | str:
    """A number that can be a time; any other stays a text, for none can be reckoned with."""
    value = float(text)
    if abs(value) >= _NO_TIME:
        return text
    return int(text) if value.is_integer() and text.lstrip("-").isdigit() else value
