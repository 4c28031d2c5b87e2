"""Who has a mailbox and a password on every server of the bed, and the addresses that behave in a known way."""

from __future__ import annotations

from typing import NamedTuple

HOST = "localhost"  # in every certificate that is meant to fit
DOMAIN = "bed.test"


class Account(NamedTuple):
    """A login; the user name is the address too."""

    username: str
    password: str


ALICE = Account("alice@bed.test", "alice-pw")
BOB = Account("bob@bed.test", "bob pw:ünï")  # a space, a colon and two characters that are not ASCII
ACCOUNTS = (ALICE, BOB)
CAROL = "carol@bed.test"  # logs in with an opaque token only (introspection.py)

# Recipients at Postfix, each with the reply it gets at RCPT.
REPLIES = {
    "grey@bed.test": "450 4.2.0 Greylisted, see http://postgrey.example/",
    "full@bed.test": "552 5.2.2 Mailbox full",
    "policy@bed.test": "550 5.7.26 Unauthenticated email is not accepted due to DMARC",
    "closing@bed.test": "421 4.7.0 Try again later, closing connection",
}
