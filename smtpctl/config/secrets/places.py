"""Secrets from the places that hold octets: a variable, a file, a file descriptor, a systemd credential, standard input."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

from smtpctl.config.secrets import text
from smtpctl.config.secrets.problems import finding, problem
from smtpctl.model.finding import Finding
from smtpctl.model.secret import Secret

Warn = Callable[[Finding], None]

# Secrets that an orchestrator mounts here are world-readable inside the container by design.
_MOUNTED = ("/run/secrets/", "/var/run/secrets/")
_READERS = ((stat.S_IROTH, "user"), (stat.S_IRGRP, "member of its group"))


def variable(name: str, environ: Mapping[str, str]) -> Secret:
    """The value of an environment variable; Problem `secret.env_unset`."""
    value = environ.get(name, "")
    if not value:
        raise problem("env_unset", name=name, state="empty" if name in environ else "not set")
    return text.secret(value.encode("utf-8", "surrogateescape"), f"The environment variable {name}")


def file(path: str, warn: Warn | None = None) -> Secret:
    """The first line of a file; `~` is the home folder.

    Problem `secret.file_unreadable`; `warn` gets `secret.file_permissions` where others can read the file too.
    """
    full = Path(path).expanduser()
    try:
        with full.open("rb", buffering=0) as stream:
            status = os.fstat(stream.fileno())
            octets = _read(stream)
    except OSError as error:
        raise problem("file_unreadable", path=path, reason=error.strerror or str(error)) from None
    if warn and (who := _who_else(status, str(full))):
        warn(finding("file_permissions", path=path, mode=f"{stat.S_IMODE(status.st_mode):04o}", who=who))
    return text.secret(octets, f"The file {path}")


def descriptor(number: str) -> Secret:
    """The first line of an inherited file descriptor, which is closed; Problem `secret.fd_closed`."""
    try:
        with os.fdopen(int(number), "rb", buffering=0) as stream:
            octets = _read(stream)
    except (OSError, OverflowError):
        raise problem("fd_closed", number=number) from None
    return text.secret(octets, f"File descriptor {number}")


def credential(name: str, environ: Mapping[str, str]) -> Secret:
    """A file in $CREDENTIALS_DIRECTORY (systemd.exec(5)); Problem `secret.credential_missing`."""
    folder = environ.get("CREDENTIALS_DIRECTORY", "")
    if not folder:
        raise problem("credential_missing", name=name, reason="$CREDENTIALS_DIRECTORY is not set")
    if "/" in name or name in (".", ".."):
        raise problem("credential_missing", name=name, reason="A credential's name has no slash")
    try:
        with Path(folder, name).open("rb", buffering=0) as stream:
            octets = _read(stream)
    except OSError as error:
        raise problem("credential_missing", name=name, reason=f"{error.filename}: {error.strerror}") from None
    return text.secret(octets, f"The credential {name}")


def stream(source: BinaryIO) -> Secret:
    """The first line of standard input; what follows stays unread as far as the stream's buffer allows."""
    return text.secret(source.readline(text.LIMIT + 1), "Standard input")


def write_file(path: str, secret: Secret) -> None:
    """Write a secret to a file with rights 0600, in one step; a missing folder is made with rights 0700.

    Problem `secret.not_writable`.
    """
    full = Path(path).expanduser()
    part = full.with_name(f".{full.name}.{os.getpid()}.new")
    try:
        full.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            target.write(f"{secret.reveal()}\n".encode())
            target.flush()
            os.fsync(target.fileno())
        part.replace(full)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise problem("not_writable", place=path, reason=error.strerror or str(error)) from None


def remove_file(path: str) -> bool:
    """Remove a secret's file; whether there was one."""
    try:
        Path(path).expanduser().unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise problem("not_writable", place=path, reason=error.strerror or str(error)) from None
    return True


def _read(source: RawIOBase) -> bytes:
    """Up to one octet more than the limit; raw streams (pipes) give less than asked for at a time."""
    kept = bytearray()
    while len(kept) <= text.LIMIT and (octets := source.read(text.LIMIT + 1 - len(kept))):
        kept += octets
    return bytes(kept)


def _who_else(status: os.stat_result, path: str) -> str:
    """Who besides the owner can read a regular file; empty for nobody, and where the question makes no sense."""
    if os.name == "nt" or not stat.S_ISREG(status.st_mode) or path.startswith(_MOUNTED):
        return ""
    return next((who for bit, who in _READERS if status.st_mode & bit), "")
