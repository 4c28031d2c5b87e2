"""What `check` does with each target, besides the check itself: one mode at a time, one function a mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from smtpctl.config.profile import Profile
from smtpctl.model.errors import UsageProblem
from smtpctl.model.record import NamedTuple

if TYPE_CHECKING:
    from smtpctl.cli.live import Work
    from smtpctl.ops.files import Put


class Wish(NamedTuple):
    """The options of the modes: addresses of --to, `everything` for --all, `go_on` for --yes, the `file` of a baseline, and
    whether it is of a check with --deep; `others` go with any mode that makes a whole check, `put` writes a file."""

    recipients: Sequence[str]
    everything: bool
    connections: int
    go_on: bool
    probes: Sequence[str]
    file: Path | None
    deep: bool = False
    others: tuple[str, ...] = ()
    put: Put | None = None


def only(modes: Mapping[str, object]) -> str:
    """The one mode that was asked for, empty without; a baseline may be of a check with --deep. UsageProblem for two."""
    asked = [name for name, wanted in modes.items() if wanted]
    if "--deep" in asked and _OF_DEEP & set(asked):
        asked.remove("--deep")
    if len(asked) > 1:
        raise UsageProblem(f"{' and '.join(asked)} do not go together", "Give one of them; run the other after it.")
    return asked[0] if asked else ""


def judge(mode: str, wish: Wish) -> None:
    """UsageProblem for options that the mode has no use for."""
    if mode == "--probe" and wish.everything:
        raise UsageProblem("--probe and --all do not go together", "Name the servers of your own.")
    if mode == "--matrix" and wish.recipients:
        raise UsageProblem("--to and --matrix do not go together", "The matrix leaves each session after its login.")
    if mode == "--matrix" and wish.others:
        raise UsageProblem(f"{wish.others[0]} and --matrix do not go together", "Check without the matrix first.")
    if wish.connections < 1:
        raise UsageProblem("--max-connections: at least 1")


def work(mode: str, chosen: Sequence[Profile], wish: Wish) -> Work:
    """What to do with each of the `chosen`. UsageProblem where the mode cannot be done with them."""
    made = _WORKS[mode](chosen, wish)
    return lambda profile, around: made(profile, around._replace(others=wish.others))


def keeping_chain(work: Work, chosen: Sequence[Profile], path: Path, put: Put) -> Work:
    """The work, with the certificates that the server shows written to `path`."""
    from smtpctl.ops import chain_file

    _one(chain_file.OPTION, chosen)
    return lambda profile, around: chain_file.saved(work(profile, around), path, put)


def _check(_chosen: Sequence[Profile], wish: Wish) -> Work:
    from smtpctl.ops.check import check

    return lambda profile, around: check(profile, around, wish.recipients)


def _deep(_chosen: Sequence[Profile], wish: Wish) -> Work:
    from smtpctl.ops.deep import check_deep

    return lambda profile, around: check_deep(profile, around, wish.recipients, wish.connections)


def _suggest(_chosen: Sequence[Profile], wish: Wish) -> Work:
    from smtpctl.ops.suggest import check_and_suggest

    return lambda profile, around: check_and_suggest(profile, around, wish.recipients)


def _matrix(_chosen: Sequence[Profile], wish: Wish) -> Work:
    from smtpctl.ops.matrix import check_matrix

    return lambda profile, around: check_matrix(profile, around, wish.go_on)


def _probe(chosen: Sequence[Profile], wish: Wish) -> Work:
    from smtpctl.ops.probes import check_and_probe, refuse

    for profile in chosen:
        refuse(profile, wish.probes, wish.recipients)
    return lambda profile, around: check_and_probe(profile, around, wish.recipients, wish.probes)


def _save(chosen: Sequence[Profile], wish: Wish) -> Work:
    from smtpctl.ops import baseline

    file, put = _file(baseline.OPTION, chosen, wish), wish.put
    assert put
    look, options = _looked(chosen, wish)
    return lambda profile, around: baseline.saved(look(profile, around), profile, file, options, put)


def _compare(chosen: Sequence[Profile], wish: Wish) -> Work:
    from smtpctl.ops import baseline

    file = _file("--compare", chosen, wish)
    look, options = _looked(chosen, wish)
    then = baseline.read(file, chosen[0], options)
    return lambda profile, around: baseline.compared(look(profile, around), profile, file, then, options)


def _looked(chosen: Sequence[Profile], wish: Wish) -> tuple[Work, list[str]]:
    """The check that a baseline is of, and its options."""
    options = [word for address in wish.recipients for word in ("--to", address)]
    return (_deep(chosen, wish), [*options, "--deep"]) if wish.deep else (_check(chosen, wish), options)


def _file(mode: str, chosen: Sequence[Profile], wish: Wish) -> Path:
    """The file of a baseline, which is of one server."""
    _one(mode, chosen)
    assert wish.file
    return wish.file


def _one(option: str, chosen: Sequence[Profile]) -> None:
    if len(chosen) > 1:
        raise UsageProblem(f"{option} is about one server", "Name one target.")


_OF_DEEP = frozenset({"--save-baseline", "--compare"})
_Make: TypeAlias = "Callable[[Sequence[Profile], Wish], Work]"
_WORKS: Mapping[str, _Make] = {
    "": _check,
    "--deep": _deep,
    "--suggest": _suggest,
    "--matrix": _matrix,
    "--probe": _probe,
    "--save-baseline": _save,
    "--compare": _compare,
}
