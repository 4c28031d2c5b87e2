"""Runs a command line and turns whatever comes out of it into words and an exit status."""

from __future__ import annotations

import os
import sys
from typing import Any

import typer

from smtpctl.cli import app
from smtpctl.cli.options import Invocation
from smtpctl.model.errors import Problem, UsageProblem
from smtpctl.model.report import ExitStatus

# The parser's own usage errors; typer exports only this subclass of them.
_USAGE_ERROR: Any = typer.BadParameter.__mro__[1]


def run(arguments: list[str]) -> int:
    """The exit status of one command line (without the program's name)."""
    try:
        return _dispatch(arguments)
    except typer.Exit as end:
        return end.exit_code
    except UsageProblem as problem:
        _complain(problem.message, problem.hint)
        return ExitStatus.USAGE
    except _USAGE_ERROR as error:
        _complain(*_usage_words(error))
        return ExitStatus.USAGE
    except Problem as problem:
        _complain(f"{problem.finding.id}: {problem.finding.title}", problem.finding.message)
        return problem.status
    except (KeyboardInterrupt, typer.Abort):
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output is gone; keep the interpreter's last flush from complaining about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.IO


def _dispatch(arguments: list[str]) -> int:
    program = app.program()
    with program.make_context("smtpctl", list(arguments), obj=Invocation()) as context:
        result = program.invoke(context)
    sys.stdout.flush()
    return int(result or 0)


def _usage_words(error: Any) -> tuple[str, str]:
    """What was wrong and where to read on."""
    message = error.format_message()
    if error.ctx is None:
        return message, ""
    return message, f"See: {error.ctx.command_path} --help"


def _complain(message: str, hint: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    if hint:
        print(f"  {hint}", file=sys.stderr)
