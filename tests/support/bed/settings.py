"""Settings files from templates/: text in which `@@name@@` stands for a value of this run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from bed.pki import Pki
from bed.ports import Ports

TEMPLATES = Path(__file__).parent / "templates"


def template(name: str) -> str:
    """A file of templates/."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def fill(text: str, value: Callable[[str], object]) -> str:
    """The text with each `@@name@@` replaced by value(name)."""
    return re.sub(r"@@([\w./-]+)@@", lambda match: str(value(match[1])), text)


def values(folder: Path, ports: Ports, pki: Pki, own: Mapping[str, object] | None = None) -> Callable[[str], object]:
    """What names mean to every server: `folder`, `ca`, `port/SERVER/LISTENER`, `key/CHAIN`, `chain/CHAIN`, and its own."""
    named: dict[str, object] = {"folder": folder, "ca": pki.ca_file, **(own or {})}
    families: dict[str, Callable[[str], object]] = {"port": ports.__getitem__, "key": pki.key, "chain": pki.chain}

    def value(name: str) -> object:
        family, _, rest = name.partition("/")
        return families[family](rest) if rest else named[name]

    return value
