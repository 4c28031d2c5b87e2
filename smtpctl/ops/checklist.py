"""`check --list`: which checks there are and what each can find, from the declarations that a run goes by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtpctl.checks.registry import CHECKS, SESSION, deep_checks
from smtpctl.knowledge.families import MX, SUBMISSION, entry
from smtpctl.model.checklist import Findable, Listed

ALWAYS, AFTERWARDS = "always", "after a failure"


def listing() -> tuple[Listed, ...]:
    """Every check, in the order of a run; what is asked for by name comes last."""
    return (*_session(), *_looks(), *_deep(), *_matrix(), *_compare(), *_others(), *_probes(), _mail())


def _session() -> Iterator[Listed]:
    for stage, ids in SESSION.items():
        yield Listed(f"session: {stage.value}", ALWAYS, "", _findable(ids))
    for check in CHECKS:
        yield Listed(check.name, ALWAYS, check.needs.value, _findable(check.emits))


def _looks() -> Iterator[Listed]:
    from smtpctl.ops.second import LOOKS

    for look in LOOKS:
        does = f"after {', '.join(look.after)}; a connection or two more"
        yield Listed(f"second look: {look.name}", AFTERWARDS, "", _findable(look.emits), does, slow=True)


def _deep() -> Iterator[Listed]:
    does = "many short connections"
    for check in deep_checks():
        yield Listed(check.name, "--deep", "tls", _findable(check.emits), does, slow=True)


def _matrix() -> Iterator[Listed]:
    does = "a login with each mechanism that the server offers"
    yield Listed("login mechanisms", "--matrix", "ehlo", _findable(("auth.mechanism_defective",)), does, slow=True)


def _compare() -> Iterator[Listed]:
    from smtpctl.checks.drift import JUDGES

    yield Listed("changes", "--compare FILE", "", _findable(tuple(JUDGES)), "compares with a baseline that was saved")


def _others() -> Iterator[Listed]:
    from smtpctl.ops import aia, revocation

    does = f"after {', '.join(aia.AFTER)}; asks the authority, and proves what is missing"
    yield Listed(aia.NAME, "--fetch-aia", "tls", (), does, slow=True)
    does = "asks the authority, by OCSP or else its list"
    yield Listed(revocation.NAME, "--revocation", "tls", _findable((revocation.REVOKED,)), does, slow=True)


def _probes() -> Iterator[Listed]:
    from smtpctl.ops.probes import PROBES

    for probe in PROBES:
        when = f"--probe {probe.name}"
        yield Listed(f"probe {probe.name}", when, "ehlo", _findable(probe.emits), probe.does, intrusive=True)


def _mail() -> Listed:
    """What depends on the mail, which a check does not have."""
    ids = ("smtp.size_too_small", "smtp.dsn_missing", "smtp.requiretls_missing")
    return Listed("the mail", "with test-send", "ehlo", _findable(ids), "what the mail needs and the server has not")


def _findable(ids: Sequence[str]) -> tuple[Findable, ...]:
    found = []
    for id in ids:
        known = entry(id)
        submission, mx = (known.severity_for(role).label if known.concerns(role) else "" for role in (SUBMISSION, MX))
        found.append(Findable(id, submission, mx, known.finding().title))
    return tuple(found)
