"""What the grants of OAuth 2.0 take and give; values only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import Secret

MARGIN = 300.0  # seconds before its end from which on a token is not used any more
NO_SECRET = Secret("")


class Application(NamedTuple):
    """Named OAuth 2.0 credentials with their secrets fetched: who asks for a token, how, and where.

    `grant` is one of `GRANTS`. With a `tenant_id` the token comes from Microsoft Entra at `authority` (an https URL
    without the tenant), else from `token_endpoint`, or from what `issuer` publishes about itself. `scopes` are asked for
    in this order. `client_auth` is `body` or `basic` (RFC 6749 2.3.1). `certificate` is a PEM or PFX file, `key` a PEM
    file where the certificate's has none, `assertion_file` a signed assertion that somebody else keeps fresh,
    `managed_identity` `system` or the client id of a user-assigned one. `key_file` is Google's JSON of a service account,
    `subject` the mailbox that it speaks for. `ca_file` and `proxy` hold for the requests for a token, `timeout` in seconds
    for all of them together.
    """

    name: str
    grant: str
    client_id: str = ""
    tenant_id: str = ""
    authority: str = ""
    issuer: str = ""
    token_endpoint: str = ""
    authorization_endpoint: str = ""
    device_endpoint: str = ""
    scopes: tuple[str, ...] = ()
    client_auth: str = "body"
    client_secret: Secret = NO_SECRET
    certificate: str = ""
    key: str = ""
    passphrase: Secret = NO_SECRET
    assertion_file: str = ""
    managed_identity: str = ""
    key_file: str = ""
    subject: str = ""
    refresh_token: Secret = NO_SECRET
    redirect_port: int = 0
    ca_file: str = ""
    proxy: str = ""
    timeout: float = 60.0

    @property
    def microsoft(self) -> bool:
        """Whether Microsoft Entra gives the token; a tenant says so, whatever endpoints are set."""
        return bool(self.tenant_id or self.managed_identity)

    @property
    def confidential(self) -> bool:
        """Whether the application can prove who it is (RFC 6749 2.1)."""
        return bool(self.client_secret or self.certificate or self.assertion_file)


class Token(NamedTuple):
    """An access token. `expires` is epoch seconds, 0 where nobody said; `refresh` gets the next one, empty without;
    `source` is `endpoint` or `cache`; `scopes` what it was granted for, where that was said."""

    access: Secret
    expires: float = 0.0
    refresh: Secret = NO_SECRET
    source: str = "endpoint"
    scopes: str = ""

    def fresh(self, now: float, margin: float = MARGIN) -> bool:
        """Whether it is good for `margin` seconds more; one that nobody dated is not kept."""
        return self.expires - margin > now


class DeviceCode(NamedTuple):
    """What somebody types at another device (RFC 8628 3.2): `code` at the address `uri`, or `complete` with the code in it
    (may be empty); until `expires`, epoch seconds."""

    code: str
    uri: str
    expires: float
    complete: str = ""


class Pending(NamedTuple):
    """A login in a browser that has begun: `url` to open, `redirect` where the browser comes back to; `memory` is what the
    module that began it needs to end it (state, code verifier)."""

    url: str
    redirect: str
    memory: Mapping[str, Any] = {}

    @property
    def state(self) -> str:
        """What the answer to this login brings back (RFC 6749 4.1.2); ours stands after a provider's own."""
        return dict(parse_qsl(urlsplit(self.url).query)).get("state", "")
