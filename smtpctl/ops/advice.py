"""What to do next, in the user's own names: a finding's commands filled for one profile, and the one that ends a report.

The knowledge base writes commands for anybody (`smtpctl profile set <profile> ...`, `user@contoso.com`). Here they
become lines that can be pasted, a session with the server always with the options of the run (`carried`). A command that
has no meaning without a stored profile is left out where there is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from smtpctl.config.fields import FIELDS, Field, Type
from smtpctl.config.profile import OAuth, Profile
from smtpctl.config.secrets import refs
from smtpctl.config.store import Document
from smtpctl.knowledge.families import FAMILIES
from smtpctl.model.command import quoted, sourced
from smtpctl.model.finding import Cause, Finding, Remedy
from smtpctl.model.report import Report
from smtpctl.model.transcript import Event, Kind, Stage

PLACE = "<profile>"
_SERVER = ("host", "port", "socket")
_SETTING = f"smtpctl profile set {PLACE} "
_NEW_PASSWORD = f"smtpctl secret set {PLACE}"
# Whose address stands in the commands of the knowledge base, for the one who logs in.
_LOGINS = ("user@contoso.com", "sender@contoso.com", "noreply@contoso.com")
# Ids of Entra in the commands, and the claim of an app-only token that has each: its object id is the one of the
# enterprise application, which is what Exchange wants. A claim that is no id stays out of a command line.
_CLAIMS = {
    "<APP_ID>": "app",
    "<TENANT_ID>": "tenant",
    "<ENTERPRISE_APP_OBJECT_ID>": "object",
    "<SERVICE_PRINCIPAL_ID>": "object",
}
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_WORD = re.compile(r"[\w.-]+")  # it stands within quotes and addresses, so a shell must not see anything in it
NO_CLAIMS: Mapping[str, Any] = {}
_HOSTS = ("smtp.example.com", "mail.example.com")
_MENDING = ("Add-", "New-", "Set-")  # PowerShell that changes what is wrong; the rest only looks
# What takes the options of a run, and a setting that a profile is to lose.
_SESSION = re.compile(r"smtpctl (?:check|diagnose|report|test-send|profile show) (\S+)(?: |$)")
_UNSET = re.compile(r"smtpctl profile unset \S+ (\w+)")
_LEAVE = {"flag": "Leave out {}.", "environment": "Unset {}."}  # where a setting came from for this run
_GUIDE = "smtpctl guide "  # to be read; what a report ends with is to be done
# What a report never ends with, however likely its cause: less safety, or trust in what was not compared yet. As a setting
# and as the option.
_WEAKER = r"insecure|allow.plaintext|trusted=true|--trusted|auth=none|tls[ =]none|tls.min[ =]1\.[01]|pin[ =]sha256:|ca.file[ =]"


def advised(report: Report, profile: Profile) -> Report:
    """The report with personal findings, and where something stopped the run with the one command to go on with; its
    transcript then ends with the finding's id."""
    token = report.facts.get("token", {})
    findings = tuple(personal(finding, profile, token) for finding in report.findings)
    if report.failure and findings:
        last = report.transcript.events[-1].at if report.transcript.events else 0.0
        first = findings[0]
        ended = [event.facts.get("id") for event in report.transcript if event.kind is Kind.ERROR]
        if ended[-1:] != [first.id]:  # the session may have said so itself
            report.transcript.add(Event(last, first.stage, Kind.ERROR, first.title, facts={"id": first.id}))
    following = _next(report, findings, profile) if report.failure else carried(report.next_command, profile)
    return report._replace(findings=findings, next_command=following)


