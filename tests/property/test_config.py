"""Any profile written to the file and read back is the same, and what stood in the file before is still there."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from smtpctl.config import edits, values
from smtpctl.config.edits import Edit, Rename, Set, Unset
from smtpctl.config.fields import BY_NAME, FIELDS, Field, Type
from smtpctl.config.resolve import resolve
from smtpctl.config.review import review
from smtpctl.config.store import Document
from smtpctl.model.endpoint import DEFAULT_TIMEOUTS
from smtpctl.model.finding import Ignore
from smtpctl.ops.settings import to_file

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,8}", fullmatch=True)
HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z][a-z0-9]{0,8}){0,2}", fullmatch=True)
SECONDS = st.floats(0.1, 1000).map(lambda number: round(number, 2))
COMMANDS = st.lists(WORDS.filter(bool), min_size=1, max_size=3).map(tuple)
BY_TYPE: dict[Type, st.SearchStrategy[Any]] = {
    Type.TEXT: WORDS,
    Type.HOST: HOSTS,
    Type.SERVER_NAME: HOSTS,
    Type.HELO: HOSTS | HOSTS.map("[{}]".format),
    Type.PORT: st.integers(1, 65535),
    Type.FLAG: st.booleans(),
    Type.DAYS: st.integers(0, 10_000),
    Type.SECONDS: SECONDS,
    Type.STAGES: st.dictionaries(st.sampled_from([stage.value for stage in DEFAULT_TIMEOUTS]), SECONDS, max_size=3),
    Type.LIST: st.lists(NAMES, max_size=3).map(tuple),
    Type.PINS: st.lists(st.binary(min_size=32, max_size=32).map(lambda b: f"sha256:{b.hex()}"), max_size=2).map(tuple),
    Type.ADDRESS: HOSTS.map(lambda host: f"me@{host}"),
    Type.IP: st.ip_addresses().map(str),
    Type.PROXY: HOSTS.map(lambda host: f"socks5://{host}:1080"),
    Type.PATH: WORDS.map(lambda word: f"/{word}"),
    Type.COMMAND: COMMANDS,
    Type.IGNORES: st.dictionaries(
        NAMES,
        st.tuples(WORDS.filter(str.strip).map(str.strip), st.one_of(st.just(""), st.dates().map(str))),
        max_size=2,
    ).map(lambda found: tuple(Ignore(name, *said) for name, said in found.items())),
}
LEFT_OUT = ("preset", "extends", "oauth")  # they lead to something else that would have to be there


def value_of(field: Field) -> st.SearchStrategy[Any]:
    return st.sampled_from(field.choices) if field.choices else BY_TYPE[field.type]


SETTINGS = [field for field in FIELDS if field.stored and not field.secret and field.name not in LEFT_OUT]
PROFILES = st.fixed_dictionaries(
    {"host": HOSTS}, optional={field.name: value_of(field) for field in SETTINGS if field.name != "host"}
)


@given(name=NAMES, settings=PROFILES)
def test_a_profile_written_and_read_is_the_same(name: str, settings: dict[str, Any]) -> None:
    table = {key: to_file(BY_NAME[key], value) for key, value in settings.items()}
    document = Document(Path("/c.toml"), edits.apply("version = 1\n", [Set(("profiles", name), table)]))
    assert document.profiles[name] == tomllib.loads(document.text)["profiles"][name]
    found = resolve(name, {}, {}, document=document)
    assert {key: found.values[key] for key in settings} == settings
    assert all(found.origins[key].kind == "file" for key in settings)
    assert [f for f in review(document) if f.id == "config.unknown_key"] == []


@given(field=st.sampled_from([f for f in SETTINGS if f.type is not Type.COMMAND]), data=st.data())
def test_a_value_typed_as_it_is_shown_is_the_same(field: Field, data: st.DataObject) -> None:
    value = data.draw(value_of(field))
    assert values.parse(field, values.text(value)) == value


COMMENTED = """\
# top {0}
version = 1  # v

# about a
[profiles.a]   # a
# inside a
host = "x"     # host {0}

[profiles.b]
  port = 25 # indented
[global]
default_profile = "a"
# the end"""

PATHS = st.sampled_from([("profiles", "a", "host"), ("profiles", "b", "port"), ("profiles", "c", "x"), ("sites", "s", "y"),
                         ("global", "z"), ("profiles", "a", "new key")])  # fmt: skip
PLAIN = st.one_of(WORDS, st.integers(-5, 5), st.booleans(), st.lists(WORDS, max_size=2))
EDITS: st.SearchStrategy[Edit] = st.one_of(
    st.builds(Set, PATHS, PLAIN),
    st.builds(Unset, PATHS),
    st.builds(Rename, st.sampled_from([("profiles", "a"), ("profiles", "b")]), st.sampled_from(["d", "e f"])),
)


@given(st.lists(EDITS, max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_comments_outlive_any_edits(changes: list[Edit], newline: str) -> None:
    text = COMMENTED.replace("\n", newline)
    try:
        after = edits.apply(text, changes)  # it compares what it wrote with the same edits on the data
    except edits.CannotEditError:
        assume(not any(isinstance(edit, Rename) for edit in changes))  # two tables of one name: refused, rightly
        raise
    gone = {edit.path for edit in changes if isinstance(edit, Unset)}
    for comment, owner in {
        "# top {0}": None,
        "# about a": None,
        "# inside a": None,
        "# the end": None,
        "# host {0}": ("profiles", "a", "host"),
        "# indented": ("profiles", "b", "port"),
    }.items():
        assert comment in after or owner in gone
    assert ("\r\n" in after) == (newline == "\r\n") and after.count("\n") == after.count(newline)
