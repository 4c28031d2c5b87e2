"""The one place besides `render` that prints, asks, and knows what kind of terminal this is.

Rules: stdout is data, stderr is talk; nothing asks without a terminal or with `--no-input`; the environment is
read here once for the options every command shares, and handed on as `environ` to `config`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn, TextIO

from smtpctl.model.errors import Problem, UsageProblem
from smtpctl.model.finding import Severity
from smtpctl.model.record import NamedTuple
from smtpctl.model.secret import Secret
from smtpctl.render import FORMATS, renderer
from smtpctl.render.base import Renderer
from smtpctl.render.canvas import Canvas, fold, visible

COLORS = ("auto", "always", "never")
SAMPLE = "✓✗│…"  # what the screens are drawn with
MIN_WIDTH, NO_TERMINAL_WIDTH, MAX_WIDTH = 40, 80, 120
_ASCII_LOCALES = ("C", "POSIX")
_UNSET_CTYPE = (None, "", *_ASCII_LOCALES, "C.UTF-8")
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})


class Shared(NamedTuple):
    """One option every command has: its environment variable, and the value without either."""

    variable: str
    default: Any


SHARED: Mapping[str, Shared] = {
    "config": Shared("SMTPCTL_CONFIG", None),
    "site": Shared("SMTPCTL_SITE", None),
    "format": Shared("SMTPCTL_FORMAT", "text"),
    "no_input": Shared("SMTPCTL_NO_INPUT", False),
    "color": Shared("SMTPCTL_COLOR", "auto"),
    "quiet": Shared("SMTPCTL_QUIET", False),
    "verbose": Shared("SMTPCTL_VERBOSE", 0),
}


class Terminal:
    """Who the command talks to, and how.

    `config` is the configuration file asked for (None: the default place), `site` the scope asked for,
    `format` one of the command's formats, `verbosity` 0 to 3, `width` in columns. `color` and `unicode` are
    for stdout, `err_color` for stderr.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        environ: Mapping[str, str],
        *,
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self.environ = environ
        self.stdin = stdin or sys.stdin
        self.stdout = stdout or sys.stdout
        self.stderr = stderr or sys.stderr
        self.config: Path | None = Path(values["config"]) if values["config"] else None
        self.site: str | None = values["site"]
        self.format: str = values["format"]
        self.quiet: bool = values["quiet"]
        self.verbosity: int = values["verbose"]
        self.no_input: bool = values["no_input"] or not _is_tty(self.stdin)
        self.is_tty = _is_tty(self.stdout)
        self._warned: set[str] = set()
        self.err_is_tty = _is_tty(self.stderr)
        self.color = _wants_color(values["color"], environ, self.stdout)
        self.err_color = _wants_color(values["color"], environ, self.stderr)
        self.unicode = _can_show(self.stdout, environ)
        self.width = width(environ)
        self._passing = ""

    @property
    def canvas(self) -> Canvas:
        """What text is drawn on: stdout as it is."""
        return Canvas(self.width, self.color, self.unicode)

    @property
    def err_canvas(self) -> Canvas:
        """What talk is drawn on: stderr as it is."""
        return Canvas(self.width, self.err_color, self.unicode)

    def renderer(self, schema: str, fail_on: Severity | None = Severity.ERROR) -> Renderer:
        """What writes results in the format asked for; `schema` names the document (`check/1`)."""
        return renderer(
            self.format,
            schema=f"smtpctl.{schema}",
            fail_on=fail_on,
            width=self.width,
            colour=self.color,
            unicode=self.unicode,
            verbose=self.verbosity > 0,
        )

    def out(self, text: str) -> None:
        """Data, to stdout; a missing line end is added. Of nothing nothing comes."""
        self.stdout.write(text if not text or text.endswith("\n") else text + "\n")

    def aside(self) -> TextIO:
        """Stdout, for a file that is to be written there; from now on results go to stderr, as talk does."""
        stdout, self.stdout = self.stdout, self.stderr
        self.is_tty, self.color = self.err_is_tty, self.err_color
        self.unicode = _can_show(self.stdout, self.environ)
        return stdout

    def document(self, schema: str, data: Mapping[str, Any]) -> None:
        """One JSON document with its `schema` (`profile.list/1`), to stdout."""
        from smtpctl.render.to_json import document

        self.out(document(f"smtpctl.{schema}", data))

    def problem(self, problem: Problem, schema: str) -> None:
        """A failure that ends the run: a document where documents are asked for, else to stderr. A format of one command's
        own has no form for it."""
        if self.format != "text" and self.format in FORMATS:
            self.out(self.renderer(schema).problem(problem))
            return
        unicode = _can_show(self.stderr, self.environ)
        drawn = renderer("text", schema=schema, width=self.width, colour=self.err_color, unicode=unicode)
        self.stderr.write(drawn.problem(problem))

    def say(self, text: str) -> None:
        """Talk (progress, what was done), to stderr; silent under `--quiet`."""
        if not self.quiet:
            self.stderr.write(text if text.endswith("\n") else text + "\n")
            self.stderr.flush()

    @property
    def live(self) -> bool:
        """Whether somebody looks on who sees data and talk on one screen, where a line can be taken away again."""
        return self.is_tty and self.err_live

    @property
    def err_live(self) -> bool:
        """Whether somebody sees the talk on a screen where a line can be taken away again."""
        return self.err_is_tty and not self.quiet and self.environ.get("TERM") != "dumb"

    def passing(self, text: str) -> None:
        """Talk that holds for the moment, on a line that the next one takes the place of; empty takes it away."""
        if text or self._passing:
            self._passing = text
            self.stderr.write(f"\r\x1b[K{text}")
            self.stderr.flush()

    def warn(self, text: str) -> None:
        """A warning, to stderr, also under `--quiet`; once in a run, however often it comes up."""
        if text in self._warned:
            return
        self._warned.add(text)
        mark = "\x1b[33mwarning:\x1b[0m" if self.err_color else "warning:"
        self.stderr.write(f"{mark} {visible(text)}\n")

    def detail(self, text: str) -> None:
        """Talk that only `--verbose` shows."""
        if self.verbosity:
            self.say(text)

    def ask(self, question: str, *, option: str, default: str = "") -> str:
        """The user's answer or `default`; UsageProblem naming `option` where nobody can be asked."""
        self._may_ask(question, option)
        self.stderr.write(f"{question} [{default}]: " if default else f"{question}: ")
        self.stderr.flush()
        with self._answering(question, option):
            line = self.stdin.readline()
            if not line:
                raise EOFError
        return line.strip() or default

    def ask_secret(self, question: str, *, option: str = "--password-stdin") -> Secret:
        """A secret, typed without echo; UsageProblem naming `option` where nobody can be asked."""
        self._may_ask(question, option)
        import getpass

        with self._answering(question, option):
            return Secret(getpass.getpass(f"{question}: ", stream=self.stderr))

    def confirm(self, question: str, *, yes: bool) -> None:
        """Return when `yes` or the user agrees; UsageProblem otherwise, before anything was done."""
        if yes:
            return
        if self.ask(f"{question} [y/N]", option="--yes").lower() not in ("y", "yes"):
            raise UsageProblem("Nothing was changed.", "Answer y, or give --yes.")

    @contextmanager
    def _answering(self, question: str, option: str) -> Iterator[None]:
        """Around reading an answer: where none comes, what is said next begins on a line of its own."""
        try:
            yield
        except EOFError:
            self.stderr.write("\n")
            raise UsageProblem(f"{question}: the input ended before an answer", f"Answer it with {option}.") from None
        except KeyboardInterrupt:
            self.stderr.write("\n")
            raise

    def _may_ask(self, question: str, option: str) -> None:
        if self.no_input:
            raise UsageProblem(f"{question}: nobody can be asked here (no terminal, or --no-input)", f"Give {option}.")


