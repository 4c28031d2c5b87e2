"""Reads a command line that is plainly right, without the library that judges the wrong ones.

Importing typer and building a command of sixty options costs as much as sending a mail. So what can be read by the
declarations alone is read here. What is unusual (a misspelt option, a missing value, `--help`) is not judged: `read`
gives None, and typer words the error or prints the page. Where both read a line, they read the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from smtpctl.cli import app
from smtpctl.cli.command import Call, Noun, shared_given
from smtpctl.cli.options import SESSIONS, Argument
from smtpctl.cli.parameters import Parameter, called, parameters, shared, spellings

Spelled = Mapping[str, tuple[Parameter, bool]]  # what an option's spelling says, and whether it affirms it


class UnusualError(Exception):
    """The line is not ours to read."""


def read(arguments: Sequence[str]) -> Call | None:
    """The call a command line asks for; None where it is to be judged."""
    words = list(reversed(arguments))
    try:
        given = _before(words)
        command = _one_of(app.COMMANDS, words)
        verb = app.load(command)
        if isinstance(verb, Noun):
            given |= _before(words)
            name = _one_of(verb.verbs, words)
            command, verb = f"{command}.{name}", verb.verbs[name]
        taken = parameters(verb)
        values, others = _options(words, _spelled(taken))
        values |= dict(_arguments(others, taken))
        if any(parameter.required and parameter.key not in values for parameter in taken):
            return None
        return called(command, verb, taken, values, given)
    except UnusualError:
        return None


def _before(words: list[str]) -> dict[str, Any]:
    """The options every command has, where they stand in front of a command's name."""
    taken = tuple(shared(SESSIONS))
    values, others = _options(words, _spelled(taken), stop=True)
    words += others
    return shared_given({parameter.name: values.get(parameter.key) for parameter in taken})


def _one_of(known: Iterable[str], words: list[str]) -> str:
    if not words or words[-1] not in known:
        raise UnusualError
    return words.pop()


def _spelled(taken: Iterable[Parameter]) -> Spelled:
    return {flag: (parameter, on) for parameter in taken for flag, on in spellings(parameter.says)}


def _options(words: list[str], spelled: Spelled, *, stop: bool = False) -> tuple[dict[str, Any], list[str]]:
    """Take the options from the end of `words`: their values, and the other words; `stop` at the first of those."""
    values: dict[str, Any] = {}
    others: list[str] = []
    while words and not (stop and others):
        word = words.pop()
        if word[:1] != "-" or word == "-":
            others.append(word)
        elif word != "--":
            _take(word, words, spelled, values)
        elif stop:
            raise UnusualError
        else:
            others += reversed(words)
            break
    return values, others


def _take(word: str, words: list[str], spelled: Spelled, values: dict[str, Any]) -> None:
    """Note an option (`--name`, `--name=value`) or several short ones (`-qv`); its value may be the next of `words`."""
    long = word.startswith("--")
    name, equals, text = word.partition("=")
    for flag in (name,) if long else (f"-{letter}" for letter in word[1:]):
        if flag not in spelled:
            raise UnusualError
        parameter, on = spelled[flag]
        if parameter.counted:
            values[parameter.key] = values.get(parameter.key, 0) + 1
        elif parameter.type is bool:
            values[parameter.key] = on
        elif long and (equals or words):
            value = _value(parameter, text if equals else words.pop())
            values[parameter.key] = [*values.get(parameter.key, ()), value] if parameter.several else value
            return
        else:
            raise UnusualError
    if long and equals:  # a flag takes no value
        raise UnusualError


def _arguments(words: Sequence[str], taken: Iterable[Parameter]) -> Iterator[tuple[str, Any]]:
    """The words that are no options, each for one argument; the last argument may take several."""
    left = list(reversed(words))
    for parameter in taken:
        if isinstance(parameter.says, Argument) and left:
            count = len(left) if parameter.several else 1
            values = [_value(parameter, left.pop()) for _ in range(count)]
            yield parameter.key, values if parameter.several else values[0]
    if left:
        raise UnusualError


def _value(parameter: Parameter, text: str) -> Any:
    if parameter.choices and text not in parameter.choices:
        raise UnusualError
    try:
        return parameter.type(text)
    except ValueError:
        raise UnusualError from None
