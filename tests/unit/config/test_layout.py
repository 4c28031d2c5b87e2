"""Places in a TOML text."""

from __future__ import annotations

import pytest

from smtpctl.config.layout import Layout, place

TEXT = """\
# the first line
version = 1
[global] # scope
default_profile = "a]#" # not the end
[profiles . "a.b"]
 host= 'x'  # its host
pw = ["p", # comment ]
  { x = 1, y.z = "2" }
]
s = \"\"\"
[foo]
bar = 1
\"\"\"
sites.x = { a = 1, b = [1, 2] }
when = 1979-05-27 07:32:00
[[more.things]]
a=1
"\\u00e9\\U0001F600\\\\U0001F600" = 2
"""


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("version",), 2, 1),
        (("global",), 3, 1),
        (("global", "default_profile"), 4, 1),
        (("profiles",), 5, 1),
        (("profiles", "a.b"), 5, 1),
        (("profiles", "a.b", "host"), 6, 2),
        (("profiles", "a.b", "sites", "x", "b"), 14, 20),
        (("profiles", "a.b", "when"), 15, 1),
        (("profiles", "a.b", "missing"), 5, 1),
        (("nothing", "at", "all"), 1, 1),
        (("more", "things", "a"), 17, 1),
        (("more", "things", "é😀\\U0001F600"), 18, 1),
    ],
)
def test_where_a_key_is(path: tuple[str, ...], line: int, column: int) -> None:
    found = place(TEXT, Layout(TEXT).offset(path), "f.toml")
    assert (found.line, found.column, found.path) == (line, column, "f.toml")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_values_end_where_they_end(newline: str) -> None:
    text = TEXT.replace("\n", newline)
    layout = Layout(text)
    shown = {entry.path[-1]: text[entry.value : entry.value_end] for entry in layout.entries}
    assert shown["default_profile"] == '"a]#"'
    assert shown["host"] == "'x'"
    assert shown["pw"].startswith('["p"') and shown["pw"].endswith("]")
    assert shown["s"].endswith('"""')
    assert shown["when"] == "1979-05-27 07:32:00"


@pytest.mark.parametrize(
    "value", ['""', '"""a\\"""b"""', "'''x''''", '""""a"""""', "[]", "{}", "+1_000", "0x1F", "inf"]
)
def test_all_kinds_of_values(value: str) -> None:
    text = f"a = {value}\nb = 1\n"
    assert [text[entry.value : entry.value_end] for entry in Layout(text).entries] == [value, "1"]


def test_an_empty_text_has_no_places() -> None:
    assert Layout("").entries == [] and Layout("\n# only this").headers == []
