"""`smtpctl guide`: what an administrator sets up at a provider, step by step, with the user's own values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from smtpctl.cli import stored
from smtpctl.cli.command import verb
from smtpctl.cli.options import OUTPUT, Argument, Option, Yes
from smtpctl.cli.terminal import Terminal
from smtpctl.model.errors import UsageProblem
from smtpctl.ops.guide import TOPICS

if TYPE_CHECKING:
    from smtpctl.model.guide import Guide

VALUES = "Values"


Way = Annotated[
    str, Option("--way", "How, where there are several ways (default: as the profile does it).", "WAY", VALUES, False)
]
Tenant = Annotated[str, Option("--tenant-id", "Microsoft Entra tenant (id or domain).", "TENANT", VALUES, False)]
Client = Annotated[str, Option("--client-id", "Id of the application.", "ID", VALUES, False)]
Enterprise = Annotated[str, Option("--object-id", "Object id of the enterprise application.", "ID", VALUES, False)]
Mailbox = Annotated[str, Option("--mailbox", "The mailbox that sends.", "ADDRESS", VALUES, False)]
Group = Annotated[str, Option("--group", "Group whose members may send.", "ADDRESS", VALUES, False)]
Host = Annotated[str, Option("--host", "The relay.", "HOST", VALUES, False)]
Network = Annotated[str, Option("--network", "Address or network of the machine that sends.", "NETWORK", VALUES, False)]


@verb()
def command(
    terminal: Terminal,
    topic: Annotated[
        Literal[TOPICS] | None,  # type: ignore[valid-type]  # which there are is said in one place
        Argument("TOPIC", "What to set up. Without it: what there is."),
    ] = None,
    name: Annotated[str, Argument("PROFILE", "The profile whose values are filled in.")] = "",
    way: Way = "",
    tenant_id: Tenant = "",
    client_id: Client = "",
    object_id: Enterprise = "",
    mailbox: Mailbox = "",
    group: Group = "",
    host: Host = "",
    network: Network = "",
    script: Annotated[
        str | None, Option("--script", "Write its commands as a script; - for stdout.", "FILE", OUTPUT, False)
    ] = None,
    yes: Yes = False,
) -> None:
    """Print the steps that a provider needs, with your values.

    $ smtpctl guide
    $ smtpctl guide m365 office
    $ smtpctl guide m365 --client-id 6f1c0000-1111-4222-8333-444455556666 --mailbox noreply@example.com
    $ smtpctl guide m365 office --way rbac --script setup.ps1
    $ smtpctl guide google-workspace --mailbox noreply@example.com
    $ smtpctl guide relay --way postfix --network 192.0.2.10

    Nothing is run and nobody is asked. What is not known stands as <NAME>, with where to find it. Each step that can be
    checked has its check, and the finding that tells what goes wrong there.
    """
    given = {"tenant_id": tenant_id, "client_id": client_id, "object_id": object_id, "mailbox": mailbox}
    given = {key: value for key, value in {**given, "group": group, "host": host, "network": network}.items() if value}
    if topic is None:
        if given or way or script:
            raise UsageProblem("These options need a topic.", f"There are {', '.join(TOPICS)}.")
        _topics(terminal)
        return
    made = _guide(terminal, topic, name, given, way)
    if script:
        _script(terminal, made, script, yes=yes)
    elif terminal.format == "json":
        terminal.document("guide/1", made.to_json())
    else:
        from smtpctl.render.guide_text import guide_text

        terminal.out(guide_text(terminal.canvas, made))


def _topics(terminal: Terminal) -> None:
    from smtpctl.ops.guide import listing
    from smtpctl.render.guide_text import topics_text

    if terminal.format == "json":
        terminal.document("guide.list/1", {"topics": listing()})
    else:
        terminal.out(topics_text(terminal.canvas, listing()))


def _guide(terminal: Terminal, topic: str, name: str, given: dict[str, str], way: str) -> Guide:
    from smtpctl.ops import guide as ops

    return ops.guide(topic, ops.stored(stored.document(terminal), name, terminal.environ), given, way)


def _script(terminal: Terminal, guide: Guide, file: str, *, yes: bool) -> None:
    from smtpctl.ops.files import new_file, replaces
    from smtpctl.render.guide_script import guide_script

    if not guide.shell:
        raise UsageProblem(f'--script: the way "{guide.way}" has nothing to run; its steps are in a browser.')
    if file == "-" and terminal.format == "json":
        raise UsageProblem("--script - prints the script itself.", "Leave --json out, or name a file.")
    if file == "-":
        terminal.out(guide_script(guide))
        return
    path = Path(file)
    if replaces(path, "--script"):
        terminal.confirm(f"{path} is there already. Write over it?", yes=yes)
    with new_file(path, option="--script") as opened:
        opened.write(guide_script(guide).encode())
    missing = ", ".join(f"<{blank.name}>" for blank in guide.blanks)
    notes = [f"Still to be filled in: {missing}."] if missing else []
    if terminal.format == "json":
        terminal.document("change/1", {"done": f"Wrote {path}.", "notes": notes})
        return
    terminal.out(str(path))
    for note in notes:
        terminal.say(note)
