"""What happens when smtpctl itself is wrong: an apology, and a file for the bug report.

The file holds where it broke, never what with: no local values, no command line beyond the command's name, and of
the error's text nothing that is quoted in it. No secret is in it, nor in the traceback that `SMTPCTL_DEBUG=1` shows:
neither what the environment calls one, nor any that this process has fetched.
"""

from __future__ import annotations

import gc
import os
import re
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path

from smtpctl import __version__
from smtpctl.cli import app, terminal
from smtpctl.model.redaction import Redactor
from smtpctl.model.secret import MASK, Secret

_QUOTED = re.compile(r"""(?s)b?(['"]).*?\1""")
_SECRET_NAME = re.compile(r"PASS|SECRET|TOKEN|KEY", re.IGNORECASE)


def apology(defect: Exception, arguments: list[str]) -> tuple[str, str]:
    """The sentence to show and what to do, after saving the report."""
    where = f"Please report it with the file {_save(defect, arguments)}"
    return (
        f"This is a defect in smtpctl, not in your set-up: {type(defect).__name__}. Sorry.",
        f"{where}, which holds no secrets.\n  To see the traceback: SMTPCTL_DEBUG=1 smtpctl ...",
    )


def report(defect: Exception, arguments: list[str], environ: Mapping[str, str]) -> str:
    """The text of the file: versions, the command's name, and the traceback without values."""
    command = next((word for word in arguments if word in app.COMMANDS), "")
    version = ".".join(map(str, sys.version_info[:3]))
    head = f"smtpctl {__version__}, Python {version}, {sys.platform}\ncommand: {command}\n\n"
    return head + _redactor(environ).text("".join(_frames(defect)))


def exposed(defect: Exception, environ: Mapping[str, str]) -> str:
    """The traceback as it is, with the error's whole text, but for secrets."""
    return _redactor(environ).text("".join(traceback.format_exception(defect)))


def _redactor(environ: Mapping[str, str]) -> Redactor:
    """Knows every secret there is: those of the environment, and those in memory, wherever they are held."""
    gc.unfreeze()  # what the start has put aside is looked at too
    fetched = [thing for thing in gc.get_objects() if isinstance(thing, Secret)]
    return Redactor([*fetched, *(Secret(value) for name, value in environ.items() if _SECRET_NAME.search(name))])


def _save(defect: Exception, arguments: list[str]) -> str:
    """Write the report where only the user can read it; the path, or that it could not be saved."""
    import platformdirs

    environ = terminal.environment()
    folder = Path(platformdirs.user_state_path("smtpctl", appauthor=False))
    path = folder / f"defect-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(report(defect, arguments, environ), encoding="utf-8")
    except OSError as error:
        return f"that could not be written to {folder} ({error.strerror})"
    return str(path)


def _frames(defect: BaseException) -> list[str]:
    lines = []
    cause = defect.__cause__ or (None if defect.__suppress_context__ else defect.__context__)
    if cause is not None:
        lines += [*_frames(cause), "\n... and then:\n\n"]
    lines += traceback.format_tb(defect.__traceback__)
    lines.append(f"{type(defect).__name__}: {_QUOTED.sub(MASK, str(defect))}\n")
    return lines
