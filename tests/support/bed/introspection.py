"""A provider of opaque tokens: words that only its introspection endpoint (RFC 7662) can read.

It is no server: `webserver.WebServer(provider.answer)` is, at the port `introspection`, which Dovecot asks.
"""

from __future__ import annotations

import secrets

from bed.accounts import CAROL
from webserver import Request, Response

CLIENT_ID, SECRET = "smtpctl-test", "s3cret~value"
READER, READER_SECRET = "dovecot", "dovecot~secret"  # who may ask what a token stands for

# How Dovecot asks.
SETTINGS = f"""\
introspection_mode = post
introspection_url = https://localhost:@@port/introspection@@/introspect
tls_ca_cert_file = @@ca@@
client_id = {READER}
client_secret = {READER_SECRET}
force_introspection = yes
active_attribute = active
active_value = true
username_attribute = username
scope =
"""


class Provider:
    """`given` are the tokens that it gave, `asked` those that it was asked about. The first `withdrawn` of `given` are no
    longer active."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.asked: list[str] = []
        self.withdrawn = 0

    def answer(self, request: Request) -> Response:
        """A token at /token (RFC 6749 4.4), what one stands for at /introspect; each asks for a secret of its own."""
        form = request.form
        who = request.path, form["client_id"], form["client_secret"]
        if who == ("/introspect", READER, READER_SECRET):
            self.asked.append(form["token"])
            return Response(self._meaning(form["token"]))
        if who == ("/token", CLIENT_ID, SECRET) and form["grant_type"] == "client_credentials":
            self.given.append(secrets.token_urlsafe(24))
            return Response({"access_token": self.given[-1], "token_type": "Bearer", "expires_in": 3600})
        return Response({"error": "invalid_client"}, 401)

    def _meaning(self, token: str) -> dict[str, object]:
        """RFC 7662 2.2: of one that is not active nothing more is said."""
        if token in self.given[self.withdrawn :]:
            return {"active": True, "username": CAROL, "token_type": "Bearer"}
        return {"active": False}
