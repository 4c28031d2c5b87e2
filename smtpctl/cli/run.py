"""Runs a command line and turns whatever comes out of it into words and an exit status.

A foreseen failure is rendered in the format asked for. Anything else is a defect: a short apology and where its
redacted traceback was saved. `SMTPCTL_DEBUG=1` lets a defect through as a traceback.
"""

from __future__ import annotations

import errno
import re
from typing import Any

import typer

from smtpctl.cli import app, terminal
from smtpctl.cli.group import NoCommandError
from smtpctl.cli.options import FINDINGS, Invocation
from smtpctl.model.errors import Problem, UsageProblem
from smtpctl.model.report import ExitStatus

# The parser's own usage errors; typer exports only this subclass of them.
_UsageError: Any = typer.BadParameter.__mro__[1]
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # without a file name: stdout
# Options that people look for and that do not exist, with what there is instead.
_SECRET_OPTION = re.compile(r"-p$|--.*(pass|secret|token)")
_SECRET_HINT = (
    "Secrets are never given on the command line, where everybody can read them. Use --password-stdin, "
    "--password-file FILE, --password-env NAME, --password-command COMMAND, $SMTPCTL_PASSWORD or: smtpctl secret set"
)


def run(arguments: list[str]) -> int:
    """The exit status of one command line (without the program's name)."""
    terminal.prepare_streams()
    invocation = Invocation()
    try:
        status = _dispatch(arguments, invocation)
        terminal.flush()
    except typer.Exit as end:
        status = end.exit_code
    except NoCommandError as empty:
        terminal.page(empty.page)
        status = ExitStatus.USAGE
    except UsageProblem as problem:
        terminal.complain(problem.message, problem.hint)
        status = ExitStatus.USAGE
    except _UsageError as error:
        terminal.complain(*_usage_words(error))
        status = ExitStatus.USAGE
    except (KeyboardInterrupt, typer.Abort):
        terminal.complain("interrupted", mark="")
        status = ExitStatus.INTERRUPTED
    except Exception as error:
        status = _unforeseen(error, arguments)
    return int(status)


def _unforeseen(error: Exception, arguments: list[str]) -> ExitStatus:
    """Output that nobody takes, else a defect."""
    if isinstance(error, BrokenPipeError):
        terminal.abandon_stdout()
        return ExitStatus.IO
    if isinstance(error, OSError) and error.errno in _NO_ROOM and error.filename is None:
        terminal.abandon_stdout()
        terminal.complain(f"the output cannot be written: {error.strerror}")
        return ExitStatus.IO
    if terminal.debugging():
        raise error
    from smtpctl.cli import defects

    terminal.complain(*defects.apology(error, arguments), mark="")
    return ExitStatus.BUG


def complete(words: list[str]) -> int:
    """Answer a shell that completes a command line; silence where that fails."""
    from smtpctl.cli.complete import answer

    try:
        terminal.write(f"{answer(words)}\n")
    except Exception:
        if terminal.debugging():
            raise
        return ExitStatus.BUG
    return ExitStatus.OK


def _dispatch(arguments: list[str], invocation: Invocation) -> int:
    program = app.program()
    try:
        with program.make_context(app.NAME, list(arguments), obj=invocation) as context:
            return int(program.invoke(context) or ExitStatus.OK)
    except Problem as problem:
        shown = invocation.terminal or terminal.build({}, FINDINGS)
        shown.problem(problem, f"{invocation.command or 'problem'}/1")
        return problem.status


def _usage_words(error: Any) -> tuple[str, str]:
    """What was wrong, and what to do about it."""
    message = " ".join(error.format_message().split())
    option = getattr(error, "option_name", None)
    if option and "possibilities" in vars(error):
        message = f"No such option: {option}."
        if _SECRET_OPTION.match(option):
            return message, _SECRET_HINT
        if error.possibilities:
            message += f" Did you mean {error.possibilities[0]}?"  # the nearest one comes first
    return message, f"See: {error.ctx.command_path} --help" if error.ctx else ""