def build(given: Mapping[str, Any], formats: tuple[str, ...], environ: Mapping[str, str] | None = None) -> Terminal:
    """A Terminal from the options given (None: not given), else the environment, else the defaults.

    UsageProblem where a value is not understood or the command cannot write the format asked for.
    """
    environ = os.environ if environ is None else environ
    values = {name: _effective(name, given.get(name), environ) for name in SHARED}
    wanted = values["format"]
    known = (*FORMATS, *(name for name in formats if name not in FORMATS))
    if wanted not in known:
        where = "--format" if given.get("format") else f"${SHARED['format'].variable}"
        raise UsageProblem(f"{where}: {wanted!r} is not one of {', '.join(known)}")
    if wanted not in formats:
        if given.get("format"):
            raise UsageProblem(f"--format: this command cannot write {wanted}", f"It writes {', '.join(formats)}.")
        values["format"] = SHARED["format"].default  # a habit set in the environment, meant for other commands
    return Terminal(values, environ)


def width(environ: Mapping[str, str] | None = None) -> int:
    """Columns to write for: the terminal's, at most 120; 80 where there is none. `COLUMNS` wins."""
    columns = (os.environ if environ is None else environ).get("COLUMNS", "")
    wide = int(columns) if columns.isdecimal() else 0
    return max(MIN_WIDTH, min(wide or _columns(), MAX_WIDTH))


