"""What a bug report needs to know about versions."""

from __future__ import annotations

import platform
import re
from pathlib import Path

from smtpctl.cli.versions import lines

PYPROJECT = Path(__file__).resolve().parents[3] / "pyproject.toml"


def test_python_openssl_and_every_library_are_listed() -> None:
    listed = dict(line.split(maxsplit=1) for line in lines())
    assert listed["Python"].startswith(platform.python_version())
    assert re.match(r"\d+\.\d+", listed["OpenSSL"])
    needed = re.search(r"\ndependencies = \[\n(.*?)\n\]", PYPROJECT.read_text(encoding="utf-8"), re.DOTALL)
    assert needed
    assert set(re.findall(r'"([a-z][a-z0-9-]*)', needed[1])) <= set(listed)


def test_versions_stand_in_one_column() -> None:
    assert len({re.match(r"\S+ +", line).end() for line in lines()}) == 1  # type: ignore[union-attr]
