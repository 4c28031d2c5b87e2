"""The manual pages, in mdoc(7).

Other pages are named with `.Nm`, not `.Xr`: the linter wants every page that `.Xr` names to be installed already.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import reference
from reference import Page, Row

from smtpctl.cli.parameters import sentence
from smtpctl.config.fields import Field

# When the words that are written by hand last changed; the pages must be the same on every machine.
DATE = "November 21, 2026"
SHARED = "Everywhere"
_SENTENCE = re.compile(r"(?<=[\w)\"'\]][.!?]) +")


def pages(program: Page) -> Iterator[tuple[str, str]]:
    """(file name, text) of every page."""
    yield "smtpctl.1", _program_page(program)
    for command in program.children:
        yield f"smtpctl-{command.name}.1", _command_page(command)
    yield "smtpctl.toml.5", _settings_page()


def _program_page(program: Page) -> str:
    commands: list[Row] = [(f"smtpctl-{page.name}(1)", f"{page.help}.") for page in program.children]
    return _join(
        _head("smtpctl", "1", "configure, test and debug SMTP"),
        ["Sh SYNOPSIS", "Nm", "Op Ar options", "Ar command", "Op Ar arguments"],
        ["Sh DESCRIPTION", *_text(program.sentence), *(line for p in program.paragraphs for line in _paragraph(p))],
        ["Ss Commands", *_list(commands, _reference)],
        ["Ss Options of every command", *_list(program.sections[SHARED], _option)],
        ["Sh ENVIRONMENT", *_list(reference.environment(), _variable)],
        _paragraph("The settings of a profile have variables too, see smtpctl.toml(5)."),
        ["Sh FILES", *_list(reference.FILES.items(), _path)],
        ["Sh EXIT STATUS", *_list(reference.exit_status(), _plain)],
        _paragraph(reference.MONITORING),
        _paragraph(reference.SWAKS),
        _examples(program.examples),
        ["Sh SEE ALSO", *_see_also([*(f"smtpctl-{p.name}(1)" for p in program.children), "smtpctl.toml(5)"])],
        ["Sh NOTES", *_text(reference.OPENSMTPD)],
    )


def _command_page(command: Page) -> str:
    title = f"smtpctl-{command.name}"
    synopsis = [line for page in (command.children or (command,)) for line in _synopsis(page)]
    body = [line for child in command.children for line in _subcommand(child)] or _sections(command)
    examples = command.examples or tuple(line for child in command.children for line in child.examples[:1])
    return _join(
        _head(title, "1", _lower(command.help)),
        ["Sh SYNOPSIS", *synopsis],
        ["Sh DESCRIPTION", *_text(command.sentence), *(line for p in command.paragraphs for line in _paragraph(p))],
        body,
        ["Ss Options of every command", *_text("They are in smtpctl(1), and so is the exit status.")],
        _examples(examples),
        ["Sh SEE ALSO", *_see_also(["smtpctl(1)", "smtpctl.toml(5)"])],
    )


def _settings_page() -> str:
    tables = [
        [
            f"Ss {table.name}",
            *_text(f"Written as {table.header}. {table.meaning}"),
            *_list(((f.name, _setting(f)) for f in table.fields), _key),
        ]
        for table in reference.TABLES
    ]
    variables = list(reference.settings_environment())
    return _join(
        _head("smtpctl.toml", "5", "configuration of smtpctl"),
        ["Sh DESCRIPTION", *_text(_SETTINGS_INTRODUCTION)],
        *tables,
        ["Sh ENVIRONMENT", *_text("Each of these sets a setting for one run."), *_list(variables, _variable)],
        ["Sh FILES", *_list(reference.FILES.items(), _path)],
        ["Sh EXAMPLES", *_literal(_SETTINGS_EXAMPLE.splitlines())],
        ["Sh SEE ALSO", *_see_also(["smtpctl(1)", "smtpctl-config(1)", "smtpctl-profile(1)"])],
    )


_SETTINGS_INTRODUCTION = (
    "The file is TOML. It begins with version = 1. What a table leaves out has the default. "
    "A value counts in this order: option, the TARGET given as an address, environment variable, the profile, "
    "the profiles it extends, default; a preset stands right behind whoever names it. "
    "smtpctl writes the file with mode 0600 and keeps the comments and the order of what was written by hand. "
    "Settings that end in _file, _env, _command and _keyring say where a secret is; the first one that is set counts."
)
_SETTINGS_EXAMPLE = """version = 1

