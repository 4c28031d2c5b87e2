"""oidc-provider: an OpenID provider that is certified as one, with its own pages to sign in, to consent and to type a code.

Its tokens are signed with a key that Dovecot believes; each is for the mailbox that signed in, or for alice's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization

from bed.accounts import ALICE
from bed.pki import Pki
from bed.ports import Ports
from bed.process import Daemon
from bed.settings import TEMPLATES
from bed.tokens import TokenIssuer

PERSON, SERVICE, POSTED, CERTIFIED = "person", "service", "service-in-the-body", "service-with-a-certificate"
NO_GRANT, NO_SCOPE = "service-without-a-grant", "service-without-a-scope"
SECRET = "Zq-a secret: of+50%/characters&=that-encodings-write-differently"
CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def _service(name: str, method: str, *grants: str) -> dict[str, Any]:
    known = {"client_id": name, "client_secret": SECRET, "token_endpoint_auth_method": method}
    return {**known, "grant_types": list(grants), "redirect_uris": [], "response_types": []}


CLIENTS = (
    {
        "client_id": PERSON,
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "redirect_uris": ["http://localhost"],
        "grant_types": ["authorization_code", "refresh_token", CODE_GRANT],
        "response_types": ["code"],
    },
    _service(SERVICE, "client_secret_basic", "client_credentials"),
    _service(POSTED, "client_secret_post", "client_credentials"),
    _service(NO_GRANT, "client_secret_post", CODE_GRANT),
    {**_service(NO_SCOPE, "client_secret_post", "client_credentials"), "scope": "openid"},
)


def _certified(pki: Pki) -> dict[str, Any]:
    """A client that proves itself with the key of the bed's client certificate (RFC 7523 2.2)."""
    key: Any = serialization.load_pem_private_key(pki.key("client").read_bytes(), None)
    public: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    made = _service(CERTIFIED, "private_key_jwt", "client_credentials")
    del made["client_secret"]
    return {**made, "jwks": {"keys": [{**public, "use": "sig", "alg": "RS256"}]}}


class OidcProvider:
    """One running provider; `issuer` is its address."""

    def __init__(self, package: Path, folder: Path, ports: Ports, pki: Pki, tokens: TokenIssuer) -> None:
        self.port = ports["oidc"]
        self.issuer = f"https://localhost:{self.port}"
        self.ca_file = str(pki.ca_file)
        folder.mkdir()
        # Node looks for packages beside the program.
        (folder / "node_modules").symlink_to(package.parent.parent)
        (folder / "oidc.mjs").write_bytes((TEMPLATES / "oidc.mjs").read_bytes())
        given = {
            "issuer": self.issuer,
            "port": self.port,
            "audience": "https://smtp.bed.test",
            "mailbox": ALICE.username,
            "clients": (*CLIENTS, _certified(pki)),
            "key": tokens.private_jwk(),
            "certificate": str(pki.chain("good")),
            "private_key": str(pki.key("good")),
        }
        for client in CLIENTS:
            tokens.trust(str(client["client_id"]))
        settings = folder / "settings.json"
        settings.write_text(json.dumps(given))
        script = 'exec node "$1" <"$2"'
        self._daemon = Daemon(["sh", "-c", script, "sh", folder / "oidc.mjs", settings], folder / "oidc.out")

    def ready(self) -> None:
        """Wait until it answers."""
        self._daemon.ready(self.port)

    def log(self) -> str:
        """What it has said so far."""
        return self._daemon.output.read_text(errors="replace")

    def stop(self) -> None:
        """End it."""
        self._daemon.stop()