def personal(finding: Finding, profile: Profile, token: Mapping[str, Any] = NO_CLAIMS) -> Finding:
    """The finding with commands for this profile: its name, address and server in place of examples, and the ids that an
    access token names (`oauth.claims.Told.shown`)."""
    causes = []
    for cause in finding.causes:
        tried = set[str]()  # what comes a second time is to be kept
        remedies = []
        for remedy in cause.remedies:
            leave = {command: _leave(command, profile) for command in remedy.commands}
            stay = tuple(command for command in remedy.commands if not leave[command])
            lines = list(_filled(stay, profile, token, examples=finding.id.partition(".")[0] not in FAMILIES))
            remedies.append(
                remedy._replace(
                    text=" ".join(filter(None, (remedy.text, *leave.values()))),
                    commands=tuple(_keeping(line) if line in tried else line for line in lines),
                )
            )
            tried.update(lines)
        causes.append(cause._replace(remedies=tuple(remedies)))
    return finding._replace(causes=tuple(causes))


def named(finding: Finding, oauth: OAuth) -> Finding:
    """The finding with commands for these credentials: their name, ids and scope."""
    own = _own(oauth)
    return _with_commands(finding, lambda command: sourced(_replaced(command, own), oauth.sources))


def about_file(finding: Finding, document: Document) -> Finding:
    """The finding with commands about the file that the document was read from."""
    return _with_commands(finding, lambda command: sourced(command, document.sources))


def _with_commands(finding: Finding, changed: Callable[[str], str]) -> Finding:
    def filled(remedy: Remedy) -> Remedy:
        return remedy._replace(commands=tuple(map(changed, remedy.commands)))

    causes = (cause._replace(remedies=tuple(map(filled, cause.remedies))) for cause in finding.causes)
    return finding._replace(causes=tuple(causes))


def setting(profile: Profile, settings: Mapping[str, str]) -> str:
    """The command that gives the profile these settings; without a stored profile the check of a server with them."""
    if profile.name:
        words = ["smtpctl profile set", quoted(profile.name), *(f"{k}={quoted(v)}" for k, v in settings.items())]
        return sourced(" ".join(words), profile.sources)
    host, port = settings.get("host", profile.endpoint.host), settings.get("port", profile.endpoint.port)
    server = str(profile.endpoint._replace(host=host, port=int(port)))
    said = [_option(f"{key}={value}") for key, value in settings.items() if key not in _SERVER]
    return _with_options(" ".join(["smtpctl check", server, *said]), profile)


def checking(profile: Profile, *words: str) -> str:
    """The command that checks this profile again, with these words."""
    return again("check", profile, *words)


def again(verb: str, profile: Profile, *words: str) -> str:
    """The command that does this with the profile's server as in this run, with these words."""
    target = profile.name or str(profile.endpoint)
    return _with_options(" ".join(["smtpctl", verb, quoted(target), *map(quoted, words)]), profile)


def carried(command: str, profile: Profile) -> str:
    """A session with the profile's server, or a look at it, with the options of this run besides those that it has itself;
    what the user named for one server goes to no other, so any other command is only told where the settings are."""
    found = _SESSION.match(command)
    if found and _is_server(found[1], profile):
        return _with_options(command, profile)
    return sourced(command, profile.sources)


def sound(command: str, profile: Profile | None = None) -> bool:
    """Whether a command can be carried out as it stands and makes nothing less safe; what the run of the profile was given
    itself is not judged."""
    sources = [f"{name} {quoted(value)}" for name, value in profile.sources.items()] if profile else []
    for option in (*_given(profile).values(), *sources) if profile else ():
        command = command.replace(f" {option}", "", 1)
    return bool(command) and "<" not in command and not weakens(command)


def _keeping(command: str) -> str:
    """The check of a server as the command that makes a profile of it."""
    server = re.compile(r"smtpctl check \[?([^\s\[\]]+)\]?:(\d+)")
    return server.sub(r"smtpctl profile add <name> --host \1 --port \2", command, count=1)


def _is_server(target: str, profile: Profile) -> bool:
    """Whether a command line's target is the profile or a port of its server."""
    host = str(profile.endpoint).rpartition(":")[0]
    return target in (quoted(profile.name), host) or target.rpartition(":")[0] == host


