"""Secrets that are recognised wherever and however they turn up."""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Iterable, Iterator
from pathlib import Path


def canary(name: str) -> str:
    """A secret that occurs nowhere else, of characters that encodings write differently and a token may have."""
    return f"Zq{name}+can/ary={name[::-1]}"


def forms(secret: str) -> Iterator[bytes]:
    """How a secret may be written: in clear, hex, URL or xtext encoding, JSON, and base64 at any offset."""
    octets = secret.encode()
    yield octets
    yield octets.hex().encode()
    yield octets.hex().upper().encode()
    for safe in ("", "/"):
        yield urllib.parse.quote(secret, safe=safe).encode()
    yield urllib.parse.quote_plus(secret).encode()
    yield secret.replace("+", "+2B").replace("=", "+3D").replace(" ", "+20").encode()
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # Without the characters at the ends that depend on what stands beside it.
            yield encode(bytes(offset) + octets + bytes(-(offset + len(octets)) % 3))[-(-offset * 8 // 6) : -4]


class Canaries:
    """Named secrets, and the search for them."""

    def __init__(self, names: Iterable[str]) -> None:
        self.secrets = {name: canary(name) for name in names}
        self._forms = {name: tuple(forms(secret)) for name, secret in self.secrets.items()}

    def __getitem__(self, name: str) -> str:
        return self.secrets[name]

    def found(self, octets: bytes | str) -> set[str]:
        """The names of the secrets that are in it in any form."""
        data = octets.encode("utf-8", "surrogateescape") if isinstance(octets, str) else octets
        return {name for name, ways in self._forms.items() if any(way in data for way in ways)}

    def in_files(self, folder: Path) -> dict[str, set[str]]:
        """File below the folder -> the secrets in it or in its name."""
        files = (path for path in folder.rglob("*") if path.is_file())
        told = {str(path.relative_to(folder)): self.found(bytes(path) + b"\n" + path.read_bytes()) for path in files}
        return {name: secrets for name, secrets in told.items() if secrets}
