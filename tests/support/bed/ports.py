"""A port for each name, never one that another run has.

Postfix binds with SO_REUSEPORT: a second Postfix on the same port does not fail, the two get the connections at random.
So each run claims a block of ports by holding its first one, bound without that option, until it ends; the ports after
it are its own. The blocks lie below those that the kernel hands out, so no client's connection can sit on one.
"""

from __future__ import annotations

import random
import socket

BLOCK = 200
FIRST, END = 10_000, 32_000


class NoFreePorts(RuntimeError):
    """Every block is taken."""


class Ports:
    """The ports of one run. `ports["postfix/mx"]` is the same number each time it is asked."""

    def __init__(self) -> None:
        self._claim, base = _claim_block()
        self._free = iter(range(base + 1, base + BLOCK))
        self._given: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        if name not in self._given:
            self._given[name] = next(port for port in self._free if _can_bind(port))
        return self._given[name]

    def close(self) -> None:
        """Give the block back."""
        self._claim.close()


def _claim_block() -> tuple[socket.socket, int]:
    blocks = list(range(FIRST, END, BLOCK))
    random.shuffle(blocks)
    for base in blocks:
        claim = socket.socket()
        try:
            claim.bind(("127.0.0.1", base))
            claim.listen(1)
        except OSError:
            claim.close()
        else:
            return claim, base
    raise NoFreePorts(f"no free block of {BLOCK} ports between {FIRST} and {END}")


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