def prepare_streams() -> None:
    """Make the standard streams safe to use: what was closed before the start leads nowhere, and no character that the
    terminal's encoding lacks is a crash: it is written as an escape."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  # open to the end
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")


def write(text: str) -> None:
    """Data, before there is a Terminal."""
    sys.stdout.write(text)


def flush() -> None:
    """Hand all data over now, so that a failure to do so is noticed."""
    sys.stdout.flush()


def page_canvas(*, asked: bool = True) -> Canvas:
    """What a help page is drawn on: stdout, or stderr for somebody who did not ask for it."""
    color = _effective("color", None, os.environ)
    return Canvas(width(), _wants_color(color, os.environ, sys.stdout if asked else sys.stderr))


def page(text: str) -> None:
    """A help page to somebody who did not ask for it, on stderr."""
    sys.stderr.write(text)


def complain(message: str, hint: str = "", *, mark: str = "error: ") -> None:
    """Why the program ends, on stderr: one sentence, and what to do about it."""
    if mark and _wants_color("auto", os.environ, sys.stderr):
        mark = f"\x1b[1;31m{mark.rstrip()}\x1b[0m "
    lines = [visible(line) for line in message.split("\n")]
    lines += [f"  {visible(line)}" for text in hint.splitlines() for line in fold(text, width() - 2)]
    sys.stderr.write(mark + "\n".join(lines) + "\n")


def leave_interrupted() -> NoReturn:
    """End the process after Ctrl-C while threads of it still wait: taking the interpreter down under them can crash it."""
    complain("interrupted", mark="")
    flush()
    os._exit(130)


def abandon_stdout() -> None:
    """The reader of our output is gone: keep the interpreter's last flush from complaining about it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def debugging() -> bool:
    """Whether a defect shall be shown as it is."""
    return bool(os.environ.get("SMTPCTL_DEBUG"))


def monitored(arguments: Sequence[str]) -> bool:
    """Whether a monitor has called, as far as a command line tells that may be wrong."""
    return (asked(arguments, "--format") or os.environ.get(SHARED["format"].variable)) == "nagios"


def asked(arguments: Sequence[str], option: str) -> str | None:
    """The value of an option, as far as a command line tells that may be wrong; None where it is not there."""
    words = [part for word in arguments for part in word.split("=", 1)]
    return next((value for word, value in reversed(list(pairwise(words))) if word == option), None)


def environment() -> Mapping[str, str]:
    """The environment, for what runs before there is a Terminal."""
    return os.environ


def _effective(name: str, given: Any, environ: Mapping[str, str]) -> Any:
    shared = SHARED[name]
    if given is not None:
        return given
    text = environ.get(shared.variable, "")
    if not text:
        return shared.default
    if isinstance(shared.default, bool):
        return _flag(shared.variable, text)
    if isinstance(shared.default, int):
        return int(text) if text.isdecimal() else int(_flag(shared.variable, text))
    if name == "color" and text not in COLORS:
        raise UsageProblem(f"${shared.variable}: {text!r} is not one of {', '.join(COLORS)}")
    return text


def _flag(variable: str, text: str) -> bool:
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise UsageProblem(f"${variable}: {text!r} is neither yes nor no", "Use 1 or 0.")


def _columns() -> int:
    """The width of the terminal that stdout is; shutil says the same, but loads every compression library."""
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else NO_TERMINAL_WIDTH
    except (OSError, ValueError):  # no terminal, or a closed stream
        return NO_TERMINAL_WIDTH


def _is_tty(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # no stream at all, or a closed one
        return False


def _wants_color(mode: str, environ: Mapping[str, str], stream: TextIO) -> bool:
    if mode != "auto":
        return mode == "always"
    return _is_tty(stream) and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def _can_show(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether signs beyond ASCII may be written: the encoding has them, and nobody asked for the C locale, for which
    Python takes UTF-8 (PEP 538; it sets LC_CTYPE, PEP 540)."""
    if (environ.get("LC_ALL") or environ.get("LANG")) in _ASCII_LOCALES and environ.get("LC_CTYPE") in _UNSET_CTYPE:
        return False
    try:
        SAMPLE.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
