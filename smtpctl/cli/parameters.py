"""What a command takes, read from its function: its own options and arguments, settings, and what every command has.

The only reader of the declarations in `cli/options.py`. Both parsers, the help pages and the completions go by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from smtpctl.cli.command import Call, Function, Verb, shared_given
from smtpctl.cli.options import SHARED_OPTIONS, Argument, From, Option
from smtpctl.config.fields import Field, Type
from smtpctl.model.record import NamedTuple

SHARED = "shared"  # the holder of the options every command has


class Parameter(NamedTuple):
    """One option or argument. `type` is that of one value: str, int, Path, or bool for a flag.

    `holder` is empty for a parameter of the function itself; else the value goes, as `name`, into the function's
    parameter of that name, or to the options every command has. What is not given has the default.
    """

    name: str
    says: Option | Argument
    type: type = str
    choices: tuple[str, ...] = ()
    several: bool = False
    default: Any = None
    required: bool = False
    holder: str = ""

    @property
    def key(self) -> str:
        """The name of the value among those of the whole command."""
        return f"{self.holder}__{self.name}" if self.holder else self.name

    @property
    def counted(self) -> bool:
        """Whether it counts how often it is given."""
        return isinstance(self.says, Option) and self.says.counted


def parameters(verb: Verb) -> tuple[Parameter, ...]:
    """All that a command takes: its own, then settings, then what every command has."""
    own: list[Parameter] = []
    settings: list[Parameter] = []
    for parameter in _own(verb.function):
        if isinstance(parameter, Parameter):
            own.append(parameter)
        else:
            settings += parameter
    return (*own, *settings, *shared(verb.formats))


def shared(formats: tuple[str, ...]) -> Iterator[Parameter]:
    """The options of every command, for one that writes `formats`."""
    for name, option in SHARED_OPTIONS.items():
        says, choices = option.says, option.choices
        if name == "json" and "json" not in formats:
            continue
        if name == "format":
            says, choices = says._replace(hidden=len(formats) == 1), formats
        yield Parameter(name, says, option.type, choices, holder=SHARED)


def of_settings(source: From, holder: str) -> Iterator[Parameter]:
    """Settings as options; secrets have none."""
    for field in source.table:
        if field.option and not field.secret and field.group in source.groups:
            yield _of_field(field, holder)


def spellings(says: Option | Argument) -> Iterator[tuple[str, bool]]:
    """The spellings of an option, each with whether it affirms it (`--name`) or denies it (`--no-name`)."""
    if isinstance(says, Option):
        for flag in says.flags.split():
            yes, _, no = flag.partition("/")
            yield yes, True
            if no:
                yield no, False


def called(
    command: str, verb: Verb, taken: Iterable[Parameter], values: Mapping[str, Any], given: Mapping[str, Any]
) -> Call:
    """The call for `values` (by `Parameter.key`); `given` are shared options from earlier on the line."""
    own: dict[str, Any] = {}
    shared: dict[str, Any] = {}
    for parameter in taken:
        value = values.get(parameter.key, parameter.default)
        if not parameter.holder:
            own[parameter.name] = value
        elif parameter.holder == SHARED:
            shared[parameter.name] = value
        else:
            settings = own.setdefault(parameter.holder, {})
            if value is not None:
                settings[parameter.name] = str(value) if isinstance(value, Path) else value
    return Call(command, verb, {**given, **shared_given(shared)}, own)


def sentence(field: Field) -> str:
    """The help of a setting as a sentence, with the default where there is one."""
    text = field.help[:1].upper() + field.help[1:]
    if isinstance(field.default, bool) or field.default in (None, "", (), {}):
        return f"{text}."
    default = f"{field.default:g}" if isinstance(field.default, float) else field.default
    return f"{text} (default: {default})."


def _of_field(field: Field, holder: str) -> Parameter:
    flag = field.type is Type.FLAG
    # Whatever a file sets can be unset for one run, so a stored flag has both forms.
    flags = f"{field.option}/--no-{field.option[2:]}" if flag and field.stored else field.option
    says = Option(flags, sentence(field), field.metavar or None, field.group.value, False)
    kind = bool if flag else Path if field.type is Type.PATH else str
    return Parameter(field.name, says, kind, field.choices, field.type.several, holder=holder)


def _own(function: Function) -> Iterator[Parameter | Iterable[Parameter]]:
    """The parameters of a function behind its first; for a dict of settings, its options."""
    code, defaults = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[1 : code.co_argcount]
    required = len(names) - len(defaults)
    hints = get_type_hints(function, include_extras=True)
    for index, name in enumerate(names):
        hint, *says = get_args(hints[name])
        if isinstance(says[0], From):
            yield of_settings(says[0], name)
        else:
            default = None if index < required else defaults[index - required]
            yield _of_hint(name, hint, says[0], default)._replace(required=index < required)


def _of_hint(name: str, hint: Any, says: Option | Argument, default: Any) -> Parameter:
    """`list[str] | None`, `Literal[...]`, `Path` ... in our words."""
    if NoneType in get_args(hint):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    several = get_origin(hint) is list
    kind = get_args(hint)[0] if several else hint
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    return Parameter(name, says, str if choices else kind, choices, several, default)
