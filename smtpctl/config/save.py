"""Changes to the configuration file.

Rules: a change is made under a lock, to the text as it is then, and put in place by rename, so that readers and a
crash see the old file or the new one and concurrent writers lose nothing; a broken file is never rewritten. A
symbolic link is followed and stays. Files are 0600 in folders 0700.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from smtpctl.config import edits
from smtpctl.config.problems import finding, problem
from smtpctl.config.store import VERSION, Document, decode, octets_of

LOCK_SECONDS = 10.0
_CREATE_ERRORS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)


def edit(path: Path, change: Callable[[Document], Sequence[edits.Edit]]) -> Document:
    """Change the file under its lock; returns the document as it is then.

    `change` gets the document as it is on the disk now and says what to edit; nothing is written when it raises or
    gives nothing. A file that is not there is made. Raises Problem as `read` does, and `config.not_writable`,
    `config.write_failed`, `config.locked` or `config.cannot_edit`.
    """
    target = Path(os.path.realpath(path))
    with _translated(path):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(target):
            before = _now(path)
            wanted = list(change(before))
            text = before.text or f"version = {VERSION}\n"
            try:
                after = edits.apply(text, wanted)
            except edits.CannotEditError as error:
                title = f"{path} cannot be changed without side effects ({error})"
                fix = "It is written in an unusual way there; change it by hand. Nothing was written."
                raise problem(finding("config.cannot_edit", title, fix=fix)) from None
            if wanted and after != before.text:
                for stale in target.parent.glob(
                    f".{target.name}.*.tmp"
                ):  # of a writer that was killed: we hold the lock
                    stale.unlink(missing_ok=True)
                replace(target, after)
            return Document(path, after)


def _now(path: Path) -> Document:
    try:
        octets, _ = octets_of(path)
    except FileNotFoundError:
        return Document(path, exists=False)
    return Document(path, decode(octets, str(path)))


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """One writer at a time. The lock file stays: taking it away would let two writers hold two locks."""
    import filelock

    lock = filelock.FileLock(target.with_name(f".{target.name}.lock"), timeout=LOCK_SECONDS, mode=0o600)
    try:
        lock.acquire()
    except filelock.Timeout:
        title = f"Another smtpctl has been changing {target} for {LOCK_SECONDS:g} seconds"
        raise problem(finding("config.locked", title, fix="Try again, or end the other one.")) from None
    try:
        yield
    finally:
        lock.release()


def replace(target: Path, text: str) -> None:
    """Put `text` in place of the target at once: a file beside it, 0600, written out, renamed. OSError."""
    if target.exists() and not target.is_file():
        raise OSError(errno.EISDIR, "it is not a regular file", str(target))
    with beside(target) as file:
        _keep_owner(file.fileno(), target)
        file.write(text.encode())


@contextmanager
def beside(target: Path) -> Iterator[BinaryIO]:
    """A file beside the target, readable by its owner only, that is put in its place, whole, when nothing went wrong.
    OSError."""
    import tempfile

    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    number, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)  # 0600
    try:
        with os.fdopen(number, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _keep_owner(number: int, target: Path) -> None:
    """Root editing a user's file leaves it the user's."""
    if os.name == "posix" and os.geteuid() == 0 and target.exists():
        status = target.stat()
        os.fchown(number, status.st_uid, status.st_gid)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """The operating system's errors as Problems: what cannot be made is 73, what fails on the way is 74."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _CREATE_ERRORS:
            fix = "Check the folder and its rights, or name another file with --config."
            raise problem(finding("config.not_writable", f"{path} cannot be written: {reason}", fix=fix)) from None
        fix = "The old file is as it was. Make room, or look after the disk."
        raise problem(finding("config.write_failed", f"Writing {path} failed: {reason}", fix=fix)) from None
