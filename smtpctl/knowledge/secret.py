"""What can go wrong between a reference to a secret and the secret.

No entry ever has the secret, or a part of it, among its values.
"""

from __future__ import annotations

from typing import Any

from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Remedy, Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage

_ENV = fix(
    "Take it from an environment variable that the service manager or the CI system sets.",
    "smtpctl profile set {profile} password_env=SMTP_PASSWORD",
)
_FILE = fix(
    "Take it from a file that only this user can read (a mounted secret, a systemd credential).",
    "smtpctl profile set {profile} password_file=/run/secrets/smtp_password",
)
_COMMAND = fix(
    "Take it from a password manager's command line.",
    "smtpctl profile set {profile} 'password_command=pass show smtp'",
)
_STORE = fix(
    "Let smtpctl keep secrets in files that only this user can read.",
    "smtpctl secret set {profile} --store file:PATH",
    "smtpctl profile import --from kentico FILE --secret-store file:FOLDER/",
)
_OTHER_PLACES: tuple[Remedy, ...] = (_ENV, _FILE, _COMMAND, _STORE)
_STATUS = fix("See which stores were tried and what each said.", "smtpctl secret status")
_SET = fix("Store it again.", "smtpctl secret set {entry}")

_PYTHON_KEYRING = "keyring 25.7 documentation, 'Third-Party Backends' and 'Configuring'"


def _entry(id_: str, title: str, message: str, **more: Any) -> Entry:
    """Secrets are missing before anything is connected, and the configuration is what to look at."""
    base = Entry(id_, Severity.ERROR, Stage.CONFIG, title, message, status=ExitStatus.CONFIG, source="smtpctl.toml(5)")
    return base._replace(**more)


