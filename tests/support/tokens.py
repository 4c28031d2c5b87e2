"""Access tokens that look like Entra's; the signature is nobody's."""

from __future__ import annotations

import base64
import json
from typing import Any

APP = "6f1c0000-1111-4222-8333-444455556666"
OBJECT = "9a41c0de-1111-4222-8333-444455556666"
TENANT = "7e57ab1e-1111-4222-8333-444455556666"
EXCHANGE = "https://outlook.office365.com"
LATER = 4_000_000_000


def token(**claims: Any) -> str:
    """A JWT with exactly these claims."""
    return ".".join(_part(value) for value in ({"alg": "RS256", "typ": "JWT"}, claims, "signature"))


def app_token(**claims: Any) -> str:
    """One of an application by itself, right in every way but for `claims`; None leaves one out."""
    usual = {"aud": EXCHANGE, "appid": APP, "oid": OBJECT, "tid": TENANT, "roles": ["SMTP.SendAsApp"], "exp": LATER}
    return token(**{name: value for name, value in (usual | claims).items() if value is not None})


def user_token(**claims: Any) -> str:
    """One of a person who signed in."""
    usual = {"aud": EXCHANGE, "appid": APP, "oid": OBJECT, "tid": TENANT, "scp": "SMTP.Send", "exp": LATER}
    return token(**{name: value for name, value in (usual | {"upn": "ann@example.com"} | claims).items() if value})


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
