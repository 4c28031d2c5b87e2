"""What is found in a configuration file: the corpus says what and where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.config import store
from smtpctl.config.edits import dump, key
from smtpctl.config.fields import FIELDS
from smtpctl.config.resolve import resolve
from smtpctl.config.review import review
from smtpctl.config.store import Document
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding, Severity

CORPUS = Path(__file__).parents[2] / "corpus" / "configs"
MARK = re.compile(rb"# <- ([\w. ]+)")


def expected(octets: bytes) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for number, line in enumerate(octets.split(b"\n"), 1):
        for mark in MARK.finditer(line):
            found += [(number, id_) for id_ in mark[1].decode().split()]
    return found


def findings(path: Path, octets: bytes) -> tuple[Finding, ...]:
    try:
        return review(Document(path, store.decode(octets, str(path))))
    except Problem as problem:
        return (problem.finding,)


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_corpus(path: Path) -> None:
    octets = path.read_bytes()
    found = findings(path, octets)
    assert [(f.location.line, f.id) for f in found if f.location] == expected(octets)
    assert all(f.location and f.location.path == str(path) for f in found)
    assert "canary" not in repr(found)


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_finding_says_what_to_do(path: Path) -> None:
    for finding in findings(path, path.read_bytes()):
        assert finding.title and "\n" not in finding.title
        if finding.id not in ("config.invalid_value", "config.version"):
            assert finding.causes[0].remedies[0].text


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.toml")), ids=lambda path: path.stem)
def test_resolving_a_profile_says_the_same(path: Path) -> None:
    """A report that has both names a fault once."""
    try:
        document = Document(path, store.decode(path.read_bytes(), str(path)))
    except Problem:
        return
    for name in document.profiles:
        found = None
        try:
            resolve(name, {}, {}, document=document, need_host=False)
        except Problem as problem:
            found = problem.finding
        assert found is None or found in review(document)


def suggestions() -> Iterator[tuple[str, str]]:
    yield "[profiles.office]\nhots = 1", 'Did you mean "host"?'
    yield "[profiles.office]\nHOST = 1", 'Did you mean "host"?'
    yield "[globl]", 'Did you mean "global"?'
    yield "[global]\nbatchsize = 1", 'Did you mean "batch_size"?'
    yield "[sites.s]\nemail_enabled = true", 'Did you mean "emails_enabled"?'
    yield "[oauth.m]\ntenantid = 1", 'Did you mean "tenant_id"?'


@pytest.mark.parametrize(("text", "words"), list(suggestions()))
def test_an_unknown_key_has_a_suggestion(text: str, words: str) -> None:
    (found,) = review(Document(Path("c"), text))
    assert words in found.title and found.severity is Severity.WARNING


def test_a_name_in_a_command_is_as_a_shell_reads_it() -> None:
    (found,) = review(Document(Path("c"), '[profiles."b\u00fcro"]\nhost = "h:25"\nport = 26'))
    assert found.causes[0].remedies[0].commands == ("smtpctl profile set 'b\u00fcro' port=25",)


TABLES = st.fixed_dictionaries(
    {},
    optional={
        field.name: st.one_of(
            st.text(max_size=5), st.integers(), st.booleans(), st.lists(st.text(max_size=3), max_size=2)
        )
        for field in FIELDS
    },
)


@given(profiles=st.dictionaries(st.from_regex(r"\w[\w.@+-]{0,3}", fullmatch=True), TABLES, max_size=3))
def test_any_file_is_reviewed(profiles: dict[str, dict[str, object]]) -> None:
    lines = []
    for name, table in profiles.items():
        lines.append(f"[profiles.{key(name)}]")
        lines += [f"{key(setting)} = {dump(value)}" for setting, value in table.items()]
    for finding in review(Document(Path("c"), "\n".join(lines))):
        assert finding.location and lines[finding.location.line - 1]
