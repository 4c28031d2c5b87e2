"""The sending settings of a scope: defaults < [global] < [sites.NAME] < environment, every value with its origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smtpctl.config import faults, values
from smtpctl.config.fields import SCOPE_FIELDS, Field
from smtpctl.config.problems import did_you_mean, finding, problem
from smtpctl.config.profile import Origin, Scope
from smtpctl.config.store import Document
from smtpctl.model.command import quoted
from smtpctl.model.errors import UsageProblem

GLOBAL = "(global)"


def site_name(written: str | None) -> str:
    """The name of a site, empty for `(global)`; UsageProblem where it is none."""
    if not written or written == GLOBAL:
        return ""
    try:
        return values.name_word(written, "site")
    except values.BadValueError as error:
        raise UsageProblem(f"--site: {error}", f"Use --site '{GLOBAL}' for what belongs to no site.") from None


def sites(document: Document) -> list[str]:
    """The sites that there are: those with a table, then those that only profiles name."""
    return [
        *document.sites,
        *sorted({site for table in document.profiles.values() for site in limits(table)} - set(document.sites)),
    ]


def limits(profile: Mapping[str, Any]) -> list[str]:
    """The sites that a profile of the file is for; none: all of them."""
    named = profile.get("sites", [])
    return [named] if isinstance(named, str) else list(named) if isinstance(named, list) else []


def known_site(document: Document, site: str) -> str:
    """The site, empty for `(global)`; UsageProblem with the nearest one where there is none of that name."""
    site = "" if site == GLOBAL else site
    if site and site not in sites(document):
        message = f'There is no site "{site}".{did_you_mean(site, sites(document))}'
        raise UsageProblem(message, f"See: smtpctl site list. To add it: smtpctl site add {quoted(site)}")
    return site


def resolve_scope(document: Document, site: str, environ: Mapping[str, str]) -> Scope:
    """The scope of a site, or of `(global)` (also as the empty text). What is not set for a site comes from global.

    UsageProblem for a site that is not there, Problem `config.invalid_value` with the place where a value is not understood.
    """
    site = known_site(document, site)
    found = {field.name: _value(field, document, site, environ) for field in SCOPE_FIELDS}
    effective: dict[str, Any] = {name: value for name, (value, _) in found.items()}
    return Scope(site, **effective, origins={name: origin for name, (_, origin) in found.items()})


def _value(field: Field, document: Document, site: str, environ: Mapping[str, str]) -> tuple[Any, Origin]:
    written = environ.get(field.env, "")
    if written:
        try:
            return values.parse(field, written), Origin("environment", f"${field.env}")
        except values.BadValueError as error:
            title = f"${field.env}: {error}"
            fix = "Correct the variable, or unset it."
            raise problem(finding("config.invalid_value", title, fix=fix)) from None
    places: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [(("global",), document.globals)]
    if site and not field.global_only:
        places.insert(0, (("sites", site), document.sites.get(site, {})))
    for path, table in places:
        if field.name in table:
            try:
                value = values.parse(field, table[field.name])
            except values.BadValueError as error:
                raise problem(faults.bad_value(document, (*path, field.name), str(error))) from None
            location = document.locate(*path, field.name)
            return value, Origin("file", f"{location.path}:{location.line}", "site" if len(path) > 1 else "global")
    return field.default, Origin("default")
