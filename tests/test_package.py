"""The wheel has everything that the program reads, and nothing else of the repository."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from harness import ROOT

# What the program reads at run time, besides its modules.
DATA = {".toml", ".json", ".txt", ".eml", ".html", ".png", ".typed", ".bash", ".zsh", ".fish", ".ps1"}


def test_the_wheel_holds_the_package(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
        (entry_points,) = (
            archive.read(name).decode() for name in archive.namelist() if name.endswith("entry_points.txt")
        )
    folder = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "smtpctl").rglob("*")
        if path.is_file() and path.suffix in DATA | {".py"}
    }
    assert folder <= packed
    assert {name.split("/")[0] for name in packed} == {"smtpctl"}
    for program in ("smtpctl", "smtp-ctl"):
        assert f"{program} = smtpctl.__main__:main" in entry_points
