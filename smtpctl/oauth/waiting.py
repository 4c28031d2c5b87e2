"""Asking until somebody has typed a code at another device (RFC 8628 3.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from smtpctl.knowledge.families import entry
from smtpctl.model.errors import Problem
from smtpctl.oauth import answers
from smtpctl.oauth.values import DeviceCode

Answer = Mapping[str, Any]
_INTERVAL, _SLOWER, _SLOWEST = 5, 5, 60  # seconds between two questions (RFC 8628 3.2, 3.5)


def typed(
    name: str,
    code: DeviceCode,
    begun: Answer,
    ask: Callable[[], Answer],
    sleep: Callable[[float], None],
    now: Callable[[], float],
) -> Answer:
    """The first JSON object that `ask` gets and that does not say to go on. `begun` is the answer that the code was in, for
    the credentials `name`; it sets the pace. What can pass by itself ends no waiting. Problem `oauth.code_expired`."""
    interval = min(answers.number(begun.get("interval"), _INTERVAL), _SLOWEST)
    while now() + interval < code.expires:
        sleep(interval)
        try:
            answer = ask()
        except Problem as problem:
            if not problem.retryable:
                raise
            interval = min(interval * 2, _SLOWEST)
            continue
        error = answer.get("error")
        if error == "slow_down":
            interval += _SLOWER
        elif error == "expired_token":
            break
        elif error != "authorization_pending":
            return answer
    raise entry("oauth.code_expired").problem(target=name, oauth=name)
