"""Two readers of command lines, one understanding: what the quick one reads, typer reads the same."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smtpctl.cli import app, group, help_page, quick
from smtpctl.cli.command import Noun, Verb
from smtpctl.cli.options import SESSIONS, Argument
from smtpctl.cli.parameters import Parameter, parameters, shared, spellings


def _verbs() -> Iterator[tuple[tuple[str, ...], Verb]]:
    for name in app.COMMANDS:
        command = app.load(name)
        if isinstance(command, Noun):
            yield from (((name, part), verb) for part, verb in command.verbs.items())
        else:
            yield (name,), command


VERBS = dict(_verbs())
EXAMPLES = [
    line.partition("|")[2].strip() if line.startswith(("$ pass", "$ ssh", "$ journalctl")) else line[2:]
    for verb in VERBS.values()
    for line in help_page.split_help(verb.function.__doc__ or "")[1]
]
WORDS = st.sampled_from(
    ["", "-", "--", "x", "office", "a b", "-x", "-q", "-qv", "-vvq", "-yq", "--help", "--json", "--json=1", "--nothing", "--=",
     "--format=json", "--format", "text", "check", "list", "profile", "25", "0x19", "1_0", " 7", "-1", "./ca.pem", "é", "="]
) | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=5)  # fmt: skip


def _values(parameter: Parameter) -> st.SearchStrategy[str]:
    return WORDS | st.sampled_from(parameter.choices or ("office",)) | st.sampled_from(("25", "x=y", "./a/../b"))


@st.composite
def _given(draw: st.DrawFn, taken: Sequence[Parameter]) -> list[str]:
    """One option or argument of a command, mostly as it should be."""
    parameter = draw(st.sampled_from(taken))
    value = draw(_values(parameter))
    if isinstance(parameter.says, Argument):
        return [value]
    flag = draw(st.sampled_from([flag for flag, _ in spellings(parameter.says)]))
    if parameter.type is bool or parameter.counted:
        return [flag]
    return draw(st.sampled_from([[flag, value], [f"{flag}={value}"], [flag]]))


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """Command lines, right and wrong ones."""
    path = draw(st.sampled_from(sorted(VERBS)))
    everywhere, own = tuple(shared(SESSIONS)), parameters(VERBS[path])
    words: list[str] = []
    for part in path:
        for some in draw(st.lists(_given(everywhere), max_size=2)):
            words += some
        words.append(part)
    for some in draw(st.lists(_given(own) | WORDS.map(lambda word: [word]), max_size=6)):
        words += some
    return words


@settings(max_examples=300, deadline=None)
@given(lines() | st.lists(WORDS, max_size=5))
@example(["check", "--", "--json"])
@example(["-v", "profile", "-vv", "list"])
@example(["--json", "profile", "--format", "text", "list", "--json"])
@example(["check", "--lmtp", "--no-lmtp", "--to", "--cc", "a", "-", ""])
@example(["profile", "set", "office", "port=587", "--json", "tls=starttls"])
@example(["sink", "--port=0", "--user", "ann", "--user=bob=env:X", "--tls-dir", "./x"])
def test_what_is_read_quickly_is_what_typer_reads(words: list[str]) -> None:
    call = quick.read(words)
    if call is not None:
        assert call == group.read(words)


@pytest.mark.parametrize("line", EXAMPLES)
def test_the_examples_of_the_help_pages_are_read_quickly(line: str) -> None:
    _, *words = shlex.split(line.partition(" > ")[0].partition(" >> ")[0])
    call = quick.read(words)
    assert call is not None
    assert call == group.read(words)


@pytest.mark.parametrize(
    "words",
    [
        [], ["--json"], ["chek"], ["--", "check"], ["profile"], ["profile", "lst"], ["check", "--help"], ["check", "--hos", "x"],
        ["check", "--host"], ["check", "--json=1"], ["check", "--tls", "ssl"], ["sink", "--port", "x"], ["check", "-x"],
        ["profile", "rename", "a"], ["profile", "rename", "a", "b", "c"], ["preset", "show"],
        ["demo", "--json"], ["check", "-qx"], ["profile", "export"],
    ],
)  # fmt: skip
def test_what_is_wrong_or_asks_for_help_is_left_to_typer(words: list[str]) -> None:
    assert quick.read(words) is None


def test_only_the_last_argument_takes_several() -> None:
    for verb in VERBS.values():
        arguments: list[Any] = [one for one in parameters(verb) if isinstance(one.says, Argument)]
        assert not any(one.several for one in arguments[:-1])
