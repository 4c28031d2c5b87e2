"""What somebody who asks about a text knows besides it, and what the text itself gives away."""

from __future__ import annotations

from smtpctl.config import presets
from smtpctl.knowledge import families
from smtpctl.knowledge.catalogue import load
from smtpctl.knowledge.match import LOGINS, Context, Login
from smtpctl.model.errors import UsageProblem
from smtpctl.model.record import NamedTuple
from smtpctl.model.transcript import Stage
from smtpctl.ops.extract import Failure


class Hints(NamedTuple):
    """A preset's or provider's name, the stage, and how the login was made; empty where nobody knows."""

    provider: str = ""
    stage: Stage | None = None
    login: Login = Login()

    def context(self, failure: Failure) -> Context:
        """What is known of a failure: what somebody said goes before what its line shows."""
        return Context(
            text=failure.text,
            stage=self.stage or failure.stage,
            provider=self.provider,
            host="" if self.provider else failure.server,
            port=failure.port,
            mechanism="" if self.login.credential else failure.mechanism,
            credential=self.login.credential,
            grant=self.login.grant,
        )


NO_HINTS = Hints()


def hints(provider: str, stage: str, login: str) -> Hints:
    """Hints from what was typed; empty where nothing was. UsageProblem for a provider that nobody knows."""
    known = {name for prefix, one in load().providers.items() for name in (prefix, one.provider)} | set(presets.names())
    if provider and provider not in known:
        near = " or ".join(families.similar(provider, known))
        raise UsageProblem(
            f"There is no provider {provider}.", f"Did you mean {near}?" if near else "See: smtpctl preset list"
        )
    return Hints(provider, Stage(stage) if stage else None, LOGINS.get(login, Login()))
