"""`smtpctl completions`: print the completion script of a shell. The scripts are the files in `cli/shell`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from smtpctl.cli.command import verb
from smtpctl.cli.options import TEXT, Argument
from smtpctl.cli.terminal import Terminal

SCRIPTS = {"bash": "smtpctl.bash", "zsh": "smtpctl.zsh", "fish": "smtpctl.fish", "powershell": "smtpctl.ps1"}
FOLDER = Path(__file__).parent / "shell"


@verb(formats=TEXT)
def command(
    terminal: Terminal,
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"],
        Argument(metavar="SHELL", help="bash, zsh, fish or powershell."),
    ],
) -> None:
    """Print the completion script of a shell.

    $ smtpctl completions bash > ~/.local/share/bash-completion/completions/smtpctl
    $ smtpctl completions zsh > ~/.zfunc/_smtpctl
    $ smtpctl completions fish > ~/.config/fish/completions/smtpctl.fish
    $ smtpctl completions powershell >> $PROFILE

    Commands, options and their values are completed, and the names of profiles, presets and sites.
    """
    terminal.out((FOLDER / SCRIPTS[shell]).read_text(encoding="utf-8"))
