"""Keeps the knowledge from rotting: every id has a whole page, every sample leads home, no expression can run away."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smtpctl.cli.group import read
from smtpctl.knowledge import families
from smtpctl.knowledge.catalogue import GENERIC, UNDATED, Said, load
from smtpctl.knowledge.dated import DATED
from smtpctl.knowledge.families import Entry
from smtpctl.knowledge.match import Context, match, page, shared, stage_of
from smtpctl.knowledge.ranking import condition
from smtpctl.model.errors import UsageProblem
from smtpctl.model.finding import Cause, Remedy
from smtpctl.ops import explain

ROOT = Path(__file__).parent.parent
CATALOGUE = load()
ENTRIES = tuple(families.all_entries())
SAID = tuple(CATALOGUE.entries.values())
DATE = re.compile(rf"20\d\d-(0[1-9]|1[0-2])(-[0-3]\d)?|{UNDATED}")
_parser: Any = importlib.import_module("re._parser")
_NOT_IDS = (
    "oauth.tenant",
    "oauth.client_",
    "oauth.scope",
    "oauth.token_endpoint",
    "smtp.office365.",
    "smtp.partner.",
    "smtp.zengenti.",
    "smtp.example.",
    "config.toml",
)  # hosts, files and settings look like ids


def named(values: tuple[Any, ...]) -> Any:
    return pytest.mark.parametrize("entry", values, ids=lambda entry: entry.id)


def home(said: Said) -> Context:
    """The context that an entry says it belongs to."""
    provider = CATALOGUE.providers[said.prefix].provider
    return Context(
        stage=stage_of(said),
        provider="" if said.prefix == GENERIC else provider,
        mechanism=next(iter(said.mechanisms), ""),
        grant=next(iter(said.grants), ""),
        port=next(iter(said.ports), 0),
        challenge=next(iter(said.challenge_status), ""),
        facts=frozenset(said.facts[:1]),
    )


def test_ids_are_unique_over_families_and_replies() -> None:
    names = [entry.id for entry in ENTRIES] + list(CATALOGUE.entries)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("module", sorted(set(families.FAMILIES.values())))
def test_no_family_declares_an_id_twice(module: str) -> None:
    assert len(importlib.import_module(f"smtpctl.knowledge.{module}").ENTRIES) == len(families.family(module))


def test_as_many_replies_are_known_as_ever() -> None:
    """Ids are for ever: this number only grows."""
    assert len(SAID) >= 413


@named(ENTRIES)
def test_an_entry_of_a_family_is_whole(entry: Entry) -> None:
    assert families.entry(entry.id) is entry
    assert re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", entry.id)
    assert entry.title
    assert not entry.title.endswith(".")
    assert entry.message
    assert entry.source
    assert entry.causes
    for cause in entry.causes:
        assert 0 < cause.likelihood <= 1
        assert cause.text
        assert cause.remedies
        assert all(remedy.text for remedy in cause.remedies)


@named(ENTRIES)
def test_a_page_is_readable_without_values(entry: Entry) -> None:
    finding = entry.finding()
    words = f"{finding.title} {finding.message}"
    assert "{" not in words
    assert "[" not in words


@named(ENTRIES)
def test_the_causes_stand_most_likely_first(entry: Entry) -> None:
    ranks = [cause.likelihood for cause in entry.causes]
    assert ranks == sorted(ranks, reverse=True)


@named(ENTRIES)
def test_what_an_entry_points_at_exists(entry: Entry) -> None:
    assert set(entry.knowledge) <= set(CATALOGUE.entries)


def test_every_id_has_a_page() -> None:
    for name in explain.ids():
        page = explain.by_id(name)
        assert page is not None
        assert page.finding.id == name


@named(SAID)
def test_a_reply_is_whole(entry: Said) -> None:
    assert re.fullmatch(r"[a-z0-9]+\.[a-z0-9-]+", entry.id)
    assert not entry.id.split(".")[1].startswith(f"{entry.prefix}-"), "the provider stands before the dot already"
    assert entry.title
    assert not entry.title.endswith(".")
    assert entry.retry in ("later", "no")
    assert 0 <= entry.priority <= 100
    assert entry.causes
    assert all(cause.why and cause.fix for cause in entry.causes)
    assert entry.sources
    assert set(entry.sources) <= set(CATALOGUE.sources)
    assert set(entry.dated) <= set(DATED)
    assert DATE.fullmatch(CATALOGUE.as_of(entry))
    assert set(entry.facts) <= set(CATALOGUE.facts)
    assert entry.samples or not entry.regex
    assert entry.regex or entry.facts or entry.challenge_status, "nothing could ever lead here"
    stage_of(entry)


@pytest.mark.parametrize("key", CATALOGUE.sources)
def test_a_source_has_a_date_or_says_that_it_has_none(key: str) -> None:
    source = CATALOGUE.sources[key]
    assert DATE.fullmatch(source.date)
    written = re.findall(r"20\d\d-\d\d(?:-\d\d)?", source.seen)
    assert source.date in written or not written, "what was read says another date"


def test_every_dated_fact_is_told_with_its_date() -> None:
    assert all(DATE.fullmatch(fact.as_of) and fact.as_of != UNDATED for fact in DATED.values())
    assert {name for said in SAID for name in said.dated} == set(DATED)
    for said in SAID:
        message = page(said).message
        assert all(DATED[name].says in message and DATED[name].as_of in message for name in said.dated)
    retired = explain.by_id("config.basic_auth_retired")
    assert retired is not None
    assert DATED["m365-passwords"].says in retired.finding.message


def test_every_fact_and_every_question_moves_a_cause_or_an_entry() -> None:
    causes = [cause for entry in (*ENTRIES, *SAID) for cause in entry.causes]
    named_by_causes = {condition(written).fact for cause in causes for written in cause.facts}
    named = named_by_causes | {fact for said in SAID for fact in said.facts}
    assert named == set(CATALOGUE.facts)
    assert set(CATALOGUE.questions) <= named
    assert all(question.endswith("?") for question in CATALOGUE.questions.values())


@named(SAID)
def test_a_reply_leads_to_its_own_entry_first(entry: Said) -> None:
    for text in entry.samples or ("",):
        assert match(home(entry)._replace(text=text))[0].said.id == entry.id, text


@named(tuple(said for said in SAID if not (said.own_server or said.own_stage or said.facts or said.mechanisms)))
def test_without_any_context_a_reply_of_its_own_leads_home_too(entry: Said) -> None:
    if entry.ports or entry.grants or shared(entry):
        return
    for text in entry.samples:
        assert match(Context(text))[0].said.id == entry.id, text


@named(tuple(said for said in SAID if said.regex))
def test_a_sample_has_one_of_the_needles(entry: Said) -> None:
    assert entry.needles
    assert min(map(len, entry.needles)) > 1
    for text in entry.samples:
        assert any(word in text.lower() for word in entry.needles)


@named(tuple(said for said in SAID if said.regex))
def test_an_expression_cannot_run_away(entry: Said) -> None:
    """No repetition without a limit inside another, so the steps are at most a polynomial of a limited text."""
    assert depth(_parser.parse(entry.regex, re.IGNORECASE | re.DOTALL)) <= 1
    assert len(re.findall(r"(?<!\\)[.\])]\*|(?<!\\)[.\])]\+", entry.regex)) <= 3


def depth(nodes: Any) -> int:
    """How many repetitions without a limit are nested in a parsed expression."""
    return max((_depth(str(name), value) for name, value in nodes), default=0)


def _depth(name: str, value: Any) -> int:
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return depth(value[2]) + (1 if value[1] > 256 else 0)
    if name == "SUBPATTERN":
        return depth(value[-1])
    if name == "BRANCH":
        return max(depth(branch) for branch in value[1])
    if name in ("ASSERT", "ASSERT_NOT"):
        return depth(value[1])
    return 0


def test_the_compiled_catalogue_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    compiler: Any = importlib.import_module("compile_replies")
    assert compiler.TARGET.read_text("utf-8") == compiler.compiled(), "run python tools/generate.py"


def commands() -> Iterator[tuple[str, str]]:
    """Every command line of ours that a fix names, with the id that names it."""
    remedies: list[tuple[str, Remedy]] = []
    for entry in ENTRIES:
        remedies += ((entry.id, remedy) for cause in _filled(entry) for remedy in cause.remedies)
    for name, remedy in remedies:
        yield from ((name, line) for line in remedy.commands if line.startswith("smtpctl "))
    for said in SAID:
        for reason in said.causes:
            yield from ((said.id, line) for line in reason.commands if line.startswith("smtpctl "))


def _filled(entry: Entry) -> tuple[Cause, ...]:
    return entry.finding(target="mail.example.com:587", profile="office").causes


def test_the_commands_that_fixes_name_exist() -> None:
    wrong = [f"{name}: {line}" for name, line in commands() if problem(shlex.split(line)[1:])]
    assert not wrong, "\n".join(wrong)


def problem(words: list[str]) -> bool:
    """Whether the program would not understand this."""
    if words[0] == "--version":
        return False
    try:
        return read(words) is None
    except UsageProblem:
        return True


def test_ids_that_code_names_exist() -> None:
    """What the package raises or points at under a literal id has an entry."""
    prefixes = "|".join(sorted({name.split(".")[0] for name in families.FAMILIES}))
    literal = re.compile(rf'"((?:{prefixes})\.[a-z0-9_.]*[a-z0-9_])"')
    known = set(explain.ids())
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "smtpctl").rglob("*.py")
        if "cli" not in path.parts and "knowledge" not in path.parts
        for name in literal.findall(path.read_text("utf-8"))
        if name not in known and not name.startswith(_NOT_IDS)
    }
    assert not missing, "\n".join(sorted(missing))


# Declared for what is still to come, or for pages that other findings lead to.
NOT_MADE = {
    "auth.no_credentials", "config.bulk_without_queue", "config.pickup_dir_missing",
}  # fmt: skip


# Their tables say what can be found; only their functions find it.
DECLARING = ("registry.py", "second.py", "probes.py")


def test_every_finding_is_made_by_code_that_is_reached() -> None:
    """The id (or what follows its family) stands in a function or table that something else names; a check's list of
    what it can find makes none of them."""
    trees = {
        path: ast.parse(path.read_text("utf-8"))
        for path in (ROOT / "smtpctl").rglob("*.py")
        if "knowledge" not in path.parts or path.name == "match.py"
    }
    names = Counter(_name(node) for tree in trees.values() for node in ast.walk(tree))
    made = {
        literal
        for path, tree in trees.items()
        for top in tree.body
        if (names[top.name] > 1 if isinstance(top, ast.FunctionDef) else path.name not in DECLARING)
        for literal in _literals(top)
    }
    declared = {entry.id for entry in ENTRIES if not entry.id.startswith("reply.")}
    lacking = {id for id in declared if id not in made and id.partition(".")[2] not in made}
    assert lacking == NOT_MADE


def _name(node: ast.AST) -> str:
    """What a node calls something by."""
    return getattr(node, "id", "") or getattr(node, "attr", "") or getattr(node, "name", "")


def _literals(top: ast.AST) -> Iterator[str]:
    """The texts in a function, a table or a class."""
    return (node.value for node in ast.walk(top) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_a_family_is_loaded_only_when_asked_for() -> None:
    import subprocess

    code = (
        "import sys; from smtpctl.knowledge import families; families.entry('conn.refused');"
        "print(*[name for name in sys.modules if name.startswith('smtpctl.knowledge.')])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert set(shown.split()) == {"smtpctl.knowledge.families", "smtpctl.knowledge.conn"}
