"""The throw-away authority: keys that nobody else can read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from smtpctl.sink.authority import FLAWS, create


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_leaves_the_sound_certificate_alone(flaw: str, tmp_path: Path) -> None:
    sound = create(tmp_path)
    before = [path.read_bytes() for path in sound]
    wrong = create(tmp_path, flaw=flaw)
    assert wrong.ca.parent == tmp_path / flaw
    assert [path.read_bytes() for path in create(tmp_path)] == before
    assert not {path.read_bytes() for path in wrong} & set(before)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX rights")
def test_a_key_never_goes_into_a_file_that_was_there(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "server.pem").symlink_to(victim)
    (tmp_path / "server.key").touch(mode=0o666)
    held = (tmp_path / "server.key").open(encoding="ascii")  # as somebody who waits for it
    files = create(tmp_path, clients=("ann",))
    with held:
        assert held.read() == ""
    assert victim.read_text() == "precious"
    for path in (*files, tmp_path / "client-ann.pem"):
        assert path.stat().st_mode & 0o077 == 0 and not path.is_symlink()
