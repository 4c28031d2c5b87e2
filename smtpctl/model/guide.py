"""A guide: what an administrator does, in order, with the user's own values filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smtpctl.model.record import NamedTuple


class Commands(NamedTuple):
    """Lines for one shell, ready to be pasted: `powershell`, `sh`, or `smtpctl` for lines of our own."""

    shell: str
    lines: tuple[str, ...]


class Check(NamedTuple):
    """How it is seen that a step worked: what to run (maybe nothing), and what is seen then."""

    shows: str
    commands: tuple[Commands, ...] = ()


class Trouble(NamedTuple):
    """What goes wrong at a step, and the id of the finding that tells it."""

    text: str
    finding: str


class Step(NamedTuple):
    """One thing to do. `place` is where to click, empty where there is nothing to."""

    title: str
    text: str = ""
    place: str = ""
    commands: tuple[Commands, ...] = ()
    check: Check | None = None
    wrong: tuple[Trouble, ...] = ()


class Blank(NamedTuple):
    """A value that is not known: it stands as `<NAME>` in the steps. `option` gives it, empty where none does; `note` is
    why what the configuration says was not taken."""

    name: str
    where: str
    option: str = ""
    note: str = ""


class Guide(NamedTuple):
    """One way through a topic. `shell` is the language of its script, empty where there is nothing to run; `command` is
    what prints this guide again; `ways` are all there are, title by name; `values` those that were filled in."""

    topic: str
    name: str
    way: str
    title: str
    text: str
    shell: str
    command: str
    steps: tuple[Step, ...]
    blanks: tuple[Blank, ...]
    values: Mapping[str, str]
    ways: Mapping[str, str]
    sources: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The guide as JSON values."""
        return {
            "topic": self.topic,
            "name": self.name,
            "way": self.way,
            "title": self.title,
            "text": self.text,
            "shell": self.shell,
            "values": dict(self.values),
            "missing": [blank._asdict() for blank in self.blanks],
            "steps": [_step(step) for step in self.steps],
            "ways": [{"name": name, "title": title} for name, title in self.ways.items()],
            "sources": list(self.sources),
        }


def _step(step: Step) -> dict[str, Any]:
    check = {"shows": step.check.shows, "commands": _commands(step.check.commands)} if step.check else None
    return {
        "title": step.title,
        "text": step.text,
        "place": step.place,
        "commands": _commands(step.commands),
        "check": check,
        "wrong": [trouble._asdict() for trouble in step.wrong],
    }


def _commands(commands: tuple[Commands, ...]) -> list[dict[str, Any]]:
    return [{"shell": one.shell, "lines": list(one.lines)} for one in commands]
