"""Where settings come from, as layers, strongest first: options, the TARGET, the environment, the profile, what it
extends, each followed by the preset that it names. A layer's values are parsed; each knows where it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from smtpctl.config import values
from smtpctl.config.fields import BY_NAME, FIELDS, Field, Type
from smtpctl.config.problems import did_you_mean, finding, problem
from smtpctl.config.profile import Origin
from smtpctl.config.store import Document
from smtpctl.model.errors import UsageProblem
from smtpctl.model.finding import Location
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

    found = parsed({k: v for k, v in overrides.items() if v is not None}, refuse)
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
        id_ = "config.port_conflict" if field.name == "port" and "differ" in error else "config.invalid_value"
        raise problem(finding(id_, f"${field.env}: {error}", fix="Correct the variable, or unset it."))

    raw = {field.name: environ[field.env] for field in FIELDS if field.env and environ.get(field.env)}
    return Layer(parsed(raw, refuse), lambda name: Origin("environment", f"${BY_NAME[name].env}"))


def from_profile(document: Document, name: str) -> Layer:
    """The keys of one profile of the file; unknown ones are left to `config.review`. Problem with the place."""
    table = document.profiles[name]

    def refuse(field: Field, error: str) -> NoReturn:
        id_ = "config.port_conflict" if field.name == "port" and "differ" in error else "config.invalid_value"
        location = document.locate("profiles", name, field.name)
        title = f"[profiles.{name}] {field.name}: {error}"
        raise problem(finding(id_, title, target=name, location=location, fix="Correct the value."))

    def origin(key: str) -> Origin:
        location = document.locate("profiles", name, key if key in table else "host")
        return Origin("file", f"{location.path}:{location.line}", "profile")

    found = parsed({key: value for key, value in table.items() if key in BY_NAME and BY_NAME[key].stored}, refuse)
    return Layer(_beside(document.path.parent, found), origin, name)


def from_preset(name: str, where: Origin, location: Location | None) -> Layer:
    """What a preset says; Problem `config.preset_missing`, or UsageProblem where an option named it."""
    from smtpctl.config import presets

    try:
        settings = presets.get(name).settings()
    except KeyError:
        message = f'There is no preset "{name}".{did_you_mean(name, presets.names())}'
        if where.kind == "flag":
            raise UsageProblem(f"{where.where}: {message}", "See: smtpctl preset list") from None
        fix = "See: smtpctl preset list"
        raise problem(finding("config.preset_missing", message, fix=fix, location=location)) from None
    return Layer(settings, lambda _name: Origin("preset", name))


def chain(document: Document, first: str, asked_by: str) -> Iterator[Layer]:
    """The layers of a profile and of all it extends. Problem `config.extends_cycle` or `config.extends_missing`.

    `asked_by` is the profile or option that names the first one, for the message.
    """
    seen: list[str] = []
    name, asker = first, asked_by
    while name:
        if name in seen:
            circle = " -> ".join([*seen[seen.index(name) :], name])
            location = document.locate("profiles", asker, "extends")
            fix = f"smtpctl profile unset {asker} extends"
            raise problem(
                finding("config.extends_cycle", f"Profiles extend each other in a circle: {circle}",
                        location=location, target=first, fix="Break the circle.", commands=[fix])
            )  # fmt: skip
        if name not in document.profiles:
            message = f'There is no profile "{name}" to extend.{did_you_mean(name, document.profiles)}'
            if not seen and asker.startswith("--"):
                raise UsageProblem(f"{asker}: {message}", "See: smtpctl profile list")
            location = document.locate("profiles", asker, "extends")
            raise problem(finding("config.extends_missing", f"[profiles.{asker}] extends: {message}",
                                  location=location, target=asker, fix="Name a profile that is there."))  # fmt: skip
        seen.append(name)
        layer = from_profile(document, name)
        yield layer
        name, asker = layer.values.get("extends", ""), name


def parsed(raw: Mapping[str, Any], refuse: Callable[[Field, str], NoReturn]) -> dict[str, Any]:
    """Every value in its canonical form; `host:port` taken apart. `refuse` raises for a value that cannot be."""
    found: dict[str, Any] = {}
    for name, value in raw.items():
        field = BY_NAME[name]
        try:
            result = values.parse(field, value.reveal() if isinstance(value, Secret) else value)
        except values.BadValueError as error:
            refuse(field, str(error))
        found[name] = Secret(str(result)) if field.secret else result
    if "host" in found:
        host, port = values.split_host(found["host"])
        found["host"] = host
        if port is not None and found.get("port", port) != port:
            refuse(BY_NAME["port"], f"{found['port']} and {port} in the host differ; give the port once")
        if port is not None:
            found["port"] = port
    return found


def _beside(folder: Path, found: Mapping[str, Any]) -> dict[str, Any]:
    """Relative paths of a file are meant from its folder. `pickup_dir` must be absolute and is left to be found out."""

    def absolute(name: str, value: Any) -> Any:
        if BY_NAME[name].type is not Type.PATH or name == "pickup_dir" or not value or value == "-":
            return value
        return value if value.startswith(_SPECIAL_FILES) else str(folder.absolute() / value)

    return {name: absolute(name, value) for name, value in found.items()}
