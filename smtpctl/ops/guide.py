"""A topic's steps for one user: the way that fits the profile, the steps that apply, the values filled in."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from smtpctl.config.profile import Profile
from smtpctl.config.resolve import profile_name, resolve
from smtpctl.config.store import Document
from smtpctl.knowledge import guides
from smtpctl.model.errors import UsageProblem
from smtpctl.model.guide import Blank, Check, Commands, Guide, Step, Trouble
from smtpctl.ops.guide_values import PLACE, checked, names, of_profile, quoted

TOPICS = guides.TOPICS
SHELLS = ("powershell", "sh", "smtpctl")


def listing() -> list[dict[str, Any]]:
    """Every topic and its ways, as JSON values."""
    return [
        {
            "topic": topic,
            "name": data["name"],
            "summary": data["summary"],
            "ways": [{"name": way["name"], "title": way["title"]} for way in data["way"]],
        }
        for topic in TOPICS
        for data in [guides.load(topic)]
    ]


def guide(topic: str, profile: Profile | None, given: Mapping[str, str], way: str = "") -> Guide:
    """The guide for what a profile says and for the values that are `given` by the names of their options. UsageProblem
    for a way there is not, and for a value that is wrong or has no place in the topic."""
    data = guides.load(topic)
    chosen = _way(topic, data["way"], way, profile)
    wanted: Mapping[str, Mapping[str, str]] = data["values"]
    options = {name: spec.get("option", name) for name, spec in wanted.items()}
    for name in given:
        if name not in options.values():
            raise UsageProblem(f"{_option(name)} has no place in the guide {topic}.", f"See: smtpctl guide {topic}")
    known, notes = _known(wanted, options, of_profile(profile) if profile else {}, given)
    steps = [step for step in data["step"] if _applies(step, chosen["name"], known)]
    used = {name for step in steps for text in _templates(step) for name in names(text)}
    filled = {name: known.get(name) or spec.get("default") or f"<{name.upper()}>" for name, spec in wanted.items()}
    blanks = [
        Blank(
            name.upper(),
            spec["where"],
            _option(options[name]) if options[name] in OPTIONS else "",
            notes.get(name, ""),
        )
        for name, spec in wanted.items()
        if name in used and name not in known and "default" not in spec
    ]
    return Guide(
        topic=topic,
        name=data["name"],
        way=chosen["name"],
        title=chosen["title"],
        text=chosen["text"],
        shell=chosen["shell"],
        command=_again(topic, profile, given, chosen["name"]),
        steps=tuple(_step(step, filled) for step in steps),
        blanks=tuple(blanks),
        values={name: filled[name] for name in wanted if name in used and name in known},
        ways={one["name"]: one["title"] for one in data["way"]},
        sources=tuple(data["sources"]),
    )


def stored(document: Document, name: str, environ: Mapping[str, str]) -> Profile | None:
    """The stored profile of that name, with or without a server; None without a name. UsageProblem, Problem."""
    return resolve(profile_name(name, document), {}, environ, document=document, need_host=False) if name else None


# The values that have an option of their own.
OPTIONS = ("tenant_id", "client_id", "object_id", "mailbox", "group", "host", "network")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _way(topic: str, ways: Sequence[Mapping[str, Any]], wanted: str, profile: Profile | None) -> Mapping[str, Any]:
    """The way that is named; else the one that a profile goes already, else the usual one."""
    by_name = {way["name"]: way for way in ways}
    if wanted:
        if wanted not in by_name:
            raise UsageProblem(f'The guide {topic} has no way "{wanted}".', f"It has {', '.join(by_name)}.")
        return by_name[wanted]
    grant = profile.oauth.grant if profile and profile.oauth else ""
    preset = profile.preset if profile else ""
    fits = (way for way in ways if grant in way.get("grants", ()) or preset in way.get("presets", ()))
    return next(fits, ways[0])


def _known(
    wanted: Mapping[str, Mapping[str, str]],
    options: Mapping[str, str],
    stored: Mapping[str, str],
    given: Mapping[str, str],
) -> tuple[dict[str, str], dict[str, str]]:
    """The values that are known, and why those of the profile that are wrong are not taken."""
    known, notes = {}, {}
    for name, spec in wanted.items():
        text = given.get(options[name]) or stored.get(name, "")
        if not text:
            continue
        try:
            known[name] = checked(spec["kind"], text)
        except ValueError as error:
            if options[name] not in given:
                notes[name] = f'The profile has "{text}", which {error}.'
            elif name == options[name]:
                raise UsageProblem(f'{_option(name)}: "{text}" {error}', spec["where"]) from None
            else:
                notes[name] = f'"{text}" {error}.'
    return known, notes


def _applies(step: Mapping[str, Any], way: str, known: Mapping[str, str]) -> bool:
    if way not in step.get("ways", [way]):
        return False
    return all(name in known for name in step.get("when", ())) and not any(
        name in known for name in step.get("unless", ())
    )


def _templates(step: Mapping[str, Any]) -> Iterator[str]:
    """Every text of a step that values stand in."""
    for table in (step, step.get("check", {})):
        yield from (table[key] for key in ("title", "text", "place", "shows", *SHELLS) if key in table)
    yield from (trouble["text"] for trouble in step.get("wrong", ()))


def _step(step: Mapping[str, Any], values: Mapping[str, str]) -> Step:
    check = step.get("check")
    return Step(
        title=_filled(step["title"], values),
        text=_filled(step.get("text", ""), values),
        place=_filled(step.get("place", ""), values),
        commands=_commands(step, values),
        check=Check(_filled(check["shows"], values), _commands(check, values)) if check else None,
        wrong=tuple(Trouble(_filled(one["text"], values), one["finding"]) for one in step.get("wrong", ())),
    )


def _commands(table: Mapping[str, Any], values: Mapping[str, str]) -> tuple[Commands, ...]:
    return tuple(
        Commands(shell, tuple(_filled(table[shell].strip(), values, shell).splitlines()))
        for shell in SHELLS
        if shell in table
    )


def _filled(template: str, values: Mapping[str, str], shell: str = "") -> str:
    """The template with its values; for a shell each one is quoted."""

    def value(name: str) -> str:
        return quoted(shell, values[name]) if shell else values[name]

    return PLACE.sub(lambda found: value(found[1]), template)


def _again(topic: str, profile: Profile | None, given: Mapping[str, str], way: str) -> str:
    words = ["smtpctl", "guide", topic, *([profile.name] if profile else []), "--way", way]
    words += [word for name, text in given.items() for word in (_option(name), text)]
    return shlex.join(words)
