"""`report`: all that somebody else needs to understand a failure, as one value; and the same with other names.

What is put together holds no secret: it was redacted when it was made. Only a saved transcript may be somebody else's.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from smtpctl.config import presets
from smtpctl.config.fields import FIELDS, Type
from smtpctl.config.profile import Profile
from smtpctl.config.resolve import resolve
from smtpctl.config.store import Document
from smtpctl.model.errors import UsageProblem
from smtpctl.model.foreign import FOREIGN
from smtpctl.model.pseudonyms import Pseudonyms
from smtpctl.model.report import Report
from smtpctl.model.ticket import Ticket
from smtpctl.model.transcript import Kind, Stage, Transcript
from smtpctl.net.probe import resolvers
from smtpctl.ops import show
from smtpctl.ops.check import check
from smtpctl.ops.session import Surroundings

_PORT = re.compile(r"(?:^|connected to )\S+:(\d{1,5})(?::|$)")  # of an address that was tried
_TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR")
# What stands for a setting's value; the others are learned as addresses and hosts, or say nothing about anybody.
_KINDS: Mapping[Type, str] = {
    Type.PATH: "path",
    Type.COMMAND: "argument",
    Type.IGNORES: "reason",
    Type.LIST: "site",
    Type.PINS: "pin",
}


# Public logs of certificates are searched by these.
_MARKS_OF_ONE = {"fingerprint": "sha256", "pin": "pin", "serial": "serial"}
# Of a subject's name (RFC 4514): organisation, its unit, where it is, and a name without a domain.
_WHOSE = re.compile(r"(?:^|,|\+)(?:O|OU|L|ST|STREET|CN(?!=[^,]*\.))=((?:\\.|[^,+\\])+)")


def ticket(profile: Profile, report: Report, versions: Mapping[str, str], environ: Mapping[str, str]) -> Ticket:
    """The report of a check together with where it was made."""
    return Ticket(
        made_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        versions=versions,
        environment=_environment(environ),
        settings=show.profile(profile, origins=True),
        report=report,
    )


def fresh(profile: Profile, around: Surroundings, recipients: Sequence[str]) -> Report:
    """A check made now."""
    return check(profile, around, recipients)


def recalled(profile: Profile, path: Path) -> Report:
    """The session of a transcript that `--transcript` wrote, and what stopped it. UsageProblem for another file."""
    from smtpctl.ops import explain

    text, saved = _read(path)
    transcript = Transcript(one._replace(text=FOREIGN.text(one.text), facts=FOREIGN.facts(one.facts)) for one in saved)
    headline = profile.headline if profile.name else ""  # what it was made with is not known
    return Report(profile.label, transcript, findings=explain.found_in(text), headline=headline)


def server_of(path: Path) -> Profile:
    """The server of such a session: all that it says of its settings. UsageProblem for another file, and where it names
    no server."""
    _, saved = _read(path)
    looked_up = [one.text.rpartition(": ")[0] for one in saved if (one.stage, one.kind) == (Stage.DNS, Kind.ATTEMPT)]
    reached = [one for one in saved if (one.stage, one.kind) == (Stage.CONNECT, Kind.ATTEMPT)]
    ports = [found[1] for one in reached if (found := _PORT.search(one.text))]
    paths = [f"unix:{where}" for one in reached if (where := str(one.facts.get("address", ""))).startswith("/")]
    hosts = [f"[{host}]" if ":" in host else host for host in looked_up]
    targets = paths[-1:] or [":".join((host, *ports[-1:])) for host in hosts[-1:]]
    if not targets:
        raise UsageProblem(
            f"{path} does not say which server it was.", "Name it: smtpctl report HOST --transcript FILE"
        )
    return resolve(targets[0], {}, {}, document=Document(Path("transcript"), exists=False))


def _read(path: Path) -> tuple[str, Transcript]:
    from smtpctl.ops import own_output

    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(own_output.LIMIT)
        return text, Transcript.loads(text)
    except OSError as error:
        raise UsageProblem(f"--transcript {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageProblem(
            f"--transcript {path}: no transcript", "One is written by: smtpctl check --transcript FILE"
        ) from None


def anonymised(made: Ticket, profile: Profile, environ: Mapping[str, str]) -> Ticket:
    """The same with made-up names for people, machines and files."""
    names = Pseudonyms(_public_hosts())
    _learn_profile(names, profile)
    _learn_machine(names, profile, environ)
    _learn_session(names, made.report)
    changed: Ticket = names.value(made)
    return changed._replace(made_at=made.made_at, versions=made.versions, anonymised=True)


def _environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Names of variables, never their values: a proxy's may hold a password."""
    set_ = sorted(name for name, value in environ.items() if value)
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "proxy_variables": [name for name in set_ if name.lower().endswith("_proxy")],
        "smtpctl_variables": [name for name in set_ if name.startswith("SMTPCTL_")],
        "trust_variables": [name for name in _TRUST if environ.get(name)],
        "name_servers": list(resolvers()),
        "ipv6": socket.has_ipv6,
    }


