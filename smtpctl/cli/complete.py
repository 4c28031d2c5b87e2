"""What a shell may offer next: `smtpctl __complete WORD... INCOMPLETE`, called by the scripts in `cli/shell`.

Each line of the answer is a value, a tab and its help; the last line is `:files`, `:dirs` or `:`, whether the shell
should offer files too. Only the module of the command being completed is imported. An answer never fails: a shell
that shows a traceback on TAB helps nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from smtpctl.cli import group, terminal
from smtpctl.cli.group import LazyGroup
from smtpctl.config import store
from smtpctl.config.store import Document
from smtpctl.model.record import NamedTuple


class Candidate(NamedTuple):
    """One thing the shell may offer."""

    value: str
    help: str = ""


class Answer(NamedTuple):
    """All that may come next; `paths` is `files`, `dirs` or empty."""

    candidates: tuple[Candidate, ...] = ()
    paths: str = ""

    def __str__(self) -> str:
        lines = [f"{c.value}\t{' '.join(c.help.split())}".rstrip("\t") for c in self.candidates]
        return "\n".join([*lines, f":{self.paths}"])


class Place(NamedTuple):
    """Where in a command line the cursor is: the command, the option that waits for its value, what was given."""

    command: Any
    context: Any
    pending: Any
    positionals: int
    used: frozenset[str]
    rest_is_positional: bool


def answer(words: list[str]) -> Answer:
    """What may stand in the place of the last of `words` (the command line without the program's name)."""
    *before, incomplete = words or [""]
    program = group.program()
    context = program.make_context("smtpctl", [], obj={}, resilient_parsing=True)
    place = _locate(program, context, before)
    if place.pending is not None:
        return _values(place.pending, place.context, incomplete)
    if incomplete.startswith("-") and not place.rest_is_positional:
        return _options(place, incomplete)
    if isinstance(place.command, LazyGroup):
        return Answer(tuple(Candidate(n, e.help) for n, e in place.command.entries.items() if n.startswith(incomplete)))
    arguments = [p for p in place.command.params if p.param_type_name == "argument"]
    if not arguments or (place.positionals >= len(arguments) and arguments[-1].nargs == 1):
        return Answer()
    return _values(arguments[min(place.positionals, len(arguments) - 1)], place.context, incomplete)


def _locate(command: Any, context: Any, words: list[str]) -> Place:
    """Walk the finished words: into subcommands, over options and their values."""
    options = _by_name(command, context)
    pending: Any = None
    positionals, literal = 0, False
    used: set[str] = set()
    for index, word in enumerate(words):
        if pending is not None:
            _note(context, pending, word)
            pending = None
        elif word == "--" and not literal:
            literal = True
        elif word.startswith("-") and word != "-" and not literal:
            name, equals, value = word.partition("=")
            option = options.get(name)
            used.update(option.opts if option is not None and not option.multiple else ())
            if option is not None and not option.is_flag and not option.count:
                pending = None if equals else option
                if equals:
                    _note(context, option, value)
        elif isinstance(command, LazyGroup) and word in command.entries:
            real = command.real_command(word)
            inner = real.make_context(word, [], parent=context, resilient_parsing=True)
            return _locate(real, inner, words[index + 1 :])
        else:
            positionals += 1
    return Place(command, context, pending, positionals, frozenset(used), literal)


def _note(context: Any, option: Any, value: str) -> None:
    """Keep what completing names needs to know: which configuration file."""
    if "--config" in option.opts:
        context.obj["config"] = value


def _by_name(command: Any, context: Any) -> dict[str, Any]:
    options = [p for p in command.get_params(context) if p.param_type_name == "option"]
    return {name: option for option in options for name in (*option.opts, *option.secondary_opts)}


def _options(place: Place, incomplete: str) -> Answer:
    options = _by_name(place.command, place.context)
    name, equals, value = incomplete.partition("=")
    if equals and name in options:
        inner = _values(options[name], place.context, value)
        return Answer(tuple(Candidate(f"{name}={c.value}", c.help) for c in inner.candidates), inner.paths)
    shown = [n for n in options if n.startswith(incomplete) and n not in place.used]
    if len(incomplete) < len("--n"):  # short forms and negations would only hide the names that say something
        shown = [n for n in shown if n.startswith("--") and n not in options[n].secondary_opts]
    return Answer(tuple(Candidate(n, options[n].help or "") for n in shown))


def _values(parameter: Any, context: Any, incomplete: str) -> Answer:
    """What a value may be: the choices of its type, else what its metavar stands for."""
    metavar = (parameter.metavar or "").strip("[].")
    if metavar in PATHS:
        return Answer(paths=PATHS[metavar])
    known = next((name for name in (*parameter.opts, metavar) if name in NAMES), None)
    values: Iterable[str]
    if known:
        values = NAMES[known](context.obj.get("config"))
    else:
        values = [item.value for item in parameter.shell_complete(context, incomplete)]
    return Answer(tuple(Candidate(value) for value in values if value.startswith(incomplete)))


def _document(config: str | None) -> Document:
    return store.read(Path(config).expanduser() if config else None, terminal.environment())


def _profiles(config: str | None) -> Iterable[str]:
    return _document(config).profiles


def _sites(config: str | None) -> Iterable[str]:
    return _document(config).sites


def _credentials(config: str | None) -> Iterable[str]:
    return _document(config).oauth


def _presets(_config: str | None) -> Iterable[str]:
    from smtpctl.config import presets

    return presets.names()


# What an option, or a metavar wherever it stands, can be.
PATHS = {"FILE": "files", "PATH": "files", "DIR": "dirs"}
NAMES: Mapping[str, Callable[[str | None], Iterable[str]]] = {
    "TARGET": _profiles,
    "PROFILE": _profiles,
    "SITE": _sites,
    "PRESET": _presets,
    "--oauth": _credentials,
}
