"""What can be wrong with the configuration file and with what its parts say about each other."""

from __future__ import annotations

from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Cause, Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

_PATH = fix("See which file is used.", "smtpctl config path")


def _entry(
    name: str,
    title: str,
    message: str,
    *causes: Cause,
    status: ExitStatus = ExitStatus.CONFIG,
    source: str = "",
    severity: Severity = Severity.ERROR,
) -> Entry:
    return Entry(
        id=f"config.{name}",
        severity=severity,
        stage=Stage.CONFIG,
        title=title,
        message=message,
        causes=causes,
        status=status,
        retryable=status is ExitStatus.TEMPORARY,
        source=source or "smtpctl.toml(5)",
    )


ENTRIES = (
    _entry(
        "ignore_unknown",
        "There is no finding {id} to ignore[ in the profile {profile}][.{near}]",
        "An ignore with a wrong id does nothing: the finding that was meant still counts.",
        because(
            0.9,
            "The id is misspelt, or stands without quotes.",
            fix("Take it from the report, letter by letter, in quotes.", "smtpctl validate --json"),
        ),
        because(
            0.1,
            "It was written for another version of smtpctl.",
            fix("Take it out where it is no longer needed."),
        ),
    ),
    _entry(
        "ignore_expired",
        "The ignore of {id} ended on {until}[: {reason}]",
        "From that day on the finding counts again. The date was set so that somebody looks at it now.",
        because(
            0.7,
            "What was waited for has been done.",
            fix("Take the line out of the ignore table of the profile, and check.", "smtpctl check {profile}"),
        ),
        because(0.3, "It takes longer.", fix("Write a new day and what it waits for now.")),
        severity=Severity.WARNING,
    ),
    _entry(
        "syntax",
        "The configuration file cannot be read[: {path}]",
        "It is not valid TOML at the place shown. Nothing was changed in it.",
        because(
            0.9,
            "A quote, a bracket or an equals sign is missing or doubled.",
            fix(
                "Mend the line that is shown; text stands in quotes, headings in brackets.",
                "smtpctl validate",
            ),
        ),
        source="TOML 1.0",
    ),
    _entry(
        "unreadable",
        "The configuration file cannot be opened[: {path}]",
        "The operating system refused it.",
        because(0.7, "It belongs to another user.", fix("Look at its owner and rights.", "ls -l {path}"), _PATH),
        because(0.3, "It is a folder, or text in another encoding than UTF-8.", fix("Look what it is.", "file {path}")),
    ),
    _entry(
        "version",
        "The configuration file was written for a newer smtpctl",
        "Its `version` is higher than this smtpctl knows. It is left alone, because its settings could mean something else.",
        because(
            0.9,
            "Another machine or another installation has a newer smtpctl.",
            fix(
                "Upgrade this one.",
                "smtpctl --version --verbose",
            ),
        ),
    ),
    _entry(
        "rights",
        "Others may change the configuration file[: {path}]",
        "Whoever can write it can send your mail through a server of theirs.",
        because(0.9, "It was created with open rights.", fix("Close it.", "chmod 600 {path}")),
    ),
    _entry(
        "not_writable",
        "The configuration file cannot be written[: {path}]",
        "A new version is written beside the old one and then takes its place, so the folder must be writable too.",
        because(
            0.8, "This user may not write in that folder.", fix("Look at the folder's rights.", "ls -ld {path}"), _PATH
        ),
        status=ExitStatus.CANNOT_CREATE,
    ),
    _entry(
        "write_failed",
        "Writing the configuration file failed",
        "The old one is still there, whole.",
        because(0.7, "The disk is full.", fix("Make room, then try again.", "df -h")),
        status=ExitStatus.IO,
    ),
    _entry(
        "locked",
        "Another smtpctl is changing the configuration",
        "Two writers would lose each other's changes, so the second waits, and then gives up.",
        because(0.9, "It runs in another terminal, perhaps at a prompt.", fix("Finish it there, then try again.")),
        status=ExitStatus.TEMPORARY,
    ),
    _entry(
        "cannot_edit",
        "This place in the configuration file cannot be changed safely",
        "It is written in a way (inline table, dotted key) that an edit would have to rewrite. Nothing was changed.",
        because(
            0.9,
            "The file was written by hand in a compact form.",
            fix("Change it in an editor.", "smtpctl config path"),
        ),
    ),
    _entry(
        "unknown_key",
        "The configuration has a setting that smtpctl does not know[: {key}]",
        "It has no effect.",
        because(
            0.8,
            "It is misspelt.",
            fix("The suggestion, if any, is in the message; all settings are in the manual.", "smtpctl config schema"),
        ),
        because(0.2, "A newer smtpctl knows it.", fix("Upgrade, or remove it.")),
        severity=Severity.WARNING,
    ),
    _entry(
        "invalid_value",
        "A setting has a value that it cannot have[: {key}]",
        "What it may be is said with the finding.",
        because(0.9, "A number, a choice or an address is written wrong.", fix("Correct it.", "smtpctl validate")),
    ),
    _entry(
        "port_conflict",
        "The port is given twice, with different values",
        "Once in the host (`host:port`) and once as `port`.",
        because(
            0.9,
            "One of them was forgotten when the other changed.",
            fix("Remove one.", "smtpctl profile show {profile} --resolved"),
        ),
    ),
    _entry(
        "extends_missing",
        "A profile builds on another one that does not exist",
        "`extends` names the profile whose settings are taken where this one has none.",
        because(0.9, "It was renamed or removed.", fix("See what there is.", "smtpctl profile list")),
    ),
    _entry(
        "extends_cycle",
        "Profiles build on each other in a circle",
        "`extends` has to end at a profile that builds on none.",
        because(
            0.9, "One of them points back.", fix("Remove one `extends`.", "smtpctl profile unset {profile} extends")
        ),
    ),
    _entry(
        "preset_missing",
        "A profile takes its settings from a preset that does not exist",
        "Presets are the providers that smtpctl knows.",
        because(0.9, "The name is misspelt.", fix("See what there is.", "smtpctl preset list")),
    ),
    _entry(
        "oauth_missing",
        "A profile uses OAuth 2.0 credentials that do not exist",
        "`oauth` names credentials that are stored apart, so that profiles can share them.",
        because(
            0.7,
            "They were not created yet, or the name is misspelt.",
            fix("Each has a heading [oauth.NAME] in the configuration file.", "smtpctl config path"),
        ),
        because(
            0.3,
            "OAuth 2.0 is on and no credentials are named.",
            fix(
                "Name them.",
                "smtpctl profile set {profile} oauth=<name>",
            ),
        ),
    ),
    _entry(
        "default_missing",
        "The default profile does not exist",
        "Commands without a target use the default profile of their scope.",
        because(0.9, "It was renamed or removed.", fix("Choose another.", "smtpctl profile default <profile>")),
    ),
    _entry(
        "no_server",
        "no SMTP server is configured",
        "Before anything can be sent, one server has to be set up and enabled.",
        because(
            0.7,
            "smtpctl is new on this machine.",
            fix(
                "Add a server; the preset list knows the usual ones.",
                "smtpctl profile add office --host <host> --port 587 --tls starttls",
            ),
        ),
        because(0.3, "All profiles are switched off.", fix("Switch one on.", "smtpctl profile enable <profile>")),
    ),
    _entry(
        "no_host",
        "A profile has no host",
        "Neither it, nor a profile or preset that it builds on, says which server to connect to.",
        because(0.9, "It was never set.", fix("Set it.", "smtpctl profile set {profile} host=<host>")),
    ),
    _entry(
        "plain_secret",
        "A password stands in the configuration file",
        "Whoever reads the file, a backup or a screen share of it has the password.",
        because(
            0.9,
            "It was written by hand or imported.",
            fix(
                "Move it into the system's keyring.",
                "smtpctl secret move profile/{profile}/password --to keyring",
            ),
        ),
        severity=Severity.WARNING,
        source="CWE-312",
    ),
)
