"""A guide for people: what is still to be filled in, then the steps, each with its commands and its check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from smtpctl.model.guide import Blank, Commands, Guide, Step
from smtpctl.render.canvas import Canvas

_ENDINGS = {"powershell": "ps1", "sh": "sh"}  # of a script


def guide_text(canvas: Canvas, guide: Guide) -> str:
    """The whole guide."""
    return canvas.joined(list(_guide(canvas, guide)))


def topics_text(canvas: Canvas, topics: Sequence[dict[str, Any]]) -> str:
    """Every topic with its ways."""
    lines: list[str] = []
    for one in topics:
        lines += canvas.prose(one["summary"], "    ", first=f"{canvas.paint('title', one['topic'])}  ")
        room = max(len(way["name"]) for way in one["ways"])
        for way in one["ways"]:
            lines += canvas.prose(way["title"], " " * (room + 6), first=f"    {way['name']:<{room}}  ")
    return canvas.joined(lines)


def _guide(canvas: Canvas, guide: Guide) -> Iterator[str]:
    yield from canvas.prose(f"{guide.name}: {guide.title}", "  ", first="")
    yield from canvas.prose(guide.text, "  ")
    if guide.blanks:
        yield ""
        yield canvas.paint("title", "Still to be filled in")
        for blank in guide.blanks:
            yield from _blank(canvas, blank)
    for number, step in enumerate(guide.steps, 1):
        yield ""
        yield from _step(canvas, number, step)
    yield ""
    if guide.shell:
        line = canvas.text(f"{guide.command} --script setup.{_ENDINGS[guide.shell]}")
        yield f"As a script:  {canvas.paint('command', line)}"
    others = [name for name in guide.ways if name != guide.way]
    yield from canvas.prose(f"Other ways (--way): {', '.join(others)}.", "  ", first="")
    yield from canvas.prose(f"Sources: {'; '.join(guide.sources)}.", "  ", first="")


def _blank(canvas: Canvas, blank: Blank) -> Iterator[str]:
    name = canvas.paint("title", f"<{blank.name}>")
    yield f"  {name}{f'  {blank.option}' if blank.option else ''}"
    yield from canvas.prose(f"{blank.where}.".replace("..", "."), "      ")
    if blank.note:
        yield from canvas.prose(blank.note, "      ")


def _step(canvas: Canvas, number: int, step: Step) -> Iterator[str]:
    lead = f"{number:>2}. "
    head = list(canvas.prose(step.title, "    ", first=""))
    yield lead + canvas.paint("title", head[0].strip())
    yield from (canvas.paint("title", line) for line in head[1:])
    if step.place:
        yield from canvas.prose(step.place, "           ", first="    Where  ")
    if step.text:
        yield from canvas.prose(step.text, "    ")
    yield from _commands(canvas, step.commands)
    if step.check:
        if step.check.commands:
            yield ""
            yield "    Check"
            yield from _commands(canvas, step.check.commands, gap=False)
            yield from canvas.prose(step.check.shows, "           ", first="    Shows  ")
        else:
            yield from canvas.prose(step.check.shows, "           ", first="    Check  ")
    elif step.commands and step.wrong:
        yield ""
    for trouble in step.wrong:
        yield from canvas.prose(trouble.text, "           ", first="    If not ")
        yield f"           {canvas.paint('command', canvas.text(f'smtpctl explain {trouble.finding}'))}"


def _commands(canvas: Canvas, commands: Sequence[Commands], *, gap: bool = True) -> Iterator[str]:
    """Lines are never wrapped: they are there to be copied."""
    for one in commands:
        if gap:
            yield ""
        for line in one.lines:
            yield f"      {canvas.paint('command', canvas.text(line))}"
