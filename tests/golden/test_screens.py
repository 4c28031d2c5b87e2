"""The screens and documents as they were last looked at and found good. SMTPCTL_UPDATE_GOLDENS=1 writes them anew."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import Any

import pytest

from smtpctl.render import renderer

UPDATE = bool(os.environ.get("SMTPCTL_UPDATE_GOLDENS"))  # read now: tests run in an environment without it
HERE = Path(__file__).parent
cases = runpy.run_path(str(HERE / "cases.py"))

TEXTS = {  # file name ending: how the terminal is
    "80.txt": {"width": 80},
    "120.txt": {"width": 120},
    "80.ansi": {"width": 80, "colour": True},
    "80.ascii.txt": {"width": 80, "unicode": False},
}
DOCUMENTS = {
    "json": "json", "junit": "junit.xml", "sarif": "sarif", "github": "github.txt", "nagios": "nagios.txt",
    "prometheus": "prom", "html": "html",
}  # fmt: skip
WANTED = [(name, "text", ending, options) for name in cases["NAMES"] for ending, options in TEXTS.items()] + [
    (name, form, ending, {}) for name in cases["NAMES"] for form, ending in DOCUMENTS.items()
]


@pytest.mark.parametrize(("name", "form", "ending", "options"), WANTED, ids=[f"{w[0]}.{w[2]}" for w in WANTED])
def test_output_is_the_golden(name: str, form: str, ending: str, options: dict[str, Any]) -> None:
    made = cases["draw"](name, renderer(form, schema=cases["schema"](name), **options))
    golden = HERE / "screens" / f"{name}.{ending}"
    if UPDATE:
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes(made.encode())
    assert golden.read_bytes() == made.encode(), "right? then SMTPCTL_UPDATE_GOLDENS=1"


def test_no_golden_is_left_over() -> None:
    assert {path.name for path in (HERE / "screens").iterdir()} == {f"{name}.{ending}" for name, _, ending, _ in WANTED}