_KEYRING = (
    _entry(
        "secret.no_keyring",
        "This machine has no keyring that smtpctl could use",
        "smtpctl keeps secrets in the operating system's keyring unless told otherwise, and never in plain text on its "
        "own. No keyring answered here.",
        causes=(
            because(
                0.6,
                "The session has no desktop keyring: a server, a container, cron or CI.",
                *_OTHER_PLACES,
            ),
            because(
                0.3,
                "The Secret Service (GNOME Keyring, KWallet, KeePassXC) is not running or D-Bus is not reachable.",
                fix(
                    "Start one in a D-Bus session; it asks for the password that unlocks it on its standard input.",
                    "dbus-run-session -- sh -c 'gnome-keyring-daemon --unlock --components=secrets; smtpctl check'",
                ),
                _STATUS,
            ),
            because(
                0.1,
                "The library for the Secret Service is missing.",
                fix("Install it beside smtpctl.", "python -m pip install secretstorage"),
            ),
        ),
        source=_PYTHON_KEYRING,
    ),
    _entry(
        "secret.unsafe_backend",
        "The keyring library would use a back end that is not safe[: {backend}]",
        "[{reason}. ]smtpctl refuses it instead of storing secrets where others can read them or stopping a job to ask "
        "for a password.",
        causes=(
            because(
                0.6,
                "The package of that back end is installed and no keyring of the operating system answers, so the "
                "library falls back to it without saying so.",
                *_OTHER_PLACES,
                _STATUS,
            ),
            because(
                0.4,
                "PYTHON_KEYRING_BACKEND or keyringrc.cfg names it.",
                fix("Remove the setting.", "unset PYTHON_KEYRING_BACKEND", "python -m keyring diagnose"),
            ),
        ),
        source=_PYTHON_KEYRING,
    ),
    _entry(
        "secret.keyring_locked",
        "The keyring is locked",
        "The keyring answers, but it gives nothing out[, not {entry} either,] before it is unlocked, and nothing here can "
        "ask for its password.",
        causes=(
            because(
                0.6,
                "Nobody has logged in to the desktop since the machine started, or the screen's keyring was locked.",
                fix("Unlock it, then run the command again."),
            ),
            because(
                0.4,
                "smtpctl runs without a desktop (ssh, cron, a service).",
                fix(
                    "Unlock the keyring of this session from standard input.",
                    "gnome-keyring-daemon --unlock --replace --components=secrets",
                ),
                *_OTHER_PLACES,
            ),
        ),
        status=ExitStatus.TEMPORARY,
        retryable=True,
    ),
    _entry(
        "secret.keyring_init",
        "The keyring could not be opened",
        "A keyring is there, but opening its default collection failed.",
        causes=(
            because(
                0.6,
                "There is no collection yet, and making the first one needs a question that nothing here can show.",
                fix(
                    "Make it once: the daemon takes the new keyring's password on standard input.",
                    "gnome-keyring-daemon --unlock --replace --components=secrets",
                ),
            ),
            because(0.4, "The keyring's service stopped.", _STATUS, *_OTHER_PLACES),
        ),
        status=ExitStatus.TEMPORARY,
        retryable=True,
    ),
    _entry(
        "secret.keyring_timeout",
        "The keyring did not answer[ within {seconds} s]",
        "The keyring's service was reached but gave no answer. It may be waiting for somebody to answer a question on a "
        "desktop.",
        causes=(
            because(0.7, "An unlock question is open on the desktop.", fix("Answer it, then run the command again.")),
            because(0.3, "The keyring's service hangs.", fix("Restart it."), *_OTHER_PLACES),
        ),
        status=ExitStatus.TEMPORARY,
        retryable=True,
    ),
    _entry(
        "secret.keyring_failed",
        "The keyring failed[ to {action}][ {entry}]",
        "The error above is the keyring's own.",
        causes=(
            because(0.5, "The keyring's service or its file has a fault.", _STATUS),
            because(0.5, "This user may not do that.", *_OTHER_PLACES),
        ),
    ),
    _entry(
        "secret.not_found",
        "The keyring has no such entry[: {entry}]",
        "The configuration says that the secret is in the keyring of this user[ ({backend})], but it was never stored "
        "there, was removed, or belongs to another user.",
        causes=(
            because(0.6, "It was not stored on this machine yet.", fix("Store it.", "smtpctl secret set {entry}")),
            because(
                0.4,
                "smtpctl runs as another user than the one who stored it (sudo, a service).",
                fix("Compare the users.", "smtpctl secret status"),
                *_OTHER_PLACES,
            ),
        ),
    ),
    _entry(
        "secret.damaged",
        "An entry of the keyring is damaged[: {entry}]",
        "A long secret is kept in several parts, and the parts that are there do not belong together.",
        causes=(because(1.0, "Storing it was interrupted, or another program changed a part.", _SET),),
    ),
)

