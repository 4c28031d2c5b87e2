"""Many dialogues at once on one thread: what load, queue and replay run on."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Iterable
from typing import Any

from smtpctl.model.errors import SmtpctlError
from smtpctl.net.connection import LONGEST_WAIT, Connection
from smtpctl.net.runner import Driver
from smtpctl.protocol.steps import Dialogue

_BOTH = selectors.EVENT_READ | selectors.EVENT_WRITE


def drive(
    work: Iterable[tuple[Connection, Dialogue[Any]]],
    ended: Callable[[Connection, SmtpctlError | None], None] | None = None,
) -> None:
    """Run each dialogue on its connection until all have ended, and close the connections.

    `ended` is told of each: None where it ran to its end, else what stopped it (Problem, Refused, Obstacle). Nothing
    is raised for them here: one broken connection stops no other.
    """
    with selectors.DefaultSelector() as selector:
        drivers: dict[int, Driver[Any]] = {}
        for connection, dialogue in work:
            driver = Driver(dialogue, connection)
            sock = connection.channel.sock
            drivers[sock.fileno()] = driver
            selector.register(sock, selectors.EVENT_READ)
            _advance(driver, driver.advance, selector, drivers, ended)
        while drivers:
            ready = selector.select(_patience(drivers))
            for key, _ in ready:
                driver = drivers[key.fd]
                _advance(driver, driver.advance, selector, drivers, ended)
            if len(ready) < len(drivers):
                for driver in list(drivers.values()):
                    if driver.connection.now() >= driver.deadline:
                        _advance(driver, driver.expire, selector, drivers, ended)


def _patience(drivers: dict[int, Driver[Any]]) -> float:
    now = next(iter(drivers.values())).connection.now()
    return min(LONGEST_WAIT, max(0.0, min(driver.deadline for driver in drivers.values()) - now))


def _advance(
    driver: Driver[Any],
    step: Callable[[], bool],
    selector: selectors.BaseSelector,
    drivers: dict[int, Driver[Any]],
    ended: Callable[[Connection, SmtpctlError | None], None] | None,
) -> None:
    """Advance one dialogue; take it out when it has ended."""
    sock = driver.connection.channel.sock
    was_writing = driver.writing
    failure: SmtpctlError | None = None
    try:
        done = step()
    except SmtpctlError as error:
        done, failure = True, error
    if not done:
        if driver.writing != was_writing:
            selector.modify(sock, _BOTH if driver.writing else selectors.EVENT_READ)
        return
    selector.unregister(sock)
    del drivers[sock.fileno()]
    driver.connection.close()
    if ended:
        ended(driver.connection, failure)
