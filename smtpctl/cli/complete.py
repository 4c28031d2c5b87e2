"""What a shell may offer next: `smtpctl __complete WORD... INCOMPLETE`, called by the scripts in `cli/shell`.

Each line of the answer is a value, a tab and its help; the last line is `:files`, `:dirs` or `:`, whether the shell
should offer files too. Only the module of the command being completed is imported. An answer never fails: a shell
that shows a traceback on TAB helps nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from smtpctl.cli import app, terminal
from smtpctl.cli.command import Noun, Verb, first_line
from smtpctl.cli.options import SESSIONS, Argument, Option
from smtpctl.cli.parameters import Parameter, parameters, shared, spellings
from smtpctl.config import store
from smtpctl.config.store import Document
from smtpctl.model.record import NamedTuple

HELP = Parameter("help", Option("--help", "Show this page."), bool)


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
    """Where in a command line the cursor is: the commands that may come next with their helps, the parameters of the
    command so far, the option that waits for its value, what was given, and the configuration that was named."""

    commands: Mapping[str, str]
    taken: tuple[Parameter, ...]
    pending: Parameter | None = None
    positionals: int = 0
    used: frozenset[str] = frozenset()
    literal: bool = False
    config: str | None = None


def answer(words: list[str]) -> Answer:
    """What may stand in the place of the last of `words` (the command line without the program's name)."""
    *before, incomplete = words or [""]
    place = _located(before)
    if place.pending is not None:
        return _values(place.pending, place, incomplete)
    if incomplete.startswith("-") and not place.literal:
        return _options(place, incomplete)
    if place.commands:
        return Answer(tuple(Candidate(n, help) for n, help in place.commands.items() if n.startswith(incomplete)))
    arguments = [parameter for parameter in place.taken if isinstance(parameter.says, Argument)]
    if not arguments or (place.positionals >= len(arguments) and not arguments[-1].several):
        return Answer()
    return _values(arguments[min(place.positionals, len(arguments) - 1)], place, incomplete)


def _located(words: list[str]) -> Place:
    """Walk the finished words: into subcommands, over options and their values."""
    place = Place({name: info.help for name, info in app.COMMANDS.items()}, (*shared(SESSIONS), HELP))
    known: Noun | None = None
    for word in words:
        if place.pending is not None:
            place = _noted(place, place.pending, word)._replace(pending=None)
        elif word == "--" and not place.literal:
            place = place._replace(literal=True)
        elif word.startswith("-") and word != "-" and not place.literal:
            place = _over(place, word)
        elif word in place.commands:
            command = known.verbs[word] if known else app.load(word)
            known = command if isinstance(command, Noun) else None
            place = _inside(command)._replace(config=place.config)
        else:
            place = place._replace(positionals=place.positionals + 1)
    return place


def _inside(command: Verb | Noun) -> Place:
    if isinstance(command, Verb):
        return Place({}, (*parameters(command), HELP))
    return Place({name: first_line(verb.function) for name, verb in command.verbs.items()}, (*shared(SESSIONS), HELP))


def _over(place: Place, word: str) -> Place:
    """The place behind an option."""
    name, equals, value = word.partition("=")
    option = _by_name(place).get(name)
    if option is None:
        return place
    if not option.several:
        place = place._replace(used=place.used | {flag for flag, on in spellings(option.says) if on})
    if option.counted or option.type is bool:
        return place
    return _noted(place, option, value) if equals else place._replace(pending=option)


def _noted(place: Place, option: Parameter, value: str) -> Place:
    """Keep what completing names needs to know: which configuration file."""
    return place._replace(config=value) if option.name == "config" else place


def _by_name(place: Place) -> dict[str, Parameter]:
    return {flag: parameter for parameter in place.taken for flag, _ in spellings(parameter.says)}


def _options(place: Place, incomplete: str) -> Answer:
    options = _by_name(place)
    name, equals, value = incomplete.partition("=")
    if equals and name in options:
        inner = _values(options[name], place, value)
        return Answer(tuple(Candidate(f"{name}={c.value}", c.help) for c in inner.candidates), inner.paths)
    shown = [n for n in options if n.startswith(incomplete) and n not in place.used]
    if len(incomplete) < len("--n"):  # short forms and negations would only hide the names that say something
        denials = {flag for parameter in place.taken for flag, on in spellings(parameter.says) if not on}
        shown = [n for n in shown if n.startswith("--") and n not in denials]
    return Answer(tuple(Candidate(n, options[n].says.help) for n in shown))


def _values(parameter: Parameter, place: Place, incomplete: str) -> Answer:
    """What a value may be: the choices there are, else what its metavar stands for."""
    metavar = parameter.says.metavar or ""
    if metavar in PATHS:
        return Answer(paths=PATHS[metavar])
    known = next((name for name in (*(flag for flag, _ in spellings(parameter.says)), metavar) if name in NAMES), None)
    values = NAMES[known](place.config) if known else parameter.choices
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


def _played(_config: str | None) -> Iterable[str]:
    from smtpctl.ops import role

    return role.names()


def _finding_ids(_config: str | None) -> Iterable[str]:
    from smtpctl.ops import explain

    return explain.ids()


# What an option, or a metavar wherever it stands, can be.
PATHS = {"FILE": "files", "PATH": "files", "DIR": "dirs"}
NAMES: Mapping[str, Callable[[str | None], Iterable[str]]] = {
    "TARGET": _profiles,
    "PROFILE": _profiles,
    "SITE": _sites,
    "--ignore": _finding_ids,
    "PRESET": _presets,
    "--oauth": _credentials,
    "--as": _played,
}