def _with_options(command: str, profile: Profile) -> str:
    """The command line with the options of the run that it does not have. A server and its port stand in it already, but
    for a profile's, where they differ from it."""
    names = () if profile.name else _SERVER
    given = (
        words for (name, key), words in _given(profile).items() if name not in names and not _says(command, name, key)
    )
    return sourced(" ".join([command, *given]), profile.sources)


def _says(command: str, name: str, key: str) -> bool:
    """Whether a command line has the option of this field; of one that is repeated, for this key."""
    option = next(field.option for field in FIELDS if field.name == name)
    return re.search(rf" (?:{option}|--no-{option[2:]}){f' {key}=' if key else r'(?= |$)'}", command) is not None


def _given(profile: Profile) -> dict[tuple[str, str], str]:
    """The options that the run was given, as they would be typed, by field, and by key where each key has one; never a
    secret."""
    fields = [field for field in FIELDS if field.option and not field.secret]
    flags = [field for field in fields if (origin := profile.origins.get(field.name)) and origin.kind == "flag"]
    return {(field.name, key): words for field in flags for key, words in _options(field, profile.values[field.name])}


def _options(field: Field, value: Any) -> Iterator[tuple[str, str]]:
    """An option as it would be typed, by key where it is repeated for each."""
    if isinstance(value, Mapping):
        yield from ((key, f"{field.option} {quoted(f'{key}={item:g}')}") for key, item in value.items())
    elif field.type is Type.COMMAND:
        yield "", _typed(field, " ".join(map(quoted, value)))
    else:
        values = value if isinstance(value, tuple) else (value,)
        shown = str.lower if field.type is Type.FLAG else str
        yield "", " ".join(_typed(field, shown(str(item))) for item in values)


def _next(report: Report, findings: tuple[Finding, ...], profile: Profile) -> str:
    """Empty where none is sure to be right: the server's administrator must act, or all there is to do is wait.

    An administrator's command is one only where it belongs to the likeliest cause and every id in it is known.
    """
    causes = findings[0].causes if findings else ()
    lines = [line for cause in causes for remedy in cause.remedies for line in remedy.commands]
    own = ("smtpctl ", _password(profile) or "smtpctl ")  # another program may keep the password
    ready = (line for line in lines if line.startswith(own) and not line.startswith(_GUIDE) and sound(line, profile))
    first = [line for remedy in causes[0].remedies for line in remedy.commands] if causes else []
    mending = (line for line in first if line.startswith(_MENDING) and "<" not in line)
    return next(mending, "") or next(ready, "") or _step_by_step(report, causes, profile)


def _step_by_step(report: Report, causes: Sequence[Cause], profile: Profile) -> str:
    """Where there are several causes and none has a command: the one that asks which it is, if a check without the mail
    comes as far."""
    at = report.failure.stage if report.failure else Stage.CONFIG
    if len(causes) < 2 or at is Stage.DATA or (at is Stage.MAIL and "sent" in report.facts):
        return ""
    to = [word for recipient in report.recipients for word in ("--to", recipient.address)]
    return again("diagnose", profile, *to)


def weakens(command: str) -> bool:
    """Whether a command makes a profile or a run less safe."""
    return re.search(_WEAKER, command) is not None


def _password(profile: Profile) -> str:
    """What changes the password where the profile keeps it; empty where it came with the command line or a variable."""
    reference, name = profile.secret_ref, quoted(profile.name)
    stored = any(profile.origins[field].kind == "file" for field in profile.origins if field.startswith("password"))
    if not reference or not profile.name or not stored:
        return ""
    if reference.kind is refs.Kind.FILE:
        return f"smtpctl secret set {name} --store {quoted(f'file:{reference.value}')}"
    if reference.kind is refs.Kind.COMMAND:
        return " ".join(map(quoted, reference.args))
    return f"smtpctl secret set {name}" if reference.kind in (refs.Kind.KEYRING, refs.Kind.LITERAL) else ""


