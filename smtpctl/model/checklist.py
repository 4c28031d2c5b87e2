"""Which checks there are, as values for a list."""

from __future__ import annotations

from typing import Any

from smtpctl.model.record import NamedTuple


class Findable(NamedTuple):
    """A finding that a check can make: its severity for a server that is logged in to and for an MX, empty where it is no
    fault of such a server."""

    id: str
    submission: str
    mx: str
    title: str


class Listed(NamedTuple):
    """One check. `when` it is made: always, after a failure, with which option, or with another command; `needs` the
    stage that the session must get to, empty where it needs none; `does` what it costs or does to the server; `slow`
    takes seconds, `intrusive` does more than look."""

    name: str
    when: str
    needs: str
    finds: tuple[Findable, ...]
    does: str = ""
    slow: bool = False
    intrusive: bool = False

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {**self._asdict(), "finds": [found._asdict() for found in self.finds]}
