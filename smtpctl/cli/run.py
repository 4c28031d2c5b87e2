"""Runs a command line and turns whatever comes out of it into words and an exit status.

A foreseen failure is rendered in the format asked for. Anything else is a defect: a short apology and where its
redacted traceback was saved. `SMTPCTL_DEBUG=1` shows the traceback.
"""

from __future__ import annotations

import errno
import gc
from typing import TYPE_CHECKING

from smtpctl.cli import quick, terminal
from smtpctl.cli.command import NoCommandError
from smtpctl.model.errors import Problem, UsageProblem
from smtpctl.model.report import ExitStatus, Status
from smtpctl.render import failed_status

if TYPE_CHECKING:
    from smtpctl.cli.command import Call

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # without a file name: stdout


def run(arguments: list[str]) -> int:
    """The exit status of one command line (without the program's name)."""
    terminal.prepare_streams()
    try:
        call = quick.read(arguments) or _judged(arguments)
        status = _carry_out(call) if call else ExitStatus.OK
        terminal.flush()
        return status
    except NoCommandError as empty:
        terminal.page(empty.page)
        return _stopped(ExitStatus.USAGE, arguments, "no command")
    except UsageProblem as problem:
        terminal.complain(problem.message, problem.hint)
        return _stopped(ExitStatus.USAGE, arguments, problem.message)
    except KeyboardInterrupt:
        terminal.complain("interrupted", mark="")
        return _stopped(ExitStatus.INTERRUPTED, arguments, "interrupted")
    except Exception as error:
        return _stopped(_unforeseen(error, arguments), arguments, "a defect in smtpctl")


def _stopped(status: ExitStatus, arguments: list[str], reason: str) -> int:
    """The exit status of a run that said on stderr why it stopped; a monitor reads only stdout, and knows no other
    numbers than its own."""
    if status is not ExitStatus.IO and terminal.monitored(arguments):
        from smtpctl.render import to_nagios

        terminal.write(to_nagios.usage(reason))
        return to_nagios.failed(status)
    return int(_styled(status, terminal.asked(arguments, "--exit-style")))


def _styled(status: Status, style: str | None) -> Status:
    """The exit status of a run without a report, as `--exit-style` has it."""
    if style != "swaks":
        return status
    from smtpctl.model import swaks

    return swaks.of_status(status)


def _judged(arguments: list[str]) -> Call | None:
    """The call, read by typer; None where a help page was printed. UsageProblem, NoCommandError."""
    from smtpctl.cli import group

    return group.read(arguments)


def _carry_out(call: Call) -> int:
    """Do what the command line asks for; the exit status."""
    shown = terminal.build(call.shared, call.verb.formats)
    gc.freeze()  # what the start made stays to the end; no collection needs to look at it
    gc.enable()
    try:
        return int(call.verb.function(shown, **call.values) or ExitStatus.OK)
    except Problem as problem:
        problem.status = _styled(problem.status, call.values.get("exit_style"))
        shown.problem(problem, f"{call.command}/1")
        return failed_status(shown.format, problem.status)


def _unforeseen(error: Exception, arguments: list[str]) -> ExitStatus:
    """Output that nobody takes, else a defect."""
    if isinstance(error, BrokenPipeError):
        terminal.abandon_stdout()
        return ExitStatus.IO
    if isinstance(error, OSError) and error.errno in _NO_ROOM and error.filename is None:
        terminal.abandon_stdout()
        terminal.complain(f"the output cannot be written: {error.strerror}")
        return ExitStatus.IO
    from smtpctl.cli import defects

    if terminal.debugging():
        terminal.page(defects.exposed(error, terminal.environment()))
        return ExitStatus.BUG
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
