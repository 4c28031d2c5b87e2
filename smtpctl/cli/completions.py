"""`smtpctl completions`: print the completion script of a shell."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from smtpctl.cli.group import verb
from smtpctl.cli.options import TEXT
from smtpctl.cli.terminal import Terminal

SHELLS = ("bash", "zsh", "fish", "powershell")


@verb(formats=TEXT)
def command(
    terminal: Terminal,
    shell: Annotated[Literal[SHELLS], typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell.")],  # type: ignore[valid-type]
) -> None:
    """Print the completion script of a shell.

    $ smtpctl completions bash > ~/.local/share/bash-completion/completions/smtpctl
    $ smtpctl completions fish > ~/.config/fish/completions/smtpctl.fish
    """
    terminal.out(shell)
