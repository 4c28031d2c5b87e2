"""Findings: what was judged, why, and what to do about it. The same shape everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any

from smtpctl.model.record import NamedTuple
from smtpctl.model.transcript import Stage


class Severity(IntEnum):
    """How bad; comparable."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        """`note`, `warning` or `error`."""
        return self.name.lower()

    @classmethod
    def parse(cls, label: str) -> Severity:
        """The inverse of `label`; KeyError for anything else."""
        return cls[label.upper()]


class Evidence(NamedTuple):
    """What was seen, in the peer's own words where there are any.

    `event` is an index into the transcript; `span` the half-open range of `text` that matters;
    `label` names it (`S:`, `C:`, `missing:`).
    """

    text: str
    label: str = ""
    event: int | None = None
    span: tuple[int, int] | None = None


class Remedy(NamedTuple):
    """What to do. `commands` are exact shell or PowerShell lines; which of them may be offered to be carried out is read
    off the line (`ops.diagnose`)."""

    text: str
    commands: tuple[str, ...] = ()


class Cause(NamedTuple):
    """Why it may have happened; `likelihood` is 0 to 1. Those of a finding sum up to one where it is sure that the finding is
    meant, and to less where the words fit but something else is open.

    `facts` are what makes it likelier: names of `knowledge/replies/facts.toml`, `not ` before one that speaks against it,
    `?` behind one that is only a hint (`knowledge.ranking`).
    """

    text: str
    likelihood: float
    remedies: tuple[Remedy, ...] = ()
    facts: tuple[str, ...] = ()


class Location(NamedTuple):
    """A place in a configuration file: 1-based line and column."""

    path: str
    line: int
    column: int = 1


class Finding(NamedTuple):
    """One judgement.

    `id` is stable and has an `explain` page; `title` is true without the rest; `knowledge` are ids of
    reply entries; `role` is `submission`, `mx` or empty; `verified` is False where the knowledge behind
    it was never seen in a source; `as_of` is the date of a fact that changes or of its source (ISO date, perhaps
    without a day), `undated` where the source has none.
    """

    id: str
    severity: Severity
    stage: Stage
    title: str
    message: str = ""
    target: str = ""
    evidence: tuple[Evidence, ...] = ()
    causes: tuple[Cause, ...] = ()
    knowledge: tuple[str, ...] = ()
    source: str = ""
    role: str = ""
    location: Location | None = None
    verified: bool = True
    as_of: str = ""

    def to_json(self) -> dict[str, Any]:
        """The shape of every finding in JSON. `message`, `as_of`, `verified` and `location` are left out where they say
        nothing."""
        data: dict[str, Any] = {
            "id": self.id,
            "severity": self.severity.label,
            "stage": self.stage.value,
            "role": self.role,
            "target": self.target,
            "title": self.title,
            "message": self.message,
            "evidence": [f"{e.label} {e.text}".strip() for e in self.evidence],
            "causes": [
                {
                    "text": cause.text,
                    "likelihood": round(cause.likelihood, 2),
                    "fix": [remedy.text for remedy in cause.remedies],
                    "commands": [line for remedy in cause.remedies for line in remedy.commands],
                }
                for cause in self.causes
            ],
            "knowledge": list(self.knowledge),
            "source": self.source,
            "as_of": self.as_of,
            "verified": self.verified,
        }
        if self.location:
            data["location"] = self.location._asdict()
        return {key: value for key, value in data.items() if key not in _OPTIONAL or value not in ("", True)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Finding:
        """The inverse of `to_json`, but for where evidence points; KeyError or ValueError for anything else."""
        place = value.get("location")
        return cls(
            str(value["id"]),
            Severity.parse(str(value["severity"])),
            Stage(value["stage"]),
            str(value["title"]),
            evidence=tuple(Evidence(str(piece)) for piece in value["evidence"]),
            causes=tuple(_cause(cause) for cause in value["causes"]),
            knowledge=tuple(map(str, value.get("knowledge", ()))),
            verified=bool(value.get("verified", True)),
            message=str(value.get("message", "")),
            target=str(value.get("target", "")),
            source=str(value.get("source", "")),
            role=str(value.get("role", "")),
            as_of=str(value.get("as_of", "")),
            location=Location(str(place["path"]), int(place["line"]), int(place["column"])) if place else None,
        )


_OPTIONAL = frozenset({"message", "as_of", "verified"})


class Ignore(NamedTuple):
    """A wish that findings of an id do not count: `id` exact, or `tls.cert.*` for all that begin so. `until` is the last
    day that it holds (ISO date), empty for ever."""

    id: str
    reason: str
    until: str = ""

    def covers(self, finding_id: str) -> bool:
        """Whether it means findings of this id."""
        return finding_id == self.id or (self.id.endswith(".*") and finding_id.startswith(self.id[:-1]))

    def __str__(self) -> str:
        return f"{self.id}{f' until {self.until}' if self.until else ''}: {self.reason}"


class Ignored(NamedTuple):
    """A finding that does not count, and the wish that says so."""

    finding: Finding
    ignore: Ignore

    @property
    def why(self) -> str:
        """`until 2027-01-31: the appliance is replaced`."""
        until = f"until {self.ignore.until}: " if self.ignore.until else ""
        return f"{until}{self.ignore.reason}"

    def to_json(self) -> dict[str, Any]:
        """The finding's JSON beside the reason and the end, null where there is none."""
        ignore = self.ignore
        return {
            "ignore": ignore.id,
            "reason": ignore.reason,
            "until": ignore.until or None,
            "finding": self.finding.to_json(),
        }


def _cause(value: Mapping[str, Any]) -> Cause:
    """A cause of a JSON document; what to run is behind the last of what to do."""
    texts, commands = [str(text) for text in value["fix"]], tuple(map(str, value["commands"]))
    remedies = [Remedy(text) for text in texts[:-1]] + [Remedy(texts[-1] if texts else "", commands)]
    return Cause(str(value["text"]), float(value["likelihood"]), tuple(remedies))


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The highest severity, or None without findings."""
    return max((finding.severity for finding in findings), default=None)