[global]
default_profile = "office"

[profiles.office]
preset = "microsoft365"
username = "noreply@example.com"
from = "noreply@example.com"
password_keyring = true

[profiles.relay]
host = "relay.example.com"
port = 587
tls = "starttls"
auth = "none"
sites = ["shop"]
"""


def _setting(field: Field) -> str:
    value = "" if field.secret else f" Value: {reference.value_of(field)}."
    return sentence(field) + value


def _lower(text: str) -> str:
    """`text` as it stands within a line: abbreviations keep their capitals."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _head(name: str, section: str, what: str) -> list[str]:
    return [f"Dd {DATE}", f"Dt {name.upper()} {section}", "Os", "Sh NAME", f"Nm {name}", f"Nd {_guard(what)}"]


def _synopsis(page: Page) -> list[str]:
    lines = [f"Nm {page.path}"]
    for piece in page.usage.split():
        optional = piece.startswith("[")
        name = piece.replace("[", "").replace("]", "").lower().removesuffix("...")
        dots = " ..." if piece.endswith("...") else ""
        lines.append(f"{'Op Ar' if optional else 'Ar'} {name}{dots}")
    return lines


def _subcommand(page: Page) -> list[str]:
    name = page.path.removeprefix("smtpctl ")
    text = [line for paragraph in page.paragraphs for line in _paragraph(paragraph)]
    return [f"Ss {name}", *_text(page.sentence), *text, *_sections(page, nested=True)]


def _sections(page: Page, *, nested: bool = False) -> list[str]:
    lines = []
    for heading, rows in page.sections.items():
        if heading != SHARED:
            lines += [*([] if nested else [f"Ss {heading}"]), *_list(rows, _option)]
    return lines


def _list(rows: Iterable[Row], term: Callable[[str], str]) -> list[str]:
    lines = ["Bl -tag -width Ds"]
    for name, text in rows:
        lines += [f"It {term(name)}", *_text(text)]
    return [*lines, "El"]


def _option(name: str) -> str:
    """`-q, --quiet`, `--host HOST`, `SHELL` as macros."""
    parts = []
    for form in name.strip().split(", "):
        flag, _, value = form.partition(" ")
        if not flag.startswith("-"):
            return f"Ar {form}"
        parts.append(f"Fl {flag[1:]}" + (f" Ar {value}" if value else ""))
    return " , ".join(parts)


def _reference(name: str) -> str:
    page, _, section = name.rstrip(")").partition("(")
    return f"Nm {page} Ns Pq {section}"


def _variable(name: str) -> str:
    return f"Ev {name}"


def _path(name: str) -> str:
    return "Pa " + name.replace("\\", "\\e")


def _key(name: str) -> str:
    return f"Cm {name}"


def _plain(name: str) -> str:
    return name


def _see_also(names: list[str]) -> list[str]:
    lines = [_reference(name) for name in names]
    return [f"{line} ," for line in lines[:-1]] + lines[-1:]


def _examples(examples: Iterable[str]) -> list[str]:
    lines = tuple(examples)
    return ["Sh EXAMPLES", *_literal(lines)] if lines else []


def _literal(lines: Iterable[str]) -> list[str]:
    return ["Bd -literal -offset indent", *(f"\0{_guard(line)}" for line in lines), "Ed"]


def _paragraph(text: str) -> list[str]:
    return ["Pp", *_text(text)]


def _text(text: str) -> list[str]:
    """Text lines, one sentence a line or more; marked so that they are not taken for macros."""
    return [f"\0{_guard(line)}" for part in _SENTENCE.split(text) for line in reference.wrapped(part)]


def _guard(text: str) -> str:
    text = text.replace("\\", "\\e")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def _join(*blocks: list[str]) -> str:
    """Blocks of macro lines (without their dot) and text lines (behind a NUL) as one file."""
    lines = [line[1:] if line.startswith("\0") else f".{line}" for block in blocks for line in block]
    return '.\\" Generated by tools/generate.py; change the program instead.\n' + "\n".join(lines) + "\n"
