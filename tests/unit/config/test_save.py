"""Changing the configuration file: whole or not at all, nothing lost, links and rights kept."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from smtpctl.config import save, store
from smtpctl.config.edits import Edit, Set
from smtpctl.config.store import Document
from smtpctl.model.errors import Problem, UsageProblem
from smtpctl.model.report import ExitStatus

posix = pytest.mark.skipif(os.name != "posix", reason="rights and links as POSIX has them")


def put(name: str, value: Any) -> Any:
    return lambda document: [Set(("profiles", "a", name), value)]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@posix
def test_a_fresh_file_is_the_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deeper" / "config.toml"
    before = os.umask(0)
    try:
        document = save.edit(path, put("host", "x"))
    finally:
        os.umask(before)
    assert path.read_text() == 'version = 1\n\n[profiles.a]\nhost = "x"\n' == document.text
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


@posix
def test_open_rights_are_closed_by_a_change(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("")
    path.chmod(0o644)
    save.edit(path, put("host", "x"))
    assert mode(path) == 0o600


@posix
@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed_and_stays(tmp_path: Path, there: bool) -> None:
    target, link = tmp_path / "dotfiles" / "smtpctl.toml", tmp_path / "config.toml"
    if there:
        target.parent.mkdir()
        target.write_text("# mine\n")
    link.symlink_to(os.path.relpath(target, link.parent))
    save.edit(link, put("host", "x"))
    assert link.is_symlink() and tomllib.loads(target.read_text())["profiles"] == {"a": {"host": "x"}}
    assert [p.name for p in tmp_path.iterdir() if p.is_file() and not p.is_symlink()] == []


@posix
def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(Problem) as caught:
        save.edit(tmp_path / "a", put("host", "x"))
    assert caught.value.finding.id in ("config.not_writable", "config.write_failed")


def test_nothing_is_written_where_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    save.edit(path, put("host", "x"))
    before = path.stat()
    save.edit(path, lambda document: [])
    save.edit(path, put("host", "x"))
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("text", ['[profiles.a\nhost = "x"', "version = 2", "profiles = 1", "\udcff"])
def test_a_broken_file_is_not_rewritten(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    before = path.stat()
    with pytest.raises(Problem) as caught:
        save.edit(path, put("host", "x"))
    assert caught.value.status is ExitStatus.CONFIG
    assert path.read_bytes() == text.encode(errors="surrogateescape") and path.stat().st_ino == before.st_ino


def test_a_change_that_raises_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    save.edit(path, put("host", "x"))
    before = path.read_text()

    def change(document: Document) -> Sequence[Edit]:
        raise UsageProblem("no")

    with pytest.raises(UsageProblem):
        save.edit(path, change)
    assert path.read_text() == before


def test_what_cannot_be_edited_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("x = nan\n")  # differs from itself, so the result cannot be checked
    with pytest.raises(Problem) as caught:
        save.edit(path, put("host", "x"))
    assert caught.value.finding.id == "config.cannot_edit" and path.read_text() == "x = nan\n"


WRITER = """
import sys
from pathlib import Path
from smtpctl.config import save
from smtpctl.config.edits import Set
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
for number in range(count):
    save.edit(path, lambda document: [Set(("profiles", f"{name}-{number}"), {"host": "x"})])
"""


def writer(path: Path, name: str, count: int, **more: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, path, name, str(count)], stdout=subprocess.PIPE, **more)


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("# kept\n")
    writers = [writer(path, f"w{number}", 8) for number in range(8)]
    for process in writers:
        process.communicate(timeout=120)
    assert [process.returncode for process in writers] == [0] * 8
    assert path.read_text().startswith("# kept\n")
    assert set(store.read(path, {}).profiles) == {f"w{w}-{n}" for w in range(8) for n in range(8)}
    assert [p.name for p in tmp_path.iterdir()] == ["c.toml", ".c.toml.lock"] or len(list(tmp_path.iterdir())) == 2


@posix
@pytest.mark.parametrize("reads", range(4))
def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path, reads: int) -> None:
    path = tmp_path / "c.toml"
    save.edit(path, put("host", "x"))
    process = writer(path, "w", 10_000)
    assert process.stdout
    process.stdout.readline()
    while len(store.read(path, {}).profiles) < 2 + reads:  # it is writing now
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    found = store.read(path, {}).profiles
    assert found["a"] == {"host": "x"} and len(found) >= 2 + reads
    save.edit(path, put("port", 25))  # its lock went with it, and what it left behind goes now
    assert sorted(p.name for p in tmp_path.iterdir()) == [".c.toml.lock", "c.toml"]


@posix
def test_a_read_only_folder(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    (folder / "c.toml").write_text("# mine\n")
    folder.chmod(0o555)
    tmp_path.chmod(0o755)
    script = (
        "import sys\nfrom pathlib import Path\nimport smtpctl.config.save as save\nfrom smtpctl.config.edits import Set\n"
        "from smtpctl.model.errors import Problem\nimport filelock, tempfile, tomli_w, difflib\nimport os\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: save.edit(Path(sys.argv[1]), lambda d: [Set(('global', 'interval'), 1)])\n"
        "except Problem as p: print(p.finding.id, int(p.status))"
    )
    for parent in folder.parents:
        if parent != Path("/") and os.geteuid() == 0 and parent.is_relative_to("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o111)
    done = subprocess.run(
        [sys.executable, "-c", script, folder / "c.toml"], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["config.not_writable", "73"], done.stderr
    assert (folder / "c.toml").read_text() == "# mine\n"


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem) as caught:
        save.edit(tmp_path / "file" / "c.toml", put("host", "x"))
    assert caught.value.status is ExitStatus.CANNOT_CREATE


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "c.toml").mkdir()
    with pytest.raises(Problem) as caught:
        save.edit(tmp_path / "c.toml", put("host", "x"))
    assert caught.value.status is ExitStatus.CANNOT_CREATE


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    path = tmp_path / "c.toml"
    save.edit(path, put("host", "x"))
    before = path.read_text()

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(*((os, "fsync") if call == "fsync" else (Path, "replace")), fail)
    with pytest.raises(Problem) as caught:
        save.edit(path, put("host", "y"))
    assert (caught.value.finding.id, caught.value.status) == ("config.write_failed", ExitStatus.IO)
    assert os.strerror(number) in caught.value.finding.title
    assert path.read_text() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == [".c.toml.lock", "c.toml"]


def test_a_lock_that_is_held_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import filelock

    path = tmp_path / "c.toml"
    save.edit(path, put("host", "x"))
    monkeypatch.setattr(save, "LOCK_SECONDS", 0.0)
    with filelock.FileLock(tmp_path / ".c.toml.lock"), pytest.raises(Problem) as caught:
        save.edit(path, put("host", "y"))
    assert (caught.value.finding.id, caught.value.status) == ("config.locked", ExitStatus.TEMPORARY)
