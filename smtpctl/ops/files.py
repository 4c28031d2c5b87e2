"""Files that a user asks for by name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from smtpctl.config import save
from smtpctl.model.errors import UsageProblem


def is_there(path: Path) -> bool:
    """Whether there is something of that name. What cannot be looked at is not; making it says why."""
    try:
        return path.exists()
    except OSError:
        return False


def writable(path: Path, option: str) -> None:
    """UsageProblem where a file cannot be written there, as far as it can be told before anything is sent."""
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise _unwritable(path, option, "it is a folder" if path.is_dir() else "there is no such folder")


def put(path: Path, text: str, option: str) -> None:
    """The file with this text, whole, in place of what was there; UsageProblem where it cannot be written."""
    try:
        save.replace(Path(os.path.realpath(path)), text)
    except OSError as error:
        raise _unwritable(path, option, error.strerror or str(error)) from error


def _unwritable(path: Path, option: str, reason: str) -> UsageProblem:
    return UsageProblem(f"{option} {path}: {reason}", "Name a file in a folder that you can write to.")


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