def _public_hosts() -> list[str]:
    """The servers of providers: the same for all who use them."""
    return [endpoint.host for preset in presets.load() for endpoint in preset.endpoints if "{" not in endpoint.host]


def _learn_profile(names: Pseudonyms, profile: Profile) -> None:
    for name in (profile.endpoint.host, profile.tls.sni, profile.tls.verify_name):
        names.host(name)
    if profile.route.proxy:
        proxy = urlsplit(profile.route.proxy)
        names.host(proxy.hostname or "")
        names.learn("user", proxy.username or "")
    display = str(profile.values.get("from", "")).rpartition("<")[0].strip(' "')
    names.learn("person", display)
    for who in (profile.username, profile.sender):
        names.text(who)  # learns addresses
        names.learn("user", "" if "@" in who else who)
        realm, backslash, user = who.partition("\\")  # DOMAIN\user of Windows
        if backslash:
            names.learn("realm", realm)
            names.learn("user", user)
    names.host(profile.helo) if "." in profile.helo else names.learn("host", profile.helo)
    names.learn("profile", profile.name)
    names.learn("profile", profile.extends)
    names.learn("path", profile.sources.get("--config", ""))
    names.learn("site", profile.sources.get("--site", ""))
    if profile.oauth:
        for kind in ("name", "tenant_id", "client_id"):
            names.learn(kind.removesuffix("_id"), getattr(profile.oauth, kind))
    for field in FIELDS:
        kind = _KINDS.get(field.type, "variable" if field.name.endswith("_env") else "")
        for text in _texts(show.plain(profile.values.get(field.name))) if kind else ():
            names.learn(kind, text)


def _learn_machine(names: Pseudonyms, profile: Profile, environ: Mapping[str, str]) -> None:
    """This machine's name, who works at it, and where the configuration is."""
    own = socket.gethostname()
    names.host(own) if "." in own else names.learn("host", own)
    home = environ.get("HOME", "").rstrip("/")
    for user in (*map(environ.get, ("USER", "LOGNAME", "USERNAME")), home.rpartition("/")[2]):
        names.learn("user", user or "")
    for origin in profile.origins.values():
        if origin.kind == "file":
            path = origin.where.rpartition(":")[0]
            for written in (path, path.replace(home, "~", 1) if home else path):
                names.learn("path", written)
    names.learn("path", home)


def _learn_session(names: Pseudonyms, report: Report) -> None:
    """What a server says about itself, and in its certificates."""
    for event in report.transcript:
        if event.kind is Kind.RECEIVED:
            names.hosts_in(event.text)
    for certificate in report.facts.get("certificates", ()):
        for name in certificate["names"]:
            names.host(name.removeprefix("*."))
        names.hosts_in(certificate["subject"])
        for kind, key in _MARKS_OF_ONE.items():
            names.learn(kind, certificate[key])
    for certificate in report.facts.get("certificates", ())[:1]:
        for whose in _WHOSE.findall(certificate["subject"]):
            names.learn("organisation", whose)
    for finding in report.findings:
        for evidence in finding.evidence:
            if evidence.label == "S:":
                names.hosts_in(evidence.text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(value.get("reason", ""))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
