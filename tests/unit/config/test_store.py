"""Reading the configuration file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpctl.config import store
from smtpctl.config.store import Document
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Severity
from smtpctl.model.report import ExitStatus


def write(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


def problem(path: Path | None, environ: dict[str, str] | None = None) -> Problem:
    with pytest.raises(Problem) as caught:
        store.read(path, environ or {})
    return caught.value


def test_the_default_place_is_where_platformdirs_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import platformdirs

    for name, value in {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path / "home")}.items():
        monkeypatch.setenv(name, value)
    assert store.default_path(os.environ) == platformdirs.user_config_path("smtpctl") / "config.toml"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert store.default_path(os.environ) == platformdirs.user_config_path("smtpctl") / "config.toml"


def test_the_variable_says_another_place(tmp_path: Path) -> None:
    assert store.default_path({"SMTPCTL_CONFIG": str(tmp_path / "c.toml")}) == tmp_path / "c.toml"


def test_no_file_is_an_empty_document(tmp_path: Path) -> None:
    variable = {"SMTPCTL_CONFIG": str(tmp_path / "none.toml")}
    for document in (store.read(None, variable), store.read(tmp_path / "none.toml", variable)):
        assert not document.exists and document.profiles == {} and document.globals == {}


def test_a_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    found = problem(tmp_path / "none.toml")
    assert found.status is ExitStatus.CONFIG
    assert found.finding.id == "config.unreadable" and "none.toml" in found.finding.title


@pytest.mark.parametrize("table", ["profiles", "sites", "oauth"])
@pytest.mark.parametrize("name", ["x;id", "$(id)", "a b", "-x", "a/b", "a\\nb", ""])
def test_what_is_no_name_is_refused_where_it_is_read(table: str, name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "c.toml", f'[profiles.office]\nhost = "h"\n[{table}."{name}"]\n')
    found = problem(path)
    assert found.status is ExitStatus.CONFIG and found.finding.id == "config.invalid_value"
    assert found.finding.location is not None and found.finding.location.line == 3


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert problem(tmp_path).finding.id == "config.unreadable"


def test_an_endless_file_is_not_read_whole() -> None:
    if sys.platform != "linux":
        pytest.skip("needs /dev/zero")
    assert "longer than 8 MiB" in problem(Path("/dev/zero")).finding.title


def test_a_byte_order_mark_and_crlf_are_understood(tmp_path: Path) -> None:
    document = store.read(write(tmp_path / "c", b'\xef\xbb\xbfversion = 1\r\n[profiles.a]\r\nhost = "x"\r\n'), {})
    assert document.profiles == {"a": {"host": "x"}}
    assert document.locate("profiles", "a", "host")[1:] == (3, 1)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('version = 1\n[profiles.a\nhost = "x"\n', 2, 12),
        ("[profiles.a]\nhost = x\n", 2, 8),
        ('[profiles.a]\nhost = "x\n', 2, 10),
        ("[profiles.a]\n[profiles.a]\n", 2, 12),
        ("a = 1\na = 2\n", 2, 6),
        ("\n\na = [1,\n", 3, 8),
        ("a = 1979-13-01", 1, 9),
        ("a = " + "9" * 5000, 1, 1),
        ("a = " + "[" * 100000, 1, 1),
        (b"[profiles.a]\nhost = '\xff'\n", 2, 9),
    ],
)
def test_a_broken_file_has_a_line_and_a_column(tmp_path: Path, text: str | bytes, line: int, column: int) -> None:
    found = problem(write(tmp_path / "c.toml", text)).finding
    assert found.id == "config.syntax" and found.location
    assert (found.location.line, found.location.column) == (line, column)
    assert found.location.path.endswith("c.toml")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('password = "hunter2', "password = ..."),
        ('password: "hunter2"', "password = ..."),
        ("password 'hunter2'", "..."),
        ("hunter2", "..."),
        ('["hunter2', "..."),
        ("[profiles.b", "[profiles.b"),
        ("[[profiles.b]", "[[profiles.b]"),
        ('"hunter2" = x', "..."),
    ],
)
def test_a_broken_line_is_not_repeated_it_may_hold_a_secret(tmp_path: Path, line: str, shown: str) -> None:
    found = problem(write(tmp_path / "c", f"[profiles.a]\n{line}\nhost = 1\n")).finding
    assert "hunter2" not in repr(found)
    assert found.evidence[0].text == shown


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("\nversion = 2\n", "version 2; this smtpctl reads version 1", 2),
        ("version = 0", "0 is not a version", 1),
        ("version = true", "True is not a version", 1),
        ("version = '1'", "'1' is not a version", 1),
    ],
)
def test_another_version_is_refused(tmp_path: Path, text: str, words: str, line: int) -> None:
    found = problem(write(tmp_path / "c", text))
    assert (found.finding.id, found.status) == ("config.version", ExitStatus.CONFIG)
    assert words in found.finding.title
    assert found.finding.location and found.finding.location.line == line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("profiles = 3", "profiles is not a table; write [profiles]"),
        ("[profiles]\na = 1", "profiles.a is not a table; write [profiles.a]"),
        ("[[sites]]\na = 1", "sites is not a table"),
        ("global = []", "global is not a table"),
    ],
)
def test_what_must_be_a_table_is_one(tmp_path: Path, text: str, words: str) -> None:
    found = problem(write(tmp_path / "c", text)).finding
    assert found.id == "config.invalid_value" and words in found.title


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
def test_rights(tmp_path: Path) -> None:
    assert store.read(write(tmp_path / "c", "", 0o644), {}).warnings == ()
    (warning,) = store.read(write(tmp_path / "c", "", 0o664), {}).warnings
    assert warning.severity is Severity.WARNING and "group can write" in warning.title
    found = problem(write(tmp_path / "c", "", 0o666)).finding
    assert found.id == "config.rights" and "mode 666" in found.title
    assert f"chmod 600 {tmp_path / 'c'}" in found.causes[0].remedies[0].commands


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a file away")
def test_somebody_elses_file_is_believed_only_where_it_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "smtpctl" / "config.toml"
    path.parent.mkdir()
    os.chown(write(path, ""), 65534, 65534)
    (warning,) = store.read(path, {}).warnings
    assert "belongs to another user" in warning.title
    assert problem(None, {"XDG_CONFIG_HOME": str(tmp_path)}).finding.id == "config.rights"


@given(st.binary(max_size=200) | st.text(alphabet="[]{}=.\"'#\n\r a1_-\\,", max_size=60).map(str.encode))
def test_anything_is_read_or_refused_with_a_place(octets: bytes) -> None:
    location = None
    try:
        location = Document(Path("c.toml"), store.decode(octets, "c.toml")).locate("profiles", "a")
    except Problem as found:
        location = found.finding.location
    assert location and location.line >= 1 and location.column >= 1
