"""Files that a user asks for by name."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import combinations
from pathlib import Path
from typing import BinaryIO, TypeAlias

from smtpctl.config import save
from smtpctl.config.problems import finding, problem
from smtpctl.model.errors import UsageProblem
from smtpctl.model.record import NamedTuple
from smtpctl.model.report import Comparison, Report

STDOUT = "-"  # in place of a file's name
Put: TypeAlias = Callable[[Path, str, str], None]  # as `put`
LIMIT = 16 << 20  # octets of a file that is looked at before it is replaced


class Ours(NamedTuple):
    """What an option writes: its name, and what such a file looks like. Nothing else is replaced, except an empty file."""

    name: str
    pattern: bytes


OURS: Mapping[str, Ours] = {
    "--save-chain": Ours(
        "PEM certificates alone",
        rb"(?:\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----)*\s*",
    ),
    "--save-baseline": Ours("a baseline of smtpctl", rb'(?s:\{\s*"schema": "smtpctl\.baseline/.*|\s*)'),
    "--transcript": Ours("a transcript of smtpctl", rb'(?s:\{"at": .*|\s*)'),
}


def replaces(path: Path, option: str) -> bool:
    """Whether there is a file of that name. What cannot be looked at is none; making it says why. UsageProblem for a folder,
    naming the option: nobody is asked whether to write over that."""
    try:
        if path.is_dir():
            raise UsageProblem(f"{option} {path}: it is a folder", "Name a file in it.")
        return path.exists()
    except OSError:
        return False


def judge(outputs: Mapping[str, Path], inputs: Mapping[str, str]) -> None:
    """UsageProblem for a file that must not be written, as far as it can be told before anything is sent. `outputs` are by
    the option that names each (one of `OURS`), `inputs` are files that the run reads, by setting."""
    named = [(option, path) for option, path in outputs.items() if str(path) != STDOUT]
    for (option, path), (other, place) in combinations(outputs.items(), 2):
        if _same(path, place):
            raise UsageProblem(f"{option} and {other} name the same file: {path}", "Give each a file of its own.")
    for option, path in named:
        for setting, source in inputs.items():
            if _same(path, Path(source)):
                raise UsageProblem(f"{option} {path}: this file is the {setting} of the run", "Name another file.")
        reason = _refused(path, option)
        if reason:
            raise _unwritable(path, option, reason)


def put(path: Path, text: str, option: str) -> None:
    """The file with this text, whole, in place of what was there, whose rights it keeps; a pipe or a device takes the text
    as it is. A link is not followed, for whoever plants one would choose what is overwritten: the file takes its place.
    Problem `config.write_failed` where that fails after all."""
    try:
        if path.exists() and not path.is_file():
            with path.open("w", encoding="utf-8") as stream:
                stream.write(text)
            return
        with save.beside(path) as file:
            _keep_rights(file.fileno(), path)
            file.write(text.encode())
    except OSError as error:
        title = f"{option} {path}: {error.strerror or error}"
        raise problem(finding("config.write_failed", title, fix="Make room, or name another file.")) from None


def noted(report: Report, option: str, path: Path, note: str, missing: str = "") -> Report:
    """The report, which tells what became of a file: a `note` for people, or why it is `missing`; in its facts the same."""
    fact = {"option": option, "file": str(path), "written": not missing, "reason": missing.rstrip(".")}
    words = f"{path} was not written: {missing}" if missing else note
    return report._replace(
        comparisons=(*report.comparisons, Comparison("", (), words)),
        facts={**report.facts, "saved": [*report.facts.get("saved", ()), fact]},
    )


def told(path: Path) -> str:
    """Where a file is, for a sentence: `in chain.pem`, or `on stdout`."""
    return "on stdout" if str(path) == STDOUT else f"in {path}"


def _refused(path: Path, option: str) -> str:
    """Why a file must not be written; empty where it may be."""
    ours = OURS[option]
    if path.is_dir():
        return "it is a folder"
    if not path.absolute().parent.is_dir():
        return "there is no such folder"
    if path.exists() and not path.is_file():
        return ""
    if path.is_symlink():
        return "it is a link; name the file itself"
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        return os.strerror(errno.EACCES)
    if path.exists() and not re.fullmatch(ours.pattern, _head(path)):
        return f"what is there is not {ours.name}"
    return ""


def _head(path: Path) -> bytes:
    """What is in a file; of one that is longer than any of ours only a part, in which a whole one is not to be seen."""
    try:
        with path.open("rb") as file:
            return file.read(LIMIT)
    except OSError:
        return b"?"


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)


def _keep_rights(number: int, path: Path) -> None:
    """Those of the file that is replaced; root leaves it its owner."""
    if os.name != "posix" or not path.exists() or path.is_symlink():
        return
    status = path.stat()
    if os.geteuid() == 0:
        os.fchown(number, status.st_uid, status.st_gid)
    os.fchmod(number, status.st_mode & 0o777)


def _unwritable(path: Path, option: str, reason: str) -> UsageProblem:
    return UsageProblem(f"{option} {path}: {reason}", "Name a new file in a folder that you can write to.")


@contextmanager
def new_file(path: Path, option: str = "--output") -> Iterator[BinaryIO]:
    """A file that is there, whole and readable by its owner only, when nothing went wrong. It is made before anything is
    asked of a server: UsageProblem, naming the option that asked for it, where it cannot be."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(save.beside(path))
        except OSError as error:
            raise UsageProblem(f"{option} {path}: {error.strerror}") from None
        yield file
