"""JSON Schemas as text: of the configuration file, and of what commands print under --json."""

from __future__ import annotations

import json
from pathlib import Path

from smtpctl.config.problems import did_you_mean
from smtpctl.config.schema import file_schema
from smtpctl.model.errors import UsageProblem

_FOLDER = Path(__file__).parent.parent / "schemas"
_SUFFIX = ".schema.json"


def of_file() -> str:
    """The schema of the configuration file."""
    return json.dumps(file_schema(), indent=2, ensure_ascii=False)


def of_output(name: str) -> str:
    """The schema that ships for the output of a command (`check`, `profile.list`); UsageProblem for an unknown one."""
    known = names()
    wanted = name.removeprefix("smtpctl.").partition("/")[0].replace(" ", ".")
    if wanted not in known:
        raise UsageProblem(f'There is no schema "{name}".{did_you_mean(name, known)}', f"There are {', '.join(known)}.")
    return (_FOLDER / f"{wanted}{_SUFFIX}").read_text("utf-8")


def of_dialect(name: str) -> str:
    """The settings of another program's format with their defaults, as one JSON object."""
    from smtpctl import formats

    return json.dumps(dict(formats.get(name).SCHEMA), indent=2)


def names() -> list[str]:
    """The outputs that have a schema."""
    return sorted(file.name.removesuffix(_SUFFIX) for file in _FOLDER.glob(f"*{_SUFFIX}"))
