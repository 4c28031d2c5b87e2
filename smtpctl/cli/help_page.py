"""The page `--help` prints: one sentence, the commonest example first, options in groups. Plain text, no I/O."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from smtpctl.render.canvas import Canvas, fold

FIRST, LAST = ("Arguments", "Options"), ("Output", "Everywhere")  # between them: headings as they come up
NAME_COLUMN, WIDE_NAME_COLUMN, WIDE = 28, 36, 100  # how far names may push the texts to the right
WIDEST_CHOICES = 56  # more than fit beside an option are listed in its text
Row = tuple[str, str]


def command_page(command: Any, context: Any, canvas: Canvas) -> str:
    """The page of one command."""
    return _page(command, context, {}, canvas)


def group_page(group: Any, context: Any, canvas: Canvas) -> str:
    """The page of a group: its commands by section, then the options."""
    sections: dict[str, list[Row]] = {}
    for name, entry in group.entries.items():
        sections.setdefault(entry.section, []).append((name, entry.help))
    return (
        _page(group, context, sections, canvas) + f"\nMore about one command: {context.command_path} COMMAND --help\n"
    )


def option_sections(command: Any, context: Any) -> dict[str, list[Row]]:
    """The command's arguments and options as rows (name, help) under their headings, the common ones last."""
    sections: dict[str, list[Row]] = {name: [] for name in FIRST}
    for parameter in command.get_params(context):
        if not getattr(parameter, "hidden", False):
            heading, row = _row(parameter, context)
            sections.setdefault(heading, []).append(row)
    order = [name for name in sections if name not in LAST] + list(LAST)
    return {name: sections[name] for name in order if sections.get(name)}


def _row(parameter: Any, context: Any) -> tuple[str, Row]:
    panel = getattr(parameter, "rich_help_panel", None)
    if parameter.param_type_name == "argument":
        return panel or "Arguments", (parameter.make_metavar(context), parameter.help or "")
    if "--help" in parameter.opts:
        return "Everywhere", ("    --help", "Show this page.")
    short = [opt for opt in parameter.opts if not opt.startswith("--")]
    name = ("" if short else "    ") + ", ".join([*short, *_long_names(parameter)])
    if not parameter.is_flag and not parameter.count:
        name += " " + _metavar(parameter, context)
    return panel or "Options", (name, _with_default(parameter))


def _long_names(parameter: Any) -> list[str]:
    """The long forms of an option; a flag with both forms is written `--[no-]name`."""
    long = [opt for opt in parameter.opts if opt.startswith("--")]
    both = {f"--no-{name[2:]}" for name in long} & set(parameter.secondary_opts)
    return [f"--[no-]{name[2:]}" for name in long] if both else [*long, *parameter.secondary_opts]


def _metavar(parameter: Any, context: Any) -> str:
    choices = _choices(parameter)
    if not choices:
        return str(parameter.make_metavar(context))
    joined = "|".join(choices)
    return joined if len(joined) <= WIDEST_CHOICES else max(parameter.opts, key=len).lstrip("-").upper()


def _choices(parameter: Any) -> tuple[str, ...]:
    """The values an option can have, unless it says itself how to write them."""
    return () if parameter.metavar else tuple(getattr(parameter.type, "choices", ()))


def _with_default(parameter: Any) -> str:
    text, default, choices = parameter.help or "", parameter.default, _choices(parameter)
    if len("|".join(choices)) > WIDEST_CHOICES:
        text = f"{text.removesuffix('.')}: {', '.join(choices)}."
    if not parameter.show_default or default in (None, False, (), [], "") or parameter.is_flag:
        return text
    return f"{text.removesuffix('.')} (default: {default})."


def _page(command: Any, context: Any, commands: dict[str, list[Row]], canvas: Canvas) -> str:
    sentence, examples, rest = split_help(command.help or "")
    options = option_sections(command, context)
    width = canvas.width
    blocks = [fold(sentence, width)]
    blocks += [[line for example in examples for line in _example(example, width)]] if examples else []
    blocks.append(_usage_lines(command, context, width))
    blocks += [fold(paragraph, width) for paragraph in rest]
    for sections in (commands, options):
        column = _column(sections, width)
        blocks += [[canvas.paint("title", f"{head}:"), *_table(rows, column, width)] for head, rows in sections.items()]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _example(example: str, width: int) -> list[str]:
    """A command line to copy; a long one goes on behind a backslash."""
    first, *rest = fold(example, width - 8) if len(example) > width - 2 else [example]
    lines = [f"  {first}", *(f"      {line}" for line in rest)]
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]


def usage(command: Any) -> str:
    """What may follow the command's name: `[OPTIONS] [TARGET]...`."""
    pieces = ["[OPTIONS]"]
    for parameter in command.params:
        if parameter.param_type_name == "argument" and not parameter.hidden:
            name = parameter.metavar or parameter.name.upper()
            pieces.append((name if parameter.required else f"[{name}]") + ("..." if parameter.nargs == -1 else ""))
    return " ".join([*pieces, "COMMAND ..."] if hasattr(command, "commands") else pieces)


def _usage_lines(command: Any, context: Any, width: int) -> list[str]:
    lead = f"Usage: {context.command_path} "
    lines = fold(usage(command), width - len(lead))
    return [lead + lines[0], *(" " * len(lead) + line for line in lines[1:])]


def split_help(help: str) -> tuple[str, list[str], list[str]]:
    """A command's docstring as (first paragraph, lines that start with `$ `, other paragraphs)."""
    lines = inspect.cleandoc(help).split("\n")
    examples = [line.strip() for line in lines if line.strip().startswith("$ ")]
    text = "\n".join("" if line.strip().startswith("$ ") else line for line in lines)
    paragraphs = [" ".join(p.split()) for p in text.split("\n\n") if p.strip()]
    return (paragraphs[0] if paragraphs else ""), examples, paragraphs[1:]


def _column(sections: Mapping[str, list[Row]], width: int) -> int:
    """Where texts start: after the widest name, but for names that would push them too far."""
    limit = NAME_COLUMN if width < WIDE else WIDE_NAME_COLUMN
    names = [len(name) for rows in sections.values() for name, _ in rows]
    return max((size for size in names if size <= limit), default=limit) + 2


def _table(rows: Iterable[Row], column: int, width: int) -> Iterator[str]:
    for name, text in rows:
        lines = fold(text, max(20, width - column - 2)) or [""]
        if len(name) > column - 2:
            yield f"  {name}"
        else:
            yield f"  {name:<{column}}{lines.pop(0)}".rstrip()
        for line in lines:
            yield " " * (column + 2) + line
