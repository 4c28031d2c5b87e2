"""Where settings come from, as layers, strongest first: options, the TARGET, the environment, the profile, what it
extends, each followed by the preset that it names. A layer's values are parsed; each knows where it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from smtpctl.config import faults, values
from smtpctl.config.fields import BY_NAME, FIELDS, Field, Type, Value
from smtpctl.config.problems import did_you_mean, finding, problem
from smtpctl.config.profile import Origin
from smtpctl.config.store import Document
from smtpctl.model.errors import UsageProblem
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import Secret

SECRETS = ("password", "access_token")
_WAYS = ("", "_file", "_env", "_command", "_stdin", "_keyring")
_SPECIAL_FILES = ("fd:", "credential:", "~")


class Layer(NamedTuple):
    """Settings from one source. `owner` is the profile they stand in; empty elsewhere."""

    values: Mapping[str, Any]
    origin: Callable[[str], Origin]
    owner: str = ""


def secret_settings(name: str) -> tuple[str, ...]:
    """The settings that say where one secret is."""
    return tuple(name + way for way in _WAYS)


def from_flags(overrides: Mapping[str, Any]) -> Layer:
    """The options that were given; UsageProblem where one is not understood or two contradict each other."""

    def refuse(field: Field, error: str) -> NoReturn:
        raise UsageProblem(f"{field.option or field.name}: {error}")

    found = parsed({k: v for k, v in overrides.items() if v is not None}, refuse, parse=values.typed)
    for secret in SECRETS:
        given = [name for name in secret_settings(secret) if found.get(name)]
        if len(given) > 1:
            options = [BY_NAME[name].option or name for name in given]
            raise UsageProblem(f"{' and '.join(options)}: only one can say where the {secret.replace('_', ' ')} is")
    return Layer(found, lambda name: Origin("flag", BY_NAME[name].option or name))


def from_target(settings: Mapping[str, Any]) -> Layer:
    """What a server's address on the command line says."""
    return Layer(settings, lambda _name: Origin("flag", "TARGET"))


def from_environment(environ: Mapping[str, str]) -> Layer:
    """`SMTPCTL_...`; an empty variable is an unset one. Problem `config.invalid_value`."""

    def refuse(field: Field, error: str) -> NoReturn:
        title = f"${field.env}: {error}"
        raise problem(finding("config.invalid_value", title, fix="Correct the variable, or unset it."))

    raw = {field.name: environ[field.env] for field in FIELDS if field.env and environ.get(field.env)}
    return Layer(parsed(raw, refuse), lambda name: Origin("environment", f"${BY_NAME[name].env}"))


def from_profile(document: Document, name: str) -> Layer:
    """The keys of one profile of the file; unknown ones are left to `config.review`. Problem with the place."""
    table = document.profiles[name]

    def refuse(field: Field, error: str) -> NoReturn:
        raise problem(faults.bad_value(document, ("profiles", name, field.name), error))

    def conflict(port: int, in_host: int) -> NoReturn:
        raise problem(faults.port_conflict(document, name, port, in_host))

    def origin(key: str) -> Origin:
        location = document.locate("profiles", name, key if key in table else "host")
        return Origin("file", f"{location.path}:{location.line}", "profile")

    stored = {key: value for key, value in table.items() if key in BY_NAME and BY_NAME[key].stored}
    return Layer(_beside(document.path.parent, parsed(stored, refuse, conflict)), origin, name)


def from_preset(name: str, where: Origin, owner: str, document: Document) -> Layer:
    """What a preset says; Problem `config.preset_missing`, or UsageProblem where an option named it."""
    from smtpctl.config import presets

    try:
        settings = presets.get(name).settings()
    except KeyError:
        if owner:
            raise problem(faults.no_preset(document, owner, name, presets.names())) from None
        message = f'{where.where}: There is no preset "{name}".{did_you_mean(name, presets.names())}'
        if where.kind == "flag":
            raise UsageProblem(message, "See: smtpctl preset list") from None
        raise problem(finding("config.preset_missing", message, fix="See: smtpctl preset list")) from None
    return Layer(settings, lambda _name: Origin("preset", name))


def chain(document: Document, first: str, option: str = "") -> Iterator[Layer]:
    """The layers of a profile and of all it extends. Problem `config.extends_cycle` or `config.extends_missing`.

    `option` is what named the first one where that was not the file.
    """
    seen: list[str] = []
    name = first
    while name:
        if name in seen:
            raise problem(faults.circle(document, seen[seen.index(name) :]))
        if name not in document.profiles:
            if seen:
                raise problem(faults.no_parent(document, seen[-1], name))
            message = f'{option}: There is no profile "{name}" to extend.{did_you_mean(name, document.profiles)}'
            raise UsageProblem(message, "See: smtpctl profile list")
        seen.append(name)
        layer = from_profile(document, name)
        yield layer
        name = layer.values.get("extends", "")


def parsed(
    raw: Mapping[str, Any],
    refuse: Callable[[Field, str], NoReturn],
    conflict: Callable[[int, int], NoReturn] | None = None,
    parse: Callable[[Field, object], Value] = values.parse,
) -> dict[str, Any]:
    """Every value in its canonical form; `host:port` taken apart.

    `refuse` raises for a value that cannot be, `conflict` where `port` and the port in the host differ; `parse` is
    `values.typed` for what stands on a command line.
    """
    found: dict[str, Any] = {}
    for name, value in raw.items():
        field = BY_NAME[name]
        try:
            result = parse(field, value.reveal() if isinstance(value, Secret) else value)
        except values.BadValueError as error:
            refuse(field, str(error))
        found[name] = Secret(str(result)) if field.secret else result
    if "host" in found:
        host, port = values.split_host(found["host"])
        found["host"] = host
        if port is not None and found.get("port", port) != port:
            if conflict:
                conflict(found["port"], port)
            refuse(BY_NAME["port"], f"{found['port']} and {port} in the host differ; give the port once")
        if port is not None:
            found["port"] = port
    return found


def _beside(folder: Path, found: Mapping[str, Any]) -> dict[str, Any]:
    """Relative paths of a file are meant from its folder. `pickup_dir` must be absolute and is left to be found out."""

    def absolute(name: str, value: Any) -> Any:
        if BY_NAME[name].type is not Type.PATH or name == "pickup_dir" or not value or value == "-":
            return value
        alone = value.startswith(_SPECIAL_FILES) or Path(value).is_absolute()
        return value if alone else str(folder.absolute() / value)

    return {name: absolute(name, value) for name, value in found.items()}
