"""The findings that both reading one profile (`config.resolve`) and looking at the whole file (`config.review`) come
to: the same words and the same place from both, so that a report names a fault once.
"""

from __future__ import annotations

from collections.abc import Sequence

from smtpctl.config.problems import did_you_mean, finding
from smtpctl.config.store import Document
from smtpctl.model.command import quoted, sourced
from smtpctl.model.finding import Finding


def bad_value(document: Document, path: Sequence[str], error: str) -> Finding:
    """A value that its setting cannot take; `path` is the setting's."""
    where = f"[{'.'.join(path[:-1])}] {path[-1]}"
    target = path[-2] if len(path) > 2 else ""
    return finding("config.invalid_value", f"{where}: {error}", target=target, fix="Correct the value.",
                   location=document.locate(*path))  # fmt: skip


def port_conflict(document: Document, name: str, port: object, in_host: int) -> Finding:
    """`host = "a:587"` beside another `port`."""
    return finding(
        "config.port_conflict",
        f"[profiles.{name}] port: {port} and {in_host} in the host differ",
        fix="Give the port once.",
        commands=[sourced(f"smtpctl profile set {quoted(name)} port={in_host}", document.sources)],
        target=name,
        location=document.locate("profiles", name, "port"),
    )


def no_parent(document: Document, name: str, parent: str) -> Finding:
    """`extends` names a profile that is not there."""
    title = f'[profiles.{name}] There is no profile "{parent}" to extend.{did_you_mean(parent, document.profiles)}'
    return finding("config.extends_missing", title, fix="Name a profile that is there.", target=name,
                   location=document.locate("profiles", name, "extends"))  # fmt: skip


def circle(document: Document, members: Sequence[str]) -> Finding:
    """Profiles that extend each other, told from the one that stands first in the file."""
    first = next(name for name in document.profiles if name in members)
    at = members.index(first)
    around = [*members[at:], *members[:at], first]
    return finding(
        "config.extends_cycle",
        f"Profiles extend each other in a circle: {' -> '.join(around)}",
        fix="Break the circle.",
        commands=[sourced(f"smtpctl profile unset {quoted(first)} extends", document.sources)],
        target=first,
        location=document.locate("profiles", first, "extends"),
    )


def no_preset(document: Document, name: str, preset: str, known: Sequence[str]) -> Finding:
    """`preset` names one that does not exist."""
    title = f'[profiles.{name}] There is no preset "{preset}".{did_you_mean(preset, known)}'
    return finding("config.preset_missing", title, fix="Choose one that there is.", commands=["smtpctl preset list"],
                   target=name, location=document.locate("profiles", name, "preset"))  # fmt: skip


def no_oauth(document: Document, name: str, oauth: str) -> Finding:
    """`oauth` names credentials that are not there."""
    title = f'[profiles.{name}] There are no OAuth 2.0 credentials "{oauth}".{did_you_mean(oauth, document.oauth)}'
    return finding("config.oauth_missing", title, fix=f"Write them as [oauth.{oauth}], or correct the name.",
                   target=name, location=document.locate("profiles", name, "oauth"))  # fmt: skip


def no_default(document: Document, site: str, name: str) -> Finding:
    """`default_profile` of a site (or of global, when empty) names a profile that is not there."""
    path = ("sites", site) if site else ("global",)
    title = f'[{".".join(path)}] default_profile: There is no profile "{name}".{did_you_mean(name, document.profiles)}'
    command = "smtpctl profile default NAME" + (f" --site {quoted(site)}" if site else "")
    return finding("config.default_missing", title, fix="Choose another one.", commands=[sourced(command, document.sources)],
                   location=document.locate(*path, "default_profile"))  # fmt: skip
