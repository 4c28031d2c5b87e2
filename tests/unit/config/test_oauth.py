"""Named OAuth 2.0 credentials."""

from __future__ import annotations

from pathlib import Path

from smtpctl.config.oauth import resolve_oauth
from smtpctl.config.store import Document

TEXT = """\
[oauth.m]
tenant_id = "contoso"
token_endpoint = "https://other.example/token"
client_id = "c"
client_secret = "canary"
refresh_token_keyring = true
[oauth.other]
token_endpoint = "https://other.example/token"
scope = "a b"
client_secret_env = "S"
"""


def document() -> Document:
    return Document(Path("/c"), TEXT)


def test_a_tenant_means_microsoft() -> None:
    found = resolve_oauth("m", document())
    assert found.endpoint == "https://login.microsoftonline.com/contoso/oauth2/v2.0/token"
    assert found.scopes == "https://outlook.office365.com/.default"
    assert found.grant == "client_credentials" and str(found.origins["client_id"]) == "file /c:4"


def test_another_provider() -> None:
    found = resolve_oauth("other", document())
    assert (found.endpoint, found.scopes) == ("https://other.example/token", "a b")
    assert str(found.client_secret) == "env:S" and found.refresh_token is None


def test_secrets_stay_secret() -> None:
    found = resolve_oauth("m", document())
    assert "canary" not in repr(found)
    assert found.client_secret and found.client_secret.literal.reveal() == "canary"
    assert str(found.refresh_token) == "keyring:oauth/m/refresh_token"
