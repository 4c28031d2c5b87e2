"""Something that answers as Microsoft Entra does: one tenant, one application, the errors in its words.

`faults` are AADSTS numbers that the next requests for a token end with; else it looks at what is asked. It is no server:
`webserver.WebServer(entra.answer)` is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography import x509

from webserver import Request, Response

TENANT = "contoso.test"
CLIENT_ID = "smtpctl-test"
SECRET = "s3cret~value"
SCOPE = "https://outlook.office365.com/.default"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
# AADSTS number -> status, error, words: as in "Microsoft Entra authentication and authorization error codes".
ERRORS: Mapping[int, tuple[int, str, str]] = {
    50034: (400, "invalid_grant", "The user account does not exist in the directory."),
    53003: (400, "interaction_required", "Access has been blocked by Conditional Access policies."),
    65001: (400, "invalid_grant", "The user or administrator has not consented to use the application with ID 'x'."),
    65004: (400, "access_denied", "User declined to consent to access the app."),
    70011: (400, "invalid_scope", "The provided value for the input parameter 'scope' is not valid."),
    70016: (400, "authorization_pending", "OAuth 2.0 device flow error. Authorization is pending."),
    90002: (400, "invalid_tenant", "Tenant 'x' not found. Check to make sure you have the correct tenant ID."),
    900382: (400, "invalid_client", "Confidential Client is not supported in Cross Cloud request."),
    700016: (400, "unauthorized_client", "Application with identifier 'x' was not found in the directory 'Contoso'."),
    700024: (401, "invalid_client", "Client assertion is not within its valid time range."),
    700027: (401, "invalid_client", "Client assertion failed signature validation."),
    700082: (400, "invalid_grant", "The refresh token has expired due to inactivity."),
    1002012: (400, "invalid_scope", "The provided value for scope x is not valid. Client credential flows must have a "
              "scope value with /.default suffixed to the resource identifier (application ID URI)."),
    7000215: (401, "invalid_client", "Invalid client secret provided. Ensure the secret being sent in the request is "
              "the client secret value, not the client secret ID, for a secret added to app 'x'."),
    7000222: (401, "invalid_client", "The provided client secret keys for app 'x' are expired."),
}  # fmt: skip


class Entra:
    """`token` makes an access token for the fields of a request. `certificate` is a PEM text that the application's
    assertions are checked with. `requests` holds the fields of every request for a token."""

    def __init__(self, token: Callable[[Mapping[str, str]], str], certificate: str = "") -> None:
        self._token, self._certificate = token, certificate
        self.requests: list[dict[str, str]] = []
        self.faults: list[int] = []
        self.pending = 0  # so often a device code was not typed yet
        self.refresh_token = "refresh-0"
        self.expires_in: Any = 3600
        self.id_token = ""

    def answer(self, request: Request) -> Response:
        """What Entra says to it."""
        tenant, _, path = urlsplit(request.path).path.strip("/").partition("/")
        base = f"https://{request.headers['host']}/{tenant}"
        if path == "v2.0/.well-known/openid-configuration":
            return Response(_endpoints(base)) if tenant == TENANT else failure(90002)
        if path == "oauth2/v2.0/devicecode":
            return Response({"device_code": "device-0", "user_code": "BED-1234", "interval": 5, "expires_in": 900,
                             "verification_uri": f"{base}/device"})  # fmt: skip
        self.requests.append(request.form)
        fault = self.faults.pop(0) if self.faults else self._judge(request.form, f"{base}/oauth2/v2.0/token")
        return failure(fault) if fault else Response(self._granted(request.form))

    def _judge(self, form: Mapping[str, str], audience: str) -> int:
        """The number of what is wrong with a request; 0 for nothing."""
        if form.get("client_id") != CLIENT_ID:
            return 700016
        if "client_assertion" in form:
            if fault := self._assertion(form["client_assertion"], audience):
                return fault
        elif form.get("client_secret", SECRET) != SECRET:
            return 7000215
        grant, scopes = form["grant_type"], form.get("scope", "").split()
        if grant == "client_credentials" and not form.get("scope", "").endswith("/.default"):
            return 1002012
        if not scopes and grant != DEVICE:
            return 70011
        if grant == "refresh_token" and form["refresh_token"] != self.refresh_token:
            return 700082
        if grant == DEVICE and self.pending:
            self.pending -= 1
            return 70016
        return 0

    def _assertion(self, assertion: str, audience: str) -> int:
        key: Any = x509.load_pem_x509_certificate(self._certificate.encode()).public_key()
        try:
            jwt.decode(assertion, key, ["PS256", "RS256"], audience=audience)
        except jwt.ExpiredSignatureError:
            return 700024
        except jwt.PyJWTError:
            return 700027
        return 0

    def _granted(self, form: Mapping[str, str]) -> dict[str, Any]:
        granted = {"token_type": "Bearer", "expires_in": self.expires_in, "access_token": self._token(form)}
        if form["grant_type"] != "client_credentials":
            self.refresh_token = f"refresh-{len(self.requests)}"
            granted |= {"refresh_token": self.refresh_token, "scope": "https://outlook.office.com/SMTP.Send"}
        return granted | ({"id_token": self.id_token} if self.id_token else {})


def failure(number: int, **headers: str) -> Response:
    """Entra's answer with this AADSTS number."""
    status, error, words = ERRORS[number]
    now = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
    text = f"AADSTS{number}: {words} Trace ID: 0 Correlation ID: 1 Timestamp: {now}"
    return Response({"error": error, "error_description": text, "error_codes": [number]}, status, headers)


def _endpoints(base: str) -> dict[str, str]:
    return {
        "issuer": f"{base}/v2.0",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
    }
