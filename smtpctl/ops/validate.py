"""`validate`: whether the configuration is right, as far as that can be said without a network."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from smtpctl.checks import settings as rules
from smtpctl.config import presets, store
from smtpctl.config.profile import Profile
from smtpctl.config.resolve import resolve
from smtpctl.config.review import review
from smtpctl.config.scope import resolve_scope
from smtpctl.config.store import Document
from smtpctl.knowledge.families import entry
from smtpctl.model.errors import Problem
from smtpctl.model.finding import Finding, Ignore, Ignored, Location
from smtpctl.model.record import NamedTuple
from smtpctl.ops import ignore as ignores
from smtpctl.ops import static
from smtpctl.ops.advice import personal

# Variables that Azure App Service sets for its processes.
_AZURE = ("WEBSITE_SITE_NAME", "WEBSITE_INSTANCE_ID")


class Validation(NamedTuple):
    """`findings` in the order of the file; `subject` says what was looked at (`2 profiles`)."""

    findings: tuple[Finding, ...]
    subject: str
    ignored: tuple[Ignored, ...] = ()


def validate(
    document: Document,
    names: Sequence[str],
    overrides: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    site: str = "",
    platform: str = "",
    ignore: Sequence[str] = (),
) -> Validation:
    """Judge the profiles named, or all of them and the scopes; options stand in for or over a profile's settings.

    Problems of single profiles (a broken value, a missing parent) become findings beside the others.
    """
    findings: list[Finding] = []
    everywhere = ignores.given(ignore)
    own: dict[str, tuple[Ignore, ...]] = {}
    whole = not names and not overrides
    if whole:
        findings += review(document)
        findings += _scopes(document, environ)
        findings += _enabled(document)
    targets: Sequence[str | None] = list(document.profiles) if whole else list(names) or [None]
    azure = platform == "azure" or (not platform and any(name in environ for name in _AZURE))
    for target in targets:
        if target and target in document.profiles:
            findings += ignores.of_file(document, target)
        try:
            profile = resolve(target, overrides, environ, document=document, site=site)
            own[profile.label] = profile.ignores
            senders = _senders(profile, document, environ)
        except Problem as problem:
            findings.append(problem.finding)
        else:
            preset = _by_host(profile.endpoint.host)
            findings += static.judge(profile, document, preset, senders)
            findings += _delivery(profile, document, azure)
            findings += _client_certificate(profile, document)
    told = [_of_profile(finding, document) for finding in sorted(dict.fromkeys(findings), key=_place)]
    counted, ignored = _split(told, own, everywhere)
    return Validation(counted, _counted(len(targets), "profile"), ignored)


def validate_files(
    paths: Sequence[Path], environ: Mapping[str, str], *, site: str = "", platform: str = "", ignore: Sequence[str] = ()
) -> Validation:
    """The same for several files as a whole. What is wrong with one (a broken line, no such file) is a finding beside those
    of the others."""
    findings: list[Finding] = []
    ignored: list[Ignored] = []
    profiles = 0
    for path in dict.fromkeys(paths):
        try:
            document = store.read(path, environ)
        except Problem as problem:
            findings.append(problem.finding)
            continue
        found = validate(document, (), {}, environ, site=site, platform=platform, ignore=ignore)
        findings += found.findings
        ignored += found.ignored
        profiles += len(document.profiles)
    return Validation(
        tuple(findings), f"{_counted(len(paths), 'file')}, {_counted(profiles, 'profile')}", tuple(ignored)
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _split(
    findings: Sequence[Finding], own: Mapping[str, Sequence[Ignore]], everywhere: Sequence[Ignore]
) -> ignores.Split:
    """Findings that count, and those that `--ignore` or the profile they are about ignores."""
    counted: list[Finding] = []
    ignored: list[Ignored] = []
    for finding in findings:
        wishes = (*own.get(finding.target, ()), *everywhere)
        counts, does_not = ignores.split([finding], wishes, static.stops)
        counted += counts
        ignored += does_not
    return tuple(counted), tuple(ignored)


def _of_profile(finding: Finding, document: Document) -> Finding:
    """The finding with the profile that it is about before its title, where it does not say so itself."""
    if finding.target not in document.profiles or finding.title.startswith("["):
        return finding
    return finding._replace(title=f"[profiles.{finding.target}] {finding.title}")


def _place(finding: Finding) -> tuple[str, int, int, int]:
    where = finding.location or Location("", 0)
    return where.path, where.line, where.column, -finding.severity


def _enabled(document: Document) -> Iterator[Finding]:
    try:
        static.enabled(document)
    except Problem as problem:
        yield problem.finding


def _senders(profile: Profile, document: Document, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The From addresses of the mails that take this profile: its own, else those of the scopes it is the default of."""
    if profile.sender and profile.origins["from"].scope not in ("site", "global"):
        return ()
    scopes = [resolve_scope(document, site, environ) for site in ("", *document.sites)]
    return tuple(dict.fromkeys(s.sender for s in scopes if s.sender and s.default_profile == profile.name))


