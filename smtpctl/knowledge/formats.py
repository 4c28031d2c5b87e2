"""What can be said about another program's settings when they are read or written."""

from __future__ import annotations

from smtpctl.knowledge.families import Entry, because, fix
from smtpctl.model.finding import Cause, Severity
from smtpctl.model.report import ExitStatus
from smtpctl.model.transcript import Stage


def _entry(name: str, severity: Severity, message: str, *causes: Cause, status: ExitStatus = ExitStatus.DATA) -> Entry:
    return Entry(
        id=f"format.{name}",
        severity=severity,
        stage=Stage.CONFIG,
        title=_TITLES[name],
        message=message,
        causes=causes,
        status=status,
        source="smtpctl documentation, 'Other programs' settings'",
    )


_TITLES = {
    "invalid": "The settings cannot be taken as they are[: {text}]",
    "unknown_key": "A setting is not known[: {key}: {text}]",
    "not_carried": "A setting has no counterpart[: {text}]",
    "changed": "A setting is carried over in another form[: {key}: {text}]",
    "masked": "A secret was only there as a mask[: {key}]",
    "note": "Something to know about the settings[: {key}: {text}]",
}

ENTRIES: tuple[Entry, ...] = (
    _entry(
        "invalid",
        Severity.ERROR,
        "Nothing was imported or exported: half of the settings would be worse than none.",
        because(
            0.7,
            "A value is misspelt, or the text is in another format.",
            fix("Correct the lines that are shown, then do it again."),
        ),
        because(
            0.3,
            "The format has no way to write the value.",
            fix("Choose another password, or another format."),
        ),
    ),
    _entry(
        "unknown_key",
        Severity.WARNING,
        "It was left alone; the other settings were read.",
        because(0.7, "Its name is misspelt.", fix("Correct the name, then import again with --replace.")),
        because(0.3, "It belongs to another version or another program.", fix("Leave it out.")),
    ),
    _entry(
        "not_carried",
        Severity.WARNING,
        "One side has a setting that the other has no place for, so it is not in the result.",
        because(
            1.0,
            "The two programs differ there.",
            fix("Set it by hand on the other side, if it matters there. With --strict this is an error."),
        ),
    ),
    _entry(
        "changed",
        Severity.WARNING,
        "The nearest thing that the other program has was written.",
        because(1.0, "The two programs differ there.", fix("See whether that is what you want.")),
    ),
    _entry(
        "masked",
        Severity.WARNING,
        "Programs show a mask instead of the secret; the secret itself is not in the text.",
        because(
            1.0,
            "The text was copied from a screen, or exported without --reveal.",
            fix("Store the secret.", "smtpctl secret set {profile}"),
        ),
    ),
    _entry(
        "note",
        Severity.NOTE,
        "It changes nothing about what was read or written.",
        because(1.0, "The text leaves it open.", fix("Nothing has to be done.")),
    ),
)