def _leave(command: str, profile: Profile) -> str:
    """What to do instead of taking a setting from the profile, where it does not stand there; empty for other commands."""
    found = _UNSET.fullmatch(command)
    origin = profile.origins.get(found[1]) if found else None
    return _LEAVE[origin.kind].format(origin.where) if origin and origin.kind in _LEAVE else ""


def _filled(
    commands: tuple[str, ...], profile: Profile, token: Mapping[str, Any], *, examples: bool = True
) -> Iterator[str]:
    """Commands for this profile. Those of pages about what servers say have examples of hosts and addresses in them; in those
    of our own findings the same words are what this server said."""
    for command in commands:
        if command == _NEW_PASSWORD:
            command = _password(profile)
        elif PLACE in command and not profile.name:
            command = _as_options(command, profile)
        if command:
            yield carried(_named(command, profile, token, examples=examples), profile)


def _named(command: str, profile: Profile, token: Mapping[str, Any], *, examples: bool) -> str:
    name, endpoint = quoted(profile.name), str(profile.endpoint)
    address = profile.login if "@" in profile.login else profile.sender.rpartition("<")[2].rstrip(">")
    known = {PLACE: name if profile.name else ""}
    if examples:
        known |= dict.fromkeys(_LOGINS, quoted(address))
        known |= dict.fromkeys(_HOSTS, quoted(profile.endpoint.host))
    if profile.oauth:
        known |= _own(profile.oauth)
    known |= {place: token[claim] for place, claim in _CLAIMS.items() if re.fullmatch(_GUID, str(token.get(claim, "")))}
    command = _replaced(command, known)
    if profile.name and command.startswith("smtpctl ") and profile.endpoint.host:
        command = re.sub(rf" {re.escape(endpoint)}(?= |$)", lambda _: f" {name}", command)
        at_host = rf"(?<=check ){re.escape(profile.endpoint.host)}:(\d+)(?= |$)"
        command = re.sub(at_host, lambda found: f"{name} --port {found[1]}", command)
    return command


def _own(oauth: OAuth) -> dict[str, str]:
    """What stands in commands for something of the credentials; the scope is what their grant asks for by itself."""
    own = {"<oauth>": oauth.name, "<scope>": oauth._replace(scope="").scopes}
    ids = {"<APP_ID>": oauth.client_id, "<TENANT_ID>": oauth.tenant_id}  # these stand in PowerShell too
    return {place: quoted(value) for place, value in own.items() if value} | {
        place: value for place, value in ids.items() if _WORD.fullmatch(value)
    }


def _replaced(command: str, known: Mapping[str, str]) -> str:
    for place, own in known.items():
        command = command.replace(place, own) if own else command
    return command


def _as_options(command: str, profile: Profile) -> str:
    """`profile set <profile> tls=implicit` as a run with that option; empty where there is no such run. A place to fill
    in (`ca_file=<root.pem>`) stays one, but for a host: that is another run. A guide is one without a profile too."""
    if command.startswith(_GUIDE):
        return command.replace(f" {PLACE}", "")
    before, _, settings = command.partition(_SETTING)
    words = [_option(word) for word in _split(settings)] if not before and "host=<" not in settings else [""]
    moved = any(word.startswith(("--port ", "--host ")) for word in words)
    target = profile.endpoint.host if moved and profile.endpoint.host else profile.endpoint
    return f"smtpctl check {target} {' '.join(words)}" if all(words) else ""


def _option(assignment: str) -> str:
    key, _, value = assignment.partition("=")
    field = next((field for field in FIELDS if field.name == key and field.option), None)
    return "" if field is None or not value else _typed(field, value)


def _typed(field: Field, value: str) -> str:
    if field.type is Type.FLAG:
        return "" if value.startswith("<") else field.option if value == "true" else f"--no-{field.option[2:]}"
    return f"{field.option} {value if value.startswith('<') else quoted(value)}"


def _split(line: str) -> list[str]:
    import shlex

    return shlex.split(line)
