"""What the documents by hand say is there: commands, files, dependencies; and what they show is what comes out.

A block whose first line is `$ smtpctl ...` shows output: the line is run, and the block's lines must be among its
output in this order, up to times, ports and names that each run makes anew; `...` stands for lines left out.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import ROOT, Runner
from smtpctl.cli import app
from smtpctl.cli.command import Noun
from smtpctl.cli.group import read as read_command
from smtpctl.config.fields import Group
from smtpctl.knowledge.families import FAMILIES

FOLDERS = ("docs", "docs/explanation")
DOCUMENTS = [
    *("README.md", "CONTRIBUTING.md", "SECURITY.md"),
    *(f"{folder}/{path.name}" for folder in FOLDERS for path in sorted(ROOT.glob(f"{folder}/*.md"))),
]
# Names that stand for something, or are made by a run.
PLACEHOLDER = re.compile(r"[A-Z]{3,}|\*|^build/|^\.venv/|^mails/")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[str]:
    """The code blocks, those in lists too."""
    return [block for _, block in re.findall(r"^( *)```\w*\n(.*?)^\1```", text, re.DOTALL | re.MULTILINE)]


def command_lines(text: str) -> Iterator[str]:
    """Every use of smtpctl in a block or between backticks, without what the shell does around it."""
    inline = re.findall(r"`((?:[\w ]+\| )?smtpctl [a-z][^`\n]*)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    shown = [block.splitlines()[0] if block.lstrip().startswith("$ ") else block for block in blocks(text)]
    for line in "\n".join([*shown, *inline]).replace("\\\n", " ").splitlines():
        if found := re.search(r"(?:^|[|&$/(;] ?|\) |=\S+ |-C )smtpctl ([a-z-].*)", line.strip()):
            yield found[1]


def words(line: str) -> list[str]:
    """The arguments, up to a comment, a pipe or the like."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|<>;&")
    lexer.whitespace_split, lexer.commenters = True, "#"
    taken: list[str] = []
    for word in lexer:
        if re.fullmatch(r"[|<>;&]+", word):
            break
        taken.append(word)
    return taken


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_are_understood(document: str) -> None:
    for line in command_lines(read(document)):
        assert read_command(words(line)), line


def test_enough_is_found_to_mean_something() -> None:
    assert len(list(command_lines(read("README.md")))) >= 12
    assert len(list(command_lines(read("docs/tutorial.md")))) >= 20


def test_commands_in_messages_exist() -> None:
    """What hints in the code tell to run; those of findings are in test_knowledge.py."""
    known = {name: app.load(name) for name in app.COMMANDS}
    offered = re.compile(r"(?:\b(?:See|Use|First|Next|Try|it|one): |`|f?[\"'])smtpctl ([a-z]+(?:-[a-z]+)?) ([a-z-]+)?")
    for folder in ("cli", "config", "ops", "render"):
        for path in (ROOT / "smtpctl" / folder).rglob("*.py"):
            for name, verb in offered.findall(path.read_text("utf-8")):
                command = known.get(name)
                assert command, f"{path.name}: smtpctl {name}"
                assert not isinstance(command, Noun) or verb in command.verbs, f"{path.name}: smtpctl {name} {verb}"


def test_examples_in_help_are_understood() -> None:
    loaded = [app.load(name) for name in app.COMMANDS]
    verbs = [verb for one in loaded for verb in (one.verbs.values() if isinstance(one, Noun) else [one])]
    pages = [app.HELP, *(verb.function.__doc__ or "" for verb in verbs)]
    examples = [line for page in pages for line in re.findall(r"^ *\$ (.*)$", page, re.MULTILINE)]
    assert len(examples) > 60
    for example in examples:
        assert read_command(words(example.partition("smtpctl ")[2])), example


def test_everything_is_mentioned() -> None:
    """Somebody who reads the documents by hand and the reference has met every command, group of options and family."""
    by_hand = "\n".join(map(read, DOCUMENTS))
    assert not [name for name in app.COMMANDS if not re.search(rf"\b{name}\b", by_hand)]
    reference = "\n".join(path.read_text("utf-8") for path in (ROOT / "docs" / "reference").glob("*.md"))
    assert not [group.value for group in Group if group.value not in reference]
    assert not [family for family in FAMILIES if f"## {family}." not in reference]


def samples() -> list[tuple[str, str]]:
    return [
        (document, block)
        for document in DOCUMENTS
        for block in blocks(read(document))
        if block.startswith("$ smtpctl ")
    ]


def general(text: str) -> list[str]:
    """The lines without what differs from run to run."""
    text = re.sub(r" +(?:<1|[\d.]+) m?s$", " TIME", text, flags=re.MULTILINE)
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    text = re.sub(r"queued as \w+|\d+ ms, \d+ round", "MADE", text)
    return [line.rstrip() for line in text.splitlines()]


@pytest.mark.parametrize(("document", "block"), samples(), ids=[f"{d}: {b.splitlines()[0]}" for d, b in samples()])
def test_output_is_what_comes_out(document: str, block: str, smtpctl_run: Runner) -> None:
    command, *shown = block.splitlines()
    run = smtpctl_run(*words(command.removeprefix("$ smtpctl ")))
    printed = general(run.stdout)
    at, gap = 0, False
    for line in general("\n".join(shown)):
        if line == "...":
            gap = True
            continue
        assert line in printed[at:], f"{line!r} is not printed (any more)"
        found = printed.index(line, at)
        assert gap or found == at, f"{printed[at]!r} is left out"
        at, gap = found + 1, False
    assert gap or not any(printed[at:])


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != "docs/architecture.md"])
def test_files_exist(document: str) -> None:
    quoted = re.findall(r"`([\w./-]+/[\w./-]*)`", read(document))
    places = [ROOT, ROOT / "smtpctl", ROOT / "tests", ROOT / "tests/support/bed"]
    missing = [
        path
        for path in quoted
        if not PLACEHOLDER.search(path) and not path.startswith("/") and not any((at / path).exists() for at in places)
    ]
    assert not missing


def test_every_dependency_has_a_line() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    lines = [line for extra in project["optional-dependencies"].values() for line in extra]
    packages = {re.split(r"[<>=\[]", line)[0] for line in [*project["dependencies"], *lines]} - {"smtpctl"}
    named = set(re.findall(r"^\|(?: `\w+` \|)? ([\w-]+)", read("docs/dependencies.md"), re.MULTILINE))
    assert not packages - named


def test_the_licence_stands_where_the_package_says() -> None:
    assert Path(ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
