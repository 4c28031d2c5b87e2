"""Who the sink plays, with all that a client must know to meet them: the personality and the provider's preset."""

from __future__ import annotations

from smtpctl.config import presets
from smtpctl.config.presets import Preset
from smtpctl.knowledge.catalogue import load
from smtpctl.model.endpoint import TlsMode
from smtpctl.model.record import NamedTuple
from smtpctl.protocol.server.mechanisms import MECHANISMS
from smtpctl.sink.personality import Personality, names, play

__all__ = ["ADDRESS", "ITSELF", "Role", "names", "role"]

ADDRESS = "you@example.com"  # who logs in: providers know their users by address
_USUAL = tuple(name for name in MECHANISMS if name != "EXTERNAL")  # that one asks every client for a certificate


class Role(NamedTuple):
    """Somebody who is played, and the preset with which a client reaches them."""

    personality: Personality
    preset: Preset | None = None

    @property
    def user(self) -> str:
        """Who logs in: the name that everybody has there, or an address; empty where there are no logins."""
        if not self.preset and not self.personality.login:
            return ""
        name = self.preset.username if self.preset else ""
        return name.removeprefix("fixed:") if name.startswith("fixed:") else ADDRESS

    @property
    def tls(self) -> TlsMode:
        """How the connection to them is encrypted."""
        return self.personality.tls or (self.preset.endpoints[0].tls if self.preset else TlsMode.NONE)

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The logins they offer, as far as the sink knows them."""
        offered = self.personality.offers or (self.preset.mechanisms if self.preset else ())
        return tuple(name for name in offered if name in MECHANISMS) or _USUAL

    @property
    def closed(self) -> bool:
        """Whether no login works, because that is what is shown."""
        return self.personality.at == "auth"


ITSELF = Role(Personality("", ""))
"""The sink as it is."""


def role(name: str, sample: str = "") -> Role:
    """The role of an entry's id (and one of its texts), a finding's or a provider. UsageProblem as `sink.personality.play`.

    Of a provider's presets it is the first that takes passwords too.
    """
    personality = play(name, sample)
    fitting = [presets.get(preset) for preset in load().providers[personality.prefix].presets]
    fitting.sort(key=lambda preset: preset.oauth_only)
    return Role(personality, fitting[0] if fitting else None)
