"""Other programs' SMTP settings, one file a format.

A format is a module of this folder with the names of `Format`; putting the file there is
all it takes. Names that begin with `_`, and `settings`, are helpers. Formats parse and never execute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from smtpctl.formats.settings import Reading, Settings, Writing
from smtpctl.model.endpoint import TlsMode

_HELPERS = ("settings",)


class Format(Protocol):
    """What a format's module has.

    `CARRIES` names the fields of Settings that survive `write` and `read` (`oauth.tenant` for a part of `oauth`),
    `SCOPE` the sending settings that do; `TLS` and `AUTH` the values of these fields; `MANY` says whether a file
    can hold several servers. `SCHEMA` has the format's own settings with their defaults (empty: none).
    """

    TITLE: str
    SCHEMA: Mapping[str, str]
    CARRIES: frozenset[str]
    SCOPE: frozenset[str]
    TLS: frozenset[TlsMode]
    AUTH: frozenset[str]
    MANY: bool

    def read(self, text: str) -> Reading:
        """What a file says. Never raises: what is wrong with the text is a notice that refuses."""

    def write(self, servers: Sequence[Settings], scope: Mapping[str, object], *, reveal: bool = False) -> Writing:
        """The servers (the default one first) and sending settings as text; masks for secrets unless `reveal`."""


def names() -> tuple[str, ...]:
    """The formats there are, sorted."""
    stems = (path.stem for path in Path(__file__).parent.glob("*.py"))
    return tuple(sorted(stem for stem in stems if not stem.startswith("_") and stem not in _HELPERS))


def get(name: str) -> Format:
    """A format by its name; KeyError where there is none."""
    if name not in names():
        raise KeyError(name)
    return cast(Format, import_module(f"{__name__}.{name}"))
