"""What a command takes, read from its function."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from smtpctl.cli.command import Verb
from smtpctl.cli.options import TEXT, TEXT_JSON, Argument, Option, Overrides
from smtpctl.cli.parameters import SHARED, called, parameters, spellings
from smtpctl.cli.terminal import Terminal

NAME = Argument("NAME", "A name.")
FILE = Option("--file -f", "A file.", "FILE")
LEVEL = Option("--level", "A level.")
SURE = Option("--sure/--unsure", "Whether.")
COUNT = Option("--count", "How many.", "N")


def command(
    terminal: Terminal,
    name: Annotated[str, NAME],
    overrides: Overrides,
    files: Annotated[list[Path] | None, FILE] = None,
    level: Annotated[Literal["low", "high"] | None, LEVEL] = None,
    sure: Annotated[bool, SURE] = False,
    count: Annotated[int, COUNT] = 3,
) -> None:
    """Do it."""


TAKEN = {parameter.key: parameter for parameter in parameters(Verb(command, TEXT_JSON))}


def test_types_are_read_from_annotations() -> None:
    kinds = {key: (one.type, one.several, one.choices, one.default, one.required) for key, one in TAKEN.items()}
    assert kinds["name"] == (str, False, (), None, True)
    assert kinds["files"] == (Path, True, (), None, False)
    assert kinds["level"] == (str, False, ("low", "high"), None, False)
    assert kinds["sure"] == (bool, False, (), False, False)
    assert kinds["count"] == (int, False, (), 3, False)


def test_settings_and_what_every_command_has_come_behind() -> None:
    holders = [one.holder for one in TAKEN.values()]
    assert holders == sorted(holders, key=["", "overrides", SHARED].index)
    assert TAKEN["overrides__pin"].several
    assert TAKEN["shared__format"].choices == TEXT_JSON


def test_a_command_that_writes_text_alone_has_no_json() -> None:
    taken = {parameter.key: parameter.says for parameter in parameters(Verb(command, TEXT))}
    assert "shared__json" not in taken
    shown = taken["shared__format"]
    assert isinstance(shown, Option)
    assert shown.hidden


def test_spellings_affirm_or_deny() -> None:
    assert list(spellings(FILE)) == [("--file", True), ("-f", True)]
    assert list(spellings(SURE)) == [("--sure", True), ("--unsure", False)]
    assert list(spellings(NAME)) == []


def test_values_go_where_they_belong() -> None:
    values = {"name": "x", "overrides__ca_file": Path("ca.pem"), "overrides__lmtp": False, "shared__json": True}
    call = called("it", Verb(command), TAKEN.values(), values, {"site": "a", "format": "text"})
    assert call.shared == {"site": "a", "format": "json"}
    assert call.values == {
        "name": "x", "files": None, "level": None, "sure": False, "count": 3,
        "overrides": {"ca_file": "ca.pem", "lmtp": False},
    }  # fmt: skip
