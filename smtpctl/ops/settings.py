"""What the commands that change settings share: `NAME=VALUE` words, what is written to the file, what was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from smtpctl.config.fields import Field, Type
from smtpctl.config.problems import did_you_mean
from smtpctl.config.values import table_of
from smtpctl.model.errors import UsageProblem
from smtpctl.model.record import NamedTuple

_CLEARED = frozenset({Type.TEXT, Type.PATH, Type.NAME, Type.ADDRESS, Type.IP, Type.PROXY, Type.URL})


class Change(NamedTuple):
    """What a command did: one sentence, what else the user should know, and what is less safe than before."""

    text: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def split_assignment(word: str, example: str) -> tuple[str, str]:
    """Name and value of `NAME=VALUE`; UsageProblem for anything else."""
    name, equals, value = word.partition("=")
    if not equals or not name.strip():
        raise UsageProblem(f'"{word}" is not NAME=VALUE', f"For example: {example}")
    return name.strip(), value.strip()


def lookup(name: str, fields: Iterable[Field], *, aliases: bool = True) -> Field | None:
    """The setting of this name, also under the names other products give it; upper and lower case are the same."""
    wanted = name.lower().replace("-", "_")
    for field in fields:
        if wanted == field.name or (aliases and wanted in (alias.lower() for alias in field.aliases)):
            return field
    return None


def unknown(name: str, fields: Iterable[Field], see: str) -> UsageProblem:
    """The complaint about a setting that does not exist."""
    names = [word for field in fields for word in (field.name, *field.aliases)]
    return UsageProblem(f'There is no setting "{name}".{did_you_mean(name, names)}', f"See: {see}")


def refuse_secret(field: Field, how: str) -> None:
    """Secrets never stand on a command line: others see it in the list of processes, and shells keep it."""
    if field.secret:
        raise UsageProblem(f"{field.name}: a secret does not belong on the command line", f"Use: {how}")


def to_file(field: Field, value: Any) -> Any:
    """A canonical value as the file holds it."""
    if isinstance(value, Mapping):
        return {key: _number(number) for key, number in value.items()}
    if field.type is Type.IGNORES:
        return table_of(value)
    if isinstance(value, tuple):
        return list(value)
    return _number(value) if isinstance(value, float) else value


def clears(field: Field, written: str) -> bool:
    """Whether an empty value takes the setting away instead of storing emptiness."""
    return written == "" and field.type not in _CLEARED and not field.type.several


def _number(value: float) -> float:
    return int(value) if value == int(value) else value
