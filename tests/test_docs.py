"""What the documents by hand say is there: commands, files, dependencies."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from harness import ROOT
from smtpctl.cli.app import COMMANDS

DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", *(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))]
# Names that stand for something, or are made by a run.
PLACEHOLDER = re.compile(r"[A-Z]{3,}|\*|^build/|^\.venv/|^mails/")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_exist(document: str) -> None:
    blocks = "\n".join(re.findall(r"```\n(.*?)```", read(document), re.DOTALL))
    words = re.findall(r"(?:^|[|&$/] ?)smtpctl ([a-z][a-z-]*)", blocks, re.MULTILINE)
    assert set(words) <= set(COMMANDS)


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
