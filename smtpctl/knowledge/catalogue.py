"""What servers say and what it means, as values. The data is `replies.json`, made from `replies/*.toml`.

Loading takes a few milliseconds; a regular expression is compiled when a text first gets as far as it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from smtpctl.knowledge.doubt import denied
from smtpctl.knowledge.needles import Needles
from smtpctl.model.record import NamedTuple

GENERIC = "generic"
UNDATED = "undated"  # the date of a source that has none
TEXT_LIMIT = 4096  # characters of a reply that are looked at; no expression can run away on that


class Reason(NamedTuple):
    """Why a reply came, and one instruction; `commands` are exact lines, `facts` what makes it likelier (see `Cause`)."""

    why: str
    fix: str
    commands: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()


class Source(NamedTuple):
    """Where a fact comes from. `kind`: official, rfc, source, experiment or community; `date`: of what was read (ISO date,
    perhaps without a day), or UNDATED."""

    title: str
    kind: str
    seen: str
    date: str
    url: str = ""

    def __str__(self) -> str:
        return f"{self.title}  {self.url}".rstrip()


class Provider(NamedTuple):
    """Who says it. `presets`, `hosts` (with one `*` for any characters) and `signs` (words in texts) tell whose server it is."""

    provider: str
    name: str
    presets: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()


class Said(NamedTuple):
    """One thing that servers or libraries say. The fields are explained in `replies/README.md`."""

    id: str
    prefix: str
    title: str
    stage: str
    retry: str
    priority: int
    causes: tuple[Reason, ...]
    sources: tuple[str, ...]
    samples: tuple[str, ...] = ()
    verified: bool = True
    told: bool | None = None
    dated: tuple[str, ...] = ()
    open_title: str = ""
    regex: str = ""
    needles: tuple[str, ...] = ()
    codes: tuple[int, ...] = ()
    enhanced: tuple[str, ...] = ()
    own_server: bool = False
    own_words: bool = False
    of_recipient: bool = False
    of_message: bool = False
    own_stage: bool = False
    facts: tuple[str, ...] = ()
    mechanisms: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    errno: tuple[int, ...] = ()
    verify_codes: tuple[int, ...] = ()
    ssl_reasons: tuple[str, ...] = ()
    challenge_status: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    aadsts: tuple[str, ...] = ()
    oauth_errors: tuple[str, ...] = ()

    @property
    def later(self) -> bool:
        """Whether the same request may pass later, unchanged."""
        return self.retry == "later"

    @property
    def tells(self) -> bool:
        """Whether its text says the first cause itself: unless the entry knows better, if there is no second."""
        return len(self.causes) == 1 if self.told is None else self.told

    def search(self, text: str, lowered: str) -> re.Match[str] | None:
        """Where the text has it, and does not deny it; `lowered` is the text in lower case."""
        if not self.regex or (self.needles and not any(word in lowered for word in self.needles)):
            return None
        return next((hit for hit in _expression(self.regex).finditer(text) if not denied(text, hit.start())), None)


class Fallback(NamedTuple):
    """What a reply code means in general. `retry`: `later`, `no`, or `done` for what is no failure."""

    meaning: str
    retry: str
    fix: str = ""


class Catalogue(NamedTuple):
    """Everything. `enhanced` has keys such as `X.7.8`; `providers` are by id prefix; `facts` and `questions` by the name
    of a fact: how it reads after "if", and what to ask somebody to learn whether it holds."""

    entries: Mapping[str, Said]
    providers: Mapping[str, Provider]
    sources: Mapping[str, Source]
    facts: Mapping[str, str]
    questions: Mapping[str, str]
    codes: Mapping[int, Fallback]
    enhanced: Mapping[str, str]

    def source_of(self, said: Said) -> str:
        """The best source of an entry, title and address; where it has no date, also the one that `as_of` is the date of."""
        first = self.sources[said.sources[0]]
        return "; ".join(dict.fromkeys(map(str, (first, self._dated(said)))))

    def as_of(self, said: Said) -> str:
        """The date of the best source that has one (ISO date, perhaps without a day), or UNDATED."""
        return self._dated(said).date

    def _dated(self, said: Said) -> Source:
        sources = [self.sources[key] for key in said.sources]
        return next((source for source in sources if source.date != UNDATED), sources[0])


@cache
def load() -> Catalogue:
    """The whole catalogue."""
    data = json.loads(Path(__file__).with_name("replies.json").read_bytes())
    head = data["head"]
    return Catalogue(
        entries={entry["id"]: _said(entry) for entry in data["entries"]},
        providers={prefix: Provider(**_tuples(value)) for prefix, value in head["providers"].items()},
        sources={key: Source(**value) for key, value in head["sources"].items()},
        facts=head["facts"],
        questions=head["questions"],
        codes={int(code): Fallback(**value) for code, value in head["fallback"]["codes"].items()},
        enhanced=head["fallback"]["enhanced"],
    )


def near(*lowered: str) -> list[Said]:
    """The entries whose words can be in one of these texts, which are in lower case."""
    entries, needles = _searchable()
    return [entries[place] for place in sorted({place for text in lowered for place in needles.near(text)})]


@cache
def _searchable() -> tuple[tuple[Said, ...], Needles]:
    entries = tuple(load().entries.values())
    return entries, Needles(said.needles for said in entries)


@lru_cache(maxsize=4096)
def owner(host: str) -> Provider | None:
    """Whose server a host is, None for nobody's that is known."""
    lowered = host.lower()
    for begin, star, end, provider in _hosts():
        # In plain words: to compile an expression for each pattern takes longer than all else that is looked up.
        if not star:
            found = lowered == begin
        else:
            found = lowered.endswith(end) and lowered.startswith(begin) and len(lowered) >= len(begin) + len(end)
        if found:
            return provider
    return None


@cache
def _hosts() -> tuple[tuple[str, str, str, Provider], ...]:
    """What stands before and behind the star of each pattern, and whose it is."""
    return tuple((*host.partition("*"), provider) for provider in load().providers.values() for host in provider.hosts)


def _said(entry: dict[str, Any]) -> Said:
    causes = tuple(Reason(*_listed(cause)) for cause in entry.pop("causes"))
    return Said(**_tuples(entry), causes=causes)


def _listed(values: list[Any]) -> list[Any]:
    return [tuple(item) if isinstance(item, list) else item for item in values]


def _tuples(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}


@lru_cache(maxsize=512)
def _expression(regex: str) -> re.Pattern[str]:
    return re.compile(regex, re.IGNORECASE | re.DOTALL)
