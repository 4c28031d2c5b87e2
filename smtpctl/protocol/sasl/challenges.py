"""What a server says inside a SASL challenge, as facts for the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OAUTH_KEYS = ("status", "schemes", "scope", "openid-configuration", "error", "error_description")


def describe_challenge(challenge: bytes) -> dict[str, Any]:
    """JSON values that tell why a server goes on asking; empty for a challenge that is only mechanism data.

    An OAuth error (RFC 7628 3.2.2, Google's XOAUTH2) gives its known members under `oauth`; a SCRAM
    error (RFC 5802 7) gives `scram_error`; a readable prompt, such as LOGIN's, gives `prompt`.
    """
    try:
        text = challenge.decode().strip()
    except UnicodeDecodeError:
        return {}
    error = _json_object(text)
    if error is not None:
        return {"oauth": {key: str(error[key])[:500] for key in _OAUTH_KEYS if key in error}}
    if text.startswith("e="):
        return {"scram_error": text[2:].split(",")[0][:100]}
    if text.endswith(":") and len(text) <= 60 and text.isprintable():
        return {"prompt": text}
    return {}


def oauth_error(challenge: bytes) -> Mapping[str, Any] | None:
    """The JSON object of an OAuth error challenge, or None when the server means something else."""
    try:
        return _json_object(challenge.decode())
    except UnicodeDecodeError:
        return None


def _json_object(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    import json

    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
