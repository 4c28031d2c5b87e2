"""What `smtpctl --version --verbose` adds: the versions a bug report needs."""

from __future__ import annotations

import platform
import ssl
import sys

PACKAGE = "smtpctl"


def lines() -> list[str]:
    """One line each."""
    found = rows()
    width = max(len(name) for name, _ in found) + 2
    return [f"{name:<{width}}{version}" for name, version in found]


def rows() -> list[tuple[str, str]]:
    """Python (and where it is), OpenSSL, the system, and every library the package asks for."""
    return [
        ("Python", f"{platform.python_version()}  {sys.executable}"),
        ("OpenSSL", ssl.OPENSSL_VERSION.removeprefix("OpenSSL ")),
        ("System", platform.platform()),
        *((name, _installed(name)) for name in _libraries()),
    ]


def _libraries() -> list[str]:
    """The libraries named by the package, the optional ones too; empty where it runs without being installed."""
    from importlib import metadata

    try:
        wanted = metadata.requires(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return []
    needed = [text for text in wanted if "extra ==" not in text or "ntlm" in text]
    names = {"".join(c if c.isalnum() or c in "-_." else " " for c in text).split()[0] for text in needed}
    return sorted(names)


def _installed(name: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
