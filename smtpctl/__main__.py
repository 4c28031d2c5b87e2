"""Where the program starts and ends.

What can be answered at once is answered before typer is imported. A foreseen failure is rendered; anything else is a
defect: a short apology, where its redacted traceback was saved, exit 70. `SMTPCTL_DEBUG=1` lets it through.
"""

from __future__ import annotations

import sys

from smtpctl import __version__


def main(argv: list[str] | None = None) -> int:
    """Run one command line (without the program's name); the exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments in (["--version"], ["-V"]):
        print(f"smtpctl {__version__}")
        return 0
    from smtpctl.cli.run import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
