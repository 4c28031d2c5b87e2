"""Which groups a server takes for the key exchange of TLS 1.2 and older, found out on the way to its suites.

A server names one group an answer, as it names one suite. Every hello offers those first that were not named yet. A server
that goes by the client's order names a new one each time, and an old one when there is no other. One that has an order of
its own is asked without those that it named, until it refuses.
"""

from __future__ import annotations

from smtpctl.knowledge.groups import CURVES, PRIMES
from smtpctl.model.record import NamedTuple


class Offer(NamedTuple):
    """The curves of one hello: those that were not named when it was made, then those that were."""

    new: tuple[int, ...]
    old: tuple[int, ...] = ()

    @property
    def groups(self) -> tuple[int, ...]:
        """As they stand in the hello."""
        return self.new + self.old + PRIMES


class Groups:
    """What is known so far: `named`, in the order found; `complete` once there can be no other; `stubborn` where the server
    named one again before it was seen to go by the client's order."""

    def __init__(self) -> None:
        self.named: tuple[int, ...] = ()
        self.complete = False
        self.stubborn = False
        self._obliging = False

    def offer(self) -> Offer:
        """For the next hello."""
        return Offer(self.others().new, self.named)

    def others(self) -> Offer:
        """Only what the server has not named."""
        return Offer(tuple(group for group in CURVES if group not in self.named))

    def heard(self, offer: Offer, group: int) -> None:
        """The server chose this group; 0 or a prime's number where the suite needs no curve."""
        if group in offer.new:
            # It left one that it likes, too.
            self._obliging = self._obliging or bool(offer.old)
            self.named += () if group in self.named else (group,)
        elif group in offer.old:
            self.complete = self.complete or self._obliging
            self.stubborn = not self._obliging
