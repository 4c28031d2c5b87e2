"""JSON Web Tokens (RFC 7519), signed with RS256 by a key that Dovecot is told of."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID = "smtpctl-test"
KEY_ID = "bed-key"
HOUR = 3600


class TokenIssuer:
    """Signs tokens; its public key lies where `key_folder` says."""

    def __init__(self, key_folder: Path) -> None:
        self._key = rsa.generate_private_key(65537, 2048)
        self._folder = key_folder
        self.trust(CLIENT_ID)

    def trust(self, client_id: str) -> None:
        """Let Dovecot believe what is signed with the key for this client too."""
        folder = self._folder / client_id / "RS256"
        folder.mkdir(parents=True, exist_ok=True)
        public = self._key.public_key()
        (folder / KEY_ID).write_bytes(
            public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )

    def private_jwk(self) -> dict[str, Any]:
        """The key for a provider that signs with it (RFC 7517)."""
        made: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(self._key, as_dict=True)
        return {**made, "kid": KEY_ID, "alg": "RS256", "use": "sig"}

    def token(self, address: str, *, life: int = HOUR, padding: int = 0) -> str:
        """A token for the mailbox, good for `life` seconds (negative: expired), with `padding` octets more to carry."""
        now = int(time.time())
        claims = {
            "iss": "https://login.bed.test/",
            "aud": "https://outlook.office365.com",
            "azp": CLIENT_ID,
            "sub": address,
            "email": address,
            "scope": "SMTP.Send",
            "roles": ["SMTP.SendAsApp"],
            "iat": now - HOUR,
            "nbf": now - HOUR,
            "exp": now + life,
            "padding": "x" * padding,
        }
        return jwt.encode(claims, self._key, "RS256", headers={"kid": KEY_ID})
