"""Where the program starts and ends.

What can be answered at once is answered before typer is imported. A foreseen failure is rendered; anything else is a
defect: a short apology, where its redacted traceback was saved, exit 70. `SMTPCTL_DEBUG=1` shows the traceback.
"""

from __future__ import annotations

import gc
import sys

from smtpctl import __version__

VERSION = frozenset({"--version", "-V"})
VERBOSE = frozenset({"--verbose", "-v"})


def main(argv: list[str] | None = None) -> int:
    """Run one command line (without the program's name); the exit status."""
    gc.disable()  # nothing made while starting is garbage; looking for it costs a fifth of the time
    try:
        return _answer(sys.argv[1:] if argv is None else argv)
    finally:
        gc.enable()
        if argv is None:
            gc.freeze()  # the process ends here


def _answer(arguments: list[str]) -> int:
    if arguments and set(arguments) <= VERSION | VERBOSE and not VERSION.isdisjoint(arguments):
        return _version(verbose=not VERBOSE.isdisjoint(arguments))
    from smtpctl.cli import run

    return run.complete(arguments[1:]) if arguments[:1] == ["__complete"] else run.run(arguments)


def _version(*, verbose: bool) -> int:
    lines = [f"smtpctl {__version__}"]
    if verbose:
        from smtpctl.cli import versions

        lines += versions.lines()
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
