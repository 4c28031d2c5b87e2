"""Edits of a TOML text: what was asked for changes, nothing else does."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from smtpctl.config import edits
from smtpctl.config.edits import CannotEditError, Rename, Set, Unset

TEXT = """\
# my servers
version = 1

[global]   # for all
default_profile = "a"

# about a
[profiles.a]
host = "x" # its host
port = 25

[sites.s]
default_profile="a"

# about b
[profiles.b]
host = "y"
"""


@pytest.mark.parametrize(
    ("edit", "before", "after"),
    [
        (Set(("profiles", "a", "host"), "z"), 'host = "x" # its host', 'host = "z" # its host'),
        (Set(("profiles", "a", "tls"), "none"), "port = 25\n", 'port = 25\ntls = "none"\n'),
        (Set(("profiles", "b", "port"), 26), 'host = "y"\n', 'host = "y"\nport = 26\n'),
        (Set(("global", "interval"), 1.5), 'profile = "a"\n\n# about a', 'profile = "a"\ninterval = 1.5\n\n# about a'),
        (Unset(("profiles", "a", "port")), "port = 25\n", ""),
        (Unset(("profiles", "a", "none")), "", ""),
        (Rename(("profiles", "a"), "c.d"), "[profiles.a]", '[profiles."c.d"]'),
        (Set(("profiles", "a", "sites"), ["p", "q"]), "port = 25\n", 'port = 25\nsites = ["p", "q"]\n'),
        (Set(("profiles", "a", "st"), {"dns": 1}), "port = 25\n", "port = 25\nst = { dns = 1 }\n"),
        (Unset(("sites", "s")), '\n[sites.s]\ndefault_profile="a"\n', ""),
        (Set(("oauth", "m"), {"scope": 'a"b'}), 'host = "y"\n', 'host = "y"\n\n[oauth.m]\nscope = "a\\"b"\n'),
        (Set(("profiles", "e f"), {}), 'host = "y"\n', 'host = "y"\n\n[profiles."e f"]\n'),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_what_was_asked_for_changes(edit: edits.Edit, before: str, after: str, newline: str) -> None:
    text = TEXT.replace("\n", newline)
    before, after = before.replace("\n", newline), after.replace("\n", newline)
    expected = text[: text.rfind(before)] + text[text.rfind(before) :].replace(before, after, 1) if before else text
    assert edits.apply(text, [edit]) == expected


@pytest.mark.parametrize(
    "text",
    [
        'profiles.a.host = "x"\nprofiles.b.host = "y"\n',
        'profiles = { a = { host = "x" }, b = { host = "y" } }\n',
        '[profiles]\na = { host = "x" }\n[profiles.b]\nhost = "y"',
        '[profiles.b]\nhost = "y"\n[profiles.a.more]\nx = 1\n[profiles.a]\nhost = "x"\n',
        '[profiles]\na.host = "x"\na.port = 1\nb.host = "y"\n',
        '  [profiles.a]\n  host = "x"\n  [profiles.b]\n  host = "y"\n',
    ],
)
@pytest.mark.parametrize(
    "edit",
    [
        Set(("profiles", "a", "host"), "z"),
        Set(("profiles", "a", "tls"), "none"),
        Set(("profiles", "c"), {"host": "z", "port": 1}),
        Set(("global", "default_profile"), "a"),
        Unset(("profiles", "a", "host")),
        Unset(("profiles", "a")),
        Rename(("profiles", "a"), "z"),
    ],
)
def test_unusual_texts_say_what_was_asked_for_or_are_left_alone(text: str, edit: edits.Edit) -> None:
    try:
        result = edits.apply(text, [edit])
    except CannotEditError:
        return
    wanted = edits.apply_data(tomllib.loads(text), edit)
    assert tomllib.loads(result) == {name: table for name, table in wanted.items() if table}


def test_compact_texts_can_be_edited() -> None:
    text = 'profiles.a.host = "x"\n'
    assert edits.apply(text, [Set(("profiles", "a", "port"), 1)]) == text + "profiles.a.port = 1\n"
    assert (
        edits.apply('profiles = { a = { host = "x" } }', [Unset(("profiles", "a", "host"))]) == "profiles = { a = {} }"
    )


def test_a_section_becomes_an_inline_table() -> None:
    text = '[profiles.a]\nhost = "x"\n\n[profiles.a.stage_timeout]\ndns = 1\n'
    after = edits.apply(text, [Set(("profiles", "a", "stage_timeout"), {"dns": 2})])
    assert after == '[profiles.a]\nhost = "x"\nstage_timeout = { dns = 2 }\n'


def test_what_cannot_be_kept_apart_is_refused() -> None:
    with pytest.raises(CannotEditError):
        edits.apply("[[profiles]]\na = 1\n", [Set(("profiles", "a", "host"), "x")])


@pytest.mark.parametrize("value", ["", 'q"\\\n\t\x7fé😀', True, 7, 1.5, [], ["a", "b"], {"x": [1], "y z": {}}])
def test_values_are_written_as_they_are_read(value: Any) -> None:
    assert tomllib.loads(f"k = {edits.dump(value)}") == {"k": value}
