"""A guide as a script: its commands, with all else as comments. It stops at the first error and asks nothing of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtpctl.model.guide import Commands, Guide, Step
from smtpctl.render.canvas import fold, visible

_WIDTH = 100
_HEADS = {
    "powershell": ["$ErrorActionPreference = 'Stop'"],
    "sh": ["set -eu"],
}
_STOPS = {
    "powershell": "throw 'Fill in first, then remove this line: {names}'",
    "sh": "echo 'Fill in first, then remove this line: {names}' >&2; exit 1",
}
_MARK = "\ufeff"  # without it Windows PowerShell 5.1 reads another encoding, in which other characters are quotes


def guide_script(guide: Guide) -> str:
    """The text of the script, in the way's own shell. It must have one."""
    lines = ["#!/bin/sh"] if guide.shell == "sh" else []
    lines += _comment(f"{guide.name}: {guide.title}")
    lines += _comment(f"Made by: {guide.command} --script FILE", whole=True)
    lines += _comment("It stops at the first error. Commands of smtpctl are comments: run them where smtpctl is.")
    lines += ["", *_HEADS[guide.shell]]
    missing = [blank for blank in guide.blanks if f"<{blank.name}>" in _all_that_runs(guide)]
    if missing:
        lines += ["", *(line for blank in missing for line in _comment(f"<{blank.name}>: {blank.where}"))]
        lines.append(_STOPS[guide.shell].format(names=", ".join(f"<{blank.name}>" for blank in missing)))
    for number, step in enumerate(guide.steps, 1):
        lines += ["", *_step(number, step, guide.shell)]
    text = "\n".join(lines) + "\n"
    return text if text.isascii() or guide.shell != "powershell" else _MARK + text


def _step(number: int, step: Step, shell: str) -> Iterator[str]:
    yield from _comment(f"{number}. {step.title}")
    if step.place:
        yield from _comment(f"Where: {step.place}", "   ")
    if step.text:
        yield from _comment(step.text, "   ")
    yield from _run(step.commands, shell)
    if step.check:
        yield from _comment(f"Check: {step.check.shows}", "   ")
        yield from _run(step.check.commands, shell)


def _run(commands: Sequence[Commands], shell: str) -> Iterator[str]:
    for one in commands:
        for line in one.lines:
            yield from [line] if one.shell == shell else _comment(line, "     ", whole=True)


def _all_that_runs(guide: Guide) -> str:
    commands = [one for step in guide.steps for one in (*step.commands, *(step.check.commands if step.check else ()))]
    return "\n".join(line for one in commands if one.shell == guide.shell for line in one.lines)


def _comment(text: str, indent: str = "", *, whole: bool = False) -> Iterator[str]:
    """Lines of a comment; `whole` are commands, which keep their blanks. No line end in a name ends the comment."""
    lines = [visible(text)] if whole else fold(text, _WIDTH - len(indent) - 2)
    return (f"# {indent}{line}" for line in lines)