_PLACES = (
    _entry(
        "secret.env_unset",
        "The environment variable is not set[: {name}]",
        "The secret is to come from a variable[, ${name},] that is not there[ ({state})] for this process.",
        causes=(
            because(
                0.7,
                "It was set in another shell, without export, or not for this service.",
                fix("Set it where smtpctl is started.", "export {name}"),
            ),
            because(0.3, "Its name is misspelt.", fix("Correct the name.", "smtpctl profile show --resolved")),
        ),
    ),
    _entry(
        "secret.file_unreadable",
        "The file with the secret cannot be read[: {path}]",
        "[{reason}.]",
        causes=(
            because(0.5, "The path is wrong, or the secret is not mounted.", fix("Look.", "ls -l {path}")),
            because(
                0.5,
                "This user may not read it.",
                fix("Give it to the user that runs smtpctl.", "chown $(id -un) {path}", "chmod 600 {path}"),
            ),
        ),
    ),
    _entry(
        "secret.file_permissions",
        "Others can read the file with the secret[: {path}]",
        "[Its rights are {mode}. ]A secret should be readable by the user who needs it[, not by every {who}].",
        severity=Severity.WARNING,
        causes=(because(1.0, "It was made with the usual rights.", fix("Take them away.", "chmod 600 {path}")),),
    ),
    _entry(
        "secret.credential_missing",
        "There is no such systemd credential[: {name}]",
        "[{reason}.]",
        causes=(
            because(
                1.0,
                "The unit does not pass it, or smtpctl was not started by systemd.",
                fix(
                    "Add it to the unit's [Service] section.",
                    "LoadCredentialEncrypted={name}:/etc/credstore.encrypted/{name}",
                ),
            ),
        ),
        source="systemd.exec(5), LoadCredential=",
    ),
    _entry(
        "secret.fd_closed",
        "The file descriptor[ {number}] is not open for reading",
        "The secret is to come from a file descriptor that the caller opens before it starts smtpctl.",
        causes=(
            because(
                1.0,
                "The caller did not open it.",
                fix("Open it on the command line.", "smtpctl check {number}< secret.txt"),
            ),
        ),
    ),
    _entry(
        "secret.command_not_found",
        "The program that prints the secret cannot be started[: {program}]",
        "[{reason}. ]It is started without a shell: pipes, variables and ~ mean nothing in it.",
        causes=(
            because(0.7, "It is not installed or not in PATH here.", fix("Look.", "command -v {program}")),
            because(
                0.3,
                "The line needs a shell.",
                fix("Name the shell.", """password_command = ["sh", "-c", "pass show smtp | head -n1"]"""),
            ),
        ),
    ),
    _entry(
        "secret.command_failed",
        "The program that prints the secret failed[ with exit status {status}][: {program}]",
        "What it wrote to standard error is above.",
        causes=(
            because(0.6, "The password store is locked or does not have the entry.", fix("Run it by hand.", "{line}")),
            because(
                0.4,
                "It needs something that is not there for this process: a terminal, an agent, a variable.",
                fix("Run it as the same user from the same place.", "{line}"),
            ),
        ),
    ),
    _entry(
        "secret.command_timeout",
        "The program that prints the secret did not end[ within {seconds} s][: {program}]",
        "It was stopped.",
        causes=(
            because(0.7, "It waits for a question to be answered.", fix("Run it by hand.", "{line}")),
            because(0.3, "What it asks is slow or not reachable.", fix("Run it by hand.", "{line}")),
        ),
        status=ExitStatus.TEMPORARY,
        retryable=True,
    ),
    _entry(
        "secret.empty",
        "The secret is empty[: {place}]",
        "A secret is the first line of what its place gives, without the end of the line; that line is empty.",
        causes=(
            because(0.6, "The file or the store was never filled.", fix("Put the secret there, on the first line.")),
            because(0.4, "An empty line stands before it.", fix("Remove the line.")),
        ),
    ),
    _entry(
        "secret.too_large",
        "The secret is too long[: {place}]",
        "No password, token or client secret is that long[ (more than {limit} octets)]: it is probably the wrong file or "
        "program.",
        causes=(because(1.0, "The reference points to something else.", fix("Correct it.")),),
    ),
    _entry(
        "secret.not_text",
        "The secret is no text[: {place}]",
        "A secret is UTF-8 text on one line without control characters.",
        causes=(
            because(0.6, "It is an encrypted or packed file.", fix("Decrypt it with a command.", _COMMAND.commands[0])),
            because(0.4, "It was written in another encoding.", fix("Write it again as UTF-8.")),
        ),
    ),
    _entry(
        "secret.no_prompt",
        "The secret would have to be asked for, and there is nobody to ask",
        "Standard input is no terminal or --no-input is given.",
        causes=(
            because(
                1.0,
                "smtpctl runs in a script or a service.",
                fix("Give it on standard input.", "smtpctl check --password-stdin < secret.txt"),
                *_OTHER_PLACES,
            ),
        ),
    ),
    _entry(
        "secret.not_writable",
        "The secret cannot be stored there[: {place}]",
        "[{reason}.]",
        causes=(
            because(
                1.0,
                "smtpctl writes secrets to the keyring and to files only; the other places belong to other programs.",
                fix("Keep it in the keyring.", "smtpctl secret set {entry}"),
                fix("Keep it in a file.", "smtpctl secret set {entry} --store file:PATH"),
            ),
        ),
        status=ExitStatus.CANNOT_CREATE,
    ),
)

ENTRIES: tuple[Entry, ...] = _KEYRING + _PLACES
