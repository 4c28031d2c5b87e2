"""Files that a user asks for by name."""

from __future__ import annotations

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
