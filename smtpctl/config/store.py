"""The configuration file: find it and read it (`config.save` changes it).

Rules: it is read whole or not at all, and what is wrong with it is said with line and column; what stands in the
broken line is not shown, it may be a secret. A file that others could have written is not believed.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from smtpctl.config import values
from smtpctl.config.problems import finding, problem
from smtpctl.model.finding import Finding, Location, Severity

VERSION = 1
FILE_NAME = "config.toml"
MAX_OCTETS = 8 * 1024 * 1024
NAMED = {"sites": "name for a site", "profiles": "name for a profile", "oauth": "name for OAuth 2.0 credentials"}
TABLES = ("global", *NAMED)
# Compiled where something is wrong with the file.
_NAME_OF_LINE = r"\s*([\w.-]{1,64})\s*[=:]"
_HEADER_OF_LINE = r"\s*\[{1,2}[\w. -]{1,80}\]{0,2}"
_AT = r" \(at (?:line (\d+), column (\d+)|end of document)\)"


class Document:
    """One configuration file as read: `text`, and what it says as plain data (`values`).

    `exists` is False where there is no file; the document is empty then. `warnings` are findings about the file itself.
    `sources` is the option that named the file, for commands that shall be about the same one (`model.command.sourced`).
    """

    def __init__(
        self,
        path: Path,
        text: str = "",
        warnings: Sequence[Finding] = (),
        *,
        exists: bool = True,
        sources: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.path = path
        self.sources = sources
        self.text = text
        self.exists = exists
        self.warnings = tuple(warnings)
        self.values: Mapping[str, Any] = _parse(text, str(path))
        self._layout: Any = None
        self._check_shape()

    @property
    def globals(self) -> Mapping[str, Any]:
        """`[global]`."""
        return self._table("global")

    @property
    def sites(self) -> Mapping[str, Mapping[str, Any]]:
        """`[sites.NAME]`."""
        return self._table("sites")

    @property
    def profiles(self) -> Mapping[str, Mapping[str, Any]]:
        """`[profiles.NAME]`."""
        return self._table("profiles")

    @property
    def oauth(self) -> Mapping[str, Mapping[str, Any]]:
        """`[oauth.NAME]`."""
        return self._table("oauth")

    @property
    def secret_variables(self) -> frozenset[str]:
        """The environment variables that hold secrets of a profile or of OAuth 2.0 credentials."""
        tables = (*self.profiles.values(), *self.oauth.values())
        return frozenset(str(value) for table in tables for key, value in table.items() if key.endswith("_env"))

    def locate(self, *path: str) -> Location:
        """The line and column where a key is, or the nearest table around it."""
        from smtpctl.config import layout

        if self._layout is None:
            self._layout = layout.Layout(self.text)
        return layout.place(self.text, self._layout.offset(path), str(self.path))

    def _table(self, name: str) -> Mapping[str, Any]:
        table: Mapping[str, Any] = self.values.get(name, {})
        return table

    def _check_shape(self) -> None:
        version = self.values.get("version", VERSION)
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            self._refuse(
                "config.version", f"version: {version!r} is not a version of this file; {VERSION} is", "version"
            )
        if version > VERSION:
            title = f"The file has version {version}; this smtpctl reads version {VERSION} and older"
            self._refuse("config.version", title, "version", fix="Use a newer smtpctl, or another file.")
        for name in TABLES:
            self._must_be_table(self.values.get(name, {}), name)
            for key, value in self._table(name).items() if name in NAMED else ():
                self._must_be_table(value, name, key)
                self._must_be_name(name, key)

    def _must_be_table(self, value: object, *path: str) -> None:
        if not isinstance(value, Mapping):
            name = ".".join(path)
            self._refuse("config.invalid_value", f"{name} is not a table; write [{name}]", *path)

    def _must_be_name(self, table: str, name: str) -> None:
        """What is no name is no name anywhere: it would stand in commands to be copied, in entries of a keyring, in files."""
        try:
            values.name_word(name, NAMED[table])
        except values.BadValueError as error:
            self._refuse("config.invalid_value", f"[{table}] {error}", table, name, fix="Give it another name there.")

    def _refuse(self, id_: str, title: str, *path: str, fix: str = "") -> NoReturn:
        raise problem(finding(id_, title, fix=fix, location=self.locate(*path)))


def default_path(environ: Mapping[str, str]) -> Path:
    """`$SMTPCTL_CONFIG`, else `config.toml` in the user's configuration folder.

    On Linux and the BSDs the folder is worked out here, as platformdirs does it: importing that costs 27 ms.
    """
    if environ.get("SMTPCTL_CONFIG"):
        return Path(environ["SMTPCTL_CONFIG"]).expanduser()
    if os.name == "posix" and sys.platform != "darwin":
        base = environ.get("XDG_CONFIG_HOME", "")
        return (Path(base) if base.strip() else Path("~/.config").expanduser()) / "smtpctl" / FILE_NAME
    import platformdirs

    return platformdirs.user_config_path("smtpctl", appauthor=False) / FILE_NAME


def read(path: Path | None, environ: Mapping[str, str]) -> Document:
    """The document at `path`, or at the default place when None.

    A file that is not there gives an empty document; one that an option asked for must be there. Raises Problem
    `config.unreadable`, `config.syntax`, `config.version`, `config.rights` or `config.invalid_value`.
    """
    where, named = path or default_path(environ), sources(path, environ)
    try:
        octets, status = octets_of(where)
    except FileNotFoundError:
        if named:
            title = f"There is no file {where}"
            raise problem(finding("config.unreadable", title, fix="Check the path.", target=str(where))) from None
        return Document(where, exists=False)
    except OSError as error:
        title = f"{where} cannot be read: {error.strerror}"
        raise problem(finding("config.unreadable", title, fix="Check the path and its rights.")) from None
    warnings = list(_check_rights(where, status, asked=path is not None or bool(environ.get("SMTPCTL_CONFIG"))))
    return Document(where, decode(octets, str(where)), warnings, sources=named)


def sources(path: Path | None, environ: Mapping[str, str]) -> dict[str, str]:
    """The option that named the file, where it was one and not the variable, which holds for the next run, too."""
    return {} if path is None or str(path) == environ.get("SMTPCTL_CONFIG", "") else {"--config": str(path)}


def octets_of(path: Path) -> tuple[bytes, os.stat_result]:
    """What is in the file, and its status; OSError also where it is too long to be a configuration."""
    with path.open("rb") as file:
        octets = file.read(MAX_OCTETS + 1)
        if len(octets) > MAX_OCTETS:
            raise OSError(errno.EFBIG, f"it is longer than {MAX_OCTETS >> 20} MiB")
        return octets, os.fstat(file.fileno())


def decode(octets: bytes, path: str) -> str:
    """The text of a file (a byte order mark is no part of it); Problem `config.syntax` where it is not UTF-8."""
    octets = octets.removeprefix(b"\xef\xbb\xbf")
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        before = octets[: error.start]
        column = len(before) - (before.rfind(b"\n") + 1) + 1
        location = Location(path, before.count(b"\n") + 1, column)
        title = f"The file is not UTF-8: octet 0x{octets[error.start]:02x}"
        raise problem(finding("config.syntax", title, fix="Save it as UTF-8.", location=location)) from None


def _parse(text: str, path: str) -> Mapping[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError:
        reason, location = "Too many brackets inside each other", Location(path, 1, 1)
    except ValueError as error:  # TOMLDecodeError is one; numbers and dates out of range are plain ones
        reason, location = _reason(str(error), text, path)
    line = text.split("\n")[location.line - 1] if text else ""
    fix = f"Mend line {location.line}. Nothing was changed."
    raise problem(finding("config.syntax", reason, fix=fix, location=location, evidence=_shown(line))) from None


def _reason(message: str, text: str, path: str) -> tuple[str, Location]:
    """What tomllib says, and where it says so."""
    found = re.search(_AT, message)
    if found and found[1]:
        return re.sub(_AT, "", message), Location(path, int(found[1]), int(found[2]))
    lines = text.rstrip().split("\n")
    return re.sub(_AT, "", message), Location(path, len(lines), len(lines[-1]) + 1 if found else 1)


def _shown(line: str) -> str:
    """The name of the setting or table in a broken line; anything else in it may be a secret."""
    name = re.match(_NAME_OF_LINE, line)
    if name:
        return f"{name[1]} = ..."
    header = re.match(_HEADER_OF_LINE, line)
    return header[0].strip() if header else "..."


def _check_rights(path: Path, status: os.stat_result, *, asked: bool) -> Iterator[Finding]:
    """Refuse what others can write: the file may name programs to run and servers to send passwords to.

    Somebody else's file is refused at the default place and only reported where it was asked for.
    """
    if os.name != "posix" or not stat.S_ISREG(status.st_mode):
        return
    mode = stat.S_IMODE(status.st_mode)
    fix, commands = "Make it yours alone.", (f"chmod 600 {path}",)
    if mode & stat.S_IWOTH:
        title = f"Everybody can write to {path} (mode {mode:o})"
        raise problem(finding("config.rights", title, fix=fix, commands=commands))
    if status.st_uid not in (0, os.geteuid()):
        title = f"{path} belongs to another user (uid {status.st_uid})"
        found = finding("config.rights", title, fix="Own it, or name it with --config if you trust it.")
        if not asked:
            raise problem(found)
        yield found._replace(severity=Severity.WARNING)
    if mode & stat.S_IWGRP:
        title = f"The group can write to {path} (mode {mode:o})"
        yield finding("config.rights", title, fix=fix, commands=commands, severity=Severity.WARNING)
