"""Signed statements (JWT, RFC 7523) in the place of a secret, and the files that they and their keys are read from.

The only home of PyJWT.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smtpctl.knowledge.families import entry
from smtpctl.model.errors import Problem
from smtpctl.model.secret import Secret
from smtpctl.oauth.values import NO_SECRET, Application

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFE = 300  # seconds that one is good for
_LARGEST = 64 * 1024  # octets of a file


def unusable(application: Application, path: str, reason: str) -> Problem:
    """The Problem of a file that is not what is needed."""
    return entry("oauth.file_unusable").problem(
        target=application.name, oauth=application.name, path=path, reason=reason
    )


def read(application: Application, path: str) -> Secret:
    """What a file holds. Problem `oauth.file_unusable`."""
    try:
        with Path(path).open("rb") as file:
            octets = file.read(_LARGEST + 1)
        if len(octets) > _LARGEST:
            raise unusable(application, path, f"it is longer than {_LARGEST} octets")
        text = octets.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise unusable(application, path, "it is no text") from None
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        raise unusable(application, path, getattr(error, "strerror", "") or str(error)) from None
    if not text:
        raise unusable(application, path, "it is empty")
    return Secret(text)


def client_fields(application: Application, audience: str) -> dict[str, str | Secret]:
    """The form fields that prove the application without a secret (RFC 7521 4.2): by a file that somebody else keeps fresh,
    or signed with its key for the token endpoint `audience`. Problem `oauth.file_unusable`."""
    if application.assertion_file:
        signed = read(application, application.assertion_file)
    else:
        signed = _by_certificate(application, audience)
    return {"client_assertion_type": TYPE, "client_assertion": signed}


def sign(
    application: Application,
    path: str,
    pem: Secret,
    claims: Mapping[str, Any],
    headers: Mapping[str, str],
    passphrase: Secret = NO_SECRET,
) -> Secret:
    """The claims, signed with the private key `pem`, which came from the file `path`. Problem `oauth.file_unusable`."""
    import jwt
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.reveal().encode(), passphrase.reveal().encode() or None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # A key that wants a pass phrase, or has none where one is given, is a TypeError.
        reason = "its pass phrase is missing or not needed" if isinstance(error, TypeError) else "it has no private key"
        raise unusable(application, path, reason) from None
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm = "RS256"
    elif isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1":
        algorithm = "ES256"
    else:
        raise unusable(application, path, "its key is neither RSA nor ECDSA on P-256")
    return Secret(jwt.encode(dict(claims), key, algorithm, dict(headers)))


def _by_certificate(application: Application, audience: str) -> Secret:
    import secrets
    import ssl
    from base64 import urlsafe_b64encode
    from hashlib import sha256

    certificate = read(application, application.certificate)
    path = application.key or application.certificate
    key = read(application, path)
    try:
        der = ssl.PEM_cert_to_DER_cert(_first_certificate(certificate.reveal()))
    except ValueError:
        raise unusable(application, application.certificate, "it has no certificate in PEM") from None
    now = int(time.time())
    claims = {
        "iss": application.client_id,
        "sub": application.client_id,
        "aud": audience,
        "jti": secrets.token_urlsafe(16),
        "iat": now,
        "exp": now + LIFE,
    }
    mark = urlsafe_b64encode(sha256(der).digest()).rstrip(b"=").decode()
    return sign(application, path, key, claims, {"x5t#S256": mark}, application.passphrase)


def _first_certificate(pem: str) -> str:
    """ValueError without one."""
    end = "-----END CERTIFICATE-----"
    begin = pem.index("-----BEGIN CERTIFICATE-----")
    return pem[begin : pem.index(end, begin) + len(end)]