def _by_host(host: str) -> presets.Preset | None:
    suggestions = presets.suggest(host=host) if host else ()
    return suggestions[0].preset if suggestions else None


def _scopes(document: Document, environ: Mapping[str, str]) -> Iterator[Finding]:
    for site in ("", *document.sites):
        try:
            scope = resolve_scope(document, site, environ)
        except Problem as problem:
            yield problem.finding
            continue
        table = ("sites", site) if site else ("global",)
        keys = document.sites.get(site, {}) if site else document.globals

        def locate(key: str, table: tuple[str, ...] = table, keys: Mapping[str, Any] = keys) -> Location | None:
            return document.locate(*table, key) if key in keys else None

        # A site that only inherits the switch is told of once, at the scope that set it.
        if not site or "emails_enabled" in keys:
            yield from rules.judge_scope(rules.ScopeSettings(site, scope.emails_enabled, scope.batch_size, locate))


def _delivery(profile: Profile, document: Document, azure: bool) -> Iterator[Finding]:
    """Pickup folders: allowed here at all, and writable for real."""
    if profile.delivery == "network":
        return
    where = document.locate("profiles", profile.name, "delivery") if profile.name in document.profiles else None
    about: dict[str, Any] = {"target": profile.name, "location": where, "profile": profile.name}
    if azure:
        yield entry("config.azure_network_only").finding(**about)
    elif profile.delivery == "iis" and not profile.pickup_dir and os.name != "nt":
        yield entry("config.iis_missing").finding(**about)
    elif profile.pickup_dir and (reason := _unwritable(Path(profile.pickup_dir))):
        yield entry("config.pickup_not_writable").finding(**about, path=profile.pickup_dir, reason=reason)


def _client_certificate(profile: Profile, document: Document) -> Iterator[Finding]:
    """What our own certificate is for."""
    if not profile.tls.client_cert:
        return
    from smtpctl.checks.certificate import client_purpose
    from smtpctl.net.certificate import of_file

    path = profile.tls.client_cert
    where = document.locate("profiles", profile.name, "client_cert") if profile.name in document.profiles else None
    about: dict[str, Any] = {"target": profile.name, "location": where, "profile": profile.name or "<profile>"}
    for finding in client_purpose(of_file(path), path, **about):
        yield personal(finding, profile)


def _unwritable(folder: Path) -> str:
    """Why nothing can be written there, by doing it; empty where it works."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".smtpctl-"):
            return ""
    except PermissionError as error:
        return f"{error.strerror}{_rights(folder)}"
    except OSError as error:
        return error.strerror or str(error)


def _rights(folder: Path) -> str:
    """Whose the folder is and who asks, where rights are that simple."""
    if os.name == "nt":
        return ""
    found = folder.stat()
    return f"; mode {found.st_mode & 0o7777:o}, user {found.st_uid}, group {found.st_gid}; this is user {os.geteuid()}"
