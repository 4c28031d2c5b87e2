"""LOGIN (draft-murchison-sasl-login, and what servers do): user name and password, one to a prompt.

The draft's prompts are `User Name` and `Password`; most servers write `Username:` and `Password:`, some
translate them, leave them empty or ask in their own words. A prompt that is recognised is answered by what it says,
any other by its turn: user name first. Each is given once, so a server cannot ask for the password again.
"""

from __future__ import annotations

from smtpctl.model.endpoint import Credentials
from smtpctl.protocol.sasl.exchange import Exchange, SaslContext, utf8

_PROMPTS = {b"pass": "password", b"user": "username", b"login": "username"}


def start(name: str, credentials: Credentials, context: SaslContext) -> Exchange:
    """The server speaks first, unless `context.eager_login` sends the user name with the command."""
    answers = {
        "username": utf8(name, credentials.username),
        "password": utf8(name, credentials.password.reveal()),
    }
    challenge = yield answers.pop("username") if context.eager_login else None
    while answers:
        wanted = _recognised(challenge) or next(iter(answers))
        if wanted not in answers:
            return
        challenge = yield answers.pop(wanted)


def _recognised(prompt: bytes) -> str | None:
    text = prompt.lower()
    return next((answer for word, answer in _PROMPTS.items() if word in text), None)
