"""What every renderer promises, whatever its format: nothing of a finding is lost, and nothing raw gets out."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from junitparser import JUnitXml

import smtpctl
from smtpctl.model.finding import Finding, Location
from smtpctl.model.secret import MASK, Secret
from smtpctl.render import FORMATS, renderer
from smtpctl.render.canvas import to_ascii, visible

cases = runpy.run_path(str(Path(__file__).parents[1] / "golden" / "cases.py"))
SCHEMAS = Path(smtpctl.__file__).parent / "schemas"
NAMES = cases["NAMES"]
CANARY = "canary-7f3a9c"


def of_json(text: str) -> str:
    return "\n".join(strings(json.loads(text)))


def of_xml(text: str) -> str:
    root = ElementTree.fromstring(text)
    return "\n".join(part for node in root.iter() for part in (*node.attrib.values(), node.text or ""))


class Page(HTMLParser):
    """The text of a page and its attributes; every element is closed in its order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def of_html(text: str) -> str:
    return "".join(Page(text).words)


def of_sarif(text: str) -> str:
    return of_json(text).replace("{{", "{").replace("}}", "}")


def of_github(text: str) -> str:
    return re.sub("%(25|0A|0D|3A|2C)", lambda found: chr(int(found[1], 16)), text)


READERS: dict[str, Callable[[str], str]] = {
    "text": str,
    "json": of_json,
    "junit": of_xml,
    "sarif": of_sarif,
    "github": of_github,
    "nagios": lambda text: text.replace("¦", "|"),
    "prometheus": str,
    "html": of_html,
}
TELLING = [form for form in FORMATS if form != "prometheus"]  # metrics hold no texts


def strings(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    else:
        yield str(value)


def squeezed(text: str) -> str:
    """Without what layout adds: blanks, line ends, gutters and lines of carets."""
    kept = (line for line in text.splitlines() if line.strip(" │|^\x1b"))
    return re.sub(r"[\s│|]", "", "\n".join(kept))


def draw(name: str, form: str, **options: Any) -> Any:
    return cases["draw"](name, renderer(form, schema=cases["schema"](name), **options))


def findings(name: str) -> list[Finding]:
    if name in cases["REPORTS"]:
        return list(cases["REPORTS"][name].findings)
    return {
        "targets": [finding for report in cases["TARGETS"] for finding in report.findings],
        "validated": list(cases["VALIDATED"]),
        "validated-clean": [],
        "validated-ignored": list(cases["VALIDATED"][:1]),
        "problem": [cases["PROBLEM"].finding],
    }[name]


def parts(finding: Finding) -> Iterable[str]:
    """All that must be told of a finding, in whatever shape."""
    yield finding.id
    yield finding.title
    yield finding.message
    yield from (evidence.text for evidence in finding.evidence if len(evidence.text) < 500)
    for cause in finding.causes:
        yield cause.text
        for remedy in cause.remedies:
            yield from (remedy.text, *remedy.commands)


def listed(finding: Finding) -> Finding:
    """A list of findings shows what is wrong and the likeliest fix; the rest is on the finding's page."""
    return finding._replace(message="", causes=tuple(cause._replace(text="") for cause in finding.causes[:1]))


def without_pipes(finding: Finding) -> Finding:
    """A plugin's output cannot hold a bar: what is done with one is told in words alone."""
    causes = []
    for cause in finding.causes:
        remedies = (
            remedy._replace(text=remedy.text.removesuffix(":"), commands=())
            if "|" in "".join(remedy.commands)
            else remedy
            for remedy in cause.remedies
        )
        causes.append(cause._replace(remedies=tuple(remedies)))
    return finding._replace(causes=tuple(causes))


def test_every_format_is_covered() -> None:
    assert set(READERS) == set(FORMATS)


@pytest.mark.parametrize("form", TELLING)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_finding_is_lost(name: str, form: str) -> None:
    told = squeezed(READERS[form](draw(name, form)))
    for finding in findings(name):
        shown = listed(finding) if form == "text" and name.startswith("validated") else finding
        for part in parts(without_pipes(shown) if form == "nagios" else shown):
            assert squeezed(part if form == "json" else visible(part)) in told


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("name", NAMES)
def test_a_narrow_terminal_and_ascii_lose_nothing(name: str, width: int) -> None:
    told = squeezed(draw(name, "text", width=width, unicode=False))
    assert told.isascii()
    for finding in findings(name):
        for part in parts(listed(finding) if name.startswith("validated") else finding):
            if width > 40 or len(part) < 100:  # evidence is cut after some lines
                assert squeezed(to_ascii(visible(part))) in told


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_raw_gets_out(name: str, form: str) -> None:
    made = draw(name, form)
    assert made.replace("\n", "").isprintable()
    made.encode()


@pytest.mark.parametrize("name", NAMES)
def test_colour_is_the_only_escape_and_adds_no_text(name: str) -> None:
    coloured = draw(name, "text", colour=True)
    assert re.sub(r"\x1b\[(0|1;31|1|2|3[1-6])m", "", coloured) == draw(name, "text")


@pytest.mark.parametrize("name", NAMES)
def test_commands_stay_on_one_line(name: str) -> None:
    lines = draw(name, "text", width=60).splitlines()
    for finding in findings(name):
        for command in (c for cause in finding.causes for remedy in cause.remedies for c in remedy.commands):
            assert any(line.removeprefix("fix: ").endswith(visible(command)) for line in lines)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", NAMES)
def test_only_what_is_copied_is_wider_than_the_screen(name: str, width: int) -> None:
    copied = [visible(c) for f in findings(name) for cause in f.causes for r in cause.remedies for c in r.commands]
    copied += [visible(recipient.address) for report in cases["REPORTS"].values() for recipient in report.recipients]
    for line in draw(name, "text", width=width).splitlines():
        assert len(line) <= width or any(line.endswith(text) for text in copied) or "smtpctl explain" in line


@pytest.mark.parametrize("name", NAMES)
def test_json_keeps_its_promise(name: str) -> None:
    document = json.loads(draw(name, "json"))
    schema = json.loads((SCHEMAS / f"{document['schema'].split('.')[1].split('/')[0]}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)


def test_schemas_agree_on_what_they_share() -> None:
    shared: dict[str, Any] = {}
    for path in sorted(SCHEMAS.glob("*.schema.json")):
        for name, definition in json.loads(path.read_text()).get("$defs", {}).items():
            if name in ("finding", "stage", "exit", "report", "stage_result", "recipient", "outcome"):
                assert shared.setdefault(name, definition) == definition, (path.name, name)


@pytest.mark.parametrize("form", FORMATS)
def test_a_secret_that_strays_into_facts_is_masked(form: str) -> None:
    stage = cases["PASSED"].stages[0]._replace(facts={"password": Secret(CANARY)})
    report = cases["PASSED"]._replace(stages=(stage,), facts={"token": Secret(CANARY), "ms": 1})
    made = renderer(form, schema="smtpctl.check/1").report(report)
    assert CANARY not in made
    assert (MASK in made) == (form == "json")


def test_sarif_points_at_files_with_quoted_relative_uris() -> None:
    (run,) = json.loads(draw("validated", "sarif"))["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert [place["artifactLocation"]["uri"] for place in places] == [
        "smtpctl.toml",
        "smtpctl.toml",
        "conf/sites%2C%20old%20%26%20new/old%3Arelay.toml",
    ]
    assert places[1]["region"] == {"startLine": 14, "startColumn": 8}


def test_what_a_server_shows_is_at_the_line_that_names_the_server() -> None:
    first = cases["STARTTLS_MISSING"]._replace(place=Location("conf/a b.toml", 11))
    other = first._replace(place=None, findings=tuple(f._replace(title="x", target="b") for f in first.findings))
    own = first._replace(findings=tuple(f._replace(location=Location("x.toml", 3)) for f in first.findings))
    (run,) = json.loads(renderer("sarif", schema="smtpctl.check/1").report(first))["runs"]
    (location,) = run["results"][0]["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "conf/a%20b.toml"
    assert location["physicalLocation"]["region"]["startLine"] == 11
    assert location["logicalLocations"][0]["fullyQualifiedName"] == first.findings[0].target
    assert run["tool"]["driver"]["rules"][0]["shortDescription"]["text"] == first.findings[0].title
    (both,) = json.loads(renderer("sarif", schema="smtpctl.check/1").reports([first, other]))["runs"]
    assert both["tool"]["driver"]["rules"][0]["shortDescription"]["text"] == "starttls: not offered"
    assert "physicalLocation" not in both["results"][-1]["locations"][0]
    line = renderer("github", schema="smtpctl.check/1").report(first).splitlines()[0]
    assert re.match(
        r"::error file=conf/a b.toml,line=11,col=1,title=starttls.not_offered::mail.shop.example:25: ", line
    )
    assert ",line=3,col=1," in renderer("github", schema="smtpctl.check/1").report(own)


@pytest.mark.parametrize("name", NAMES)
def test_sarif_rules_help(name: str) -> None:
    (run,) = json.loads(draw(name, "sarif"))["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    for finding in findings(name):
        told = rules[finding.id]["help"]["text"].replace("{{", "{").replace("}}", "}")
        assert told.endswith(f"smtpctl explain {finding.id}")
        assert all(visible(cause.text) in told for cause in finding.causes)
        assert rules[finding.id]["defaultConfiguration"]["level"] in ("note", "warning", "error")


def test_sarif_messages_hold_no_links_and_no_placeholders() -> None:
    finding = cases["PROBLEM"].finding._replace(title="S: [look](javascript:x) {0}")
    (run,) = json.loads(renderer("sarif", schema="smtpctl.check/1").findings([finding]))["runs"]
    assert run["results"][0]["message"]["text"].startswith("S: [look] (javascript:x) {{0}}\n")


@pytest.mark.parametrize("name", NAMES)
def test_github_lines_are_commands_of_ours_only(name: str) -> None:
    lines = [line for line in draw(name, "github").splitlines() if not line.startswith("::debug::ignored ")]
    assert len(lines) == len(findings(name))
    for line in lines:
        assert re.match(r"::(error|warning|notice) (file=[^,:]+,line=\d+,col=\d+,)?title=[^,:]+::", line)


@pytest.mark.parametrize("name", NAMES)
def test_a_common_reader_takes_junit(name: str) -> None:
    read = JUnitXml.fromstring(draw(name, "junit").encode())
    cases_ = [case for suite in read for case in suite]
    assert len(cases_) == sum(suite.tests for suite in read) > 0
    assert all(case.name and case.classname and case.time >= 0 for case in cases_)


@pytest.mark.parametrize("name", NAMES)
def test_junit_counts_what_it_holds(name: str) -> None:
    for suite in ElementTree.fromstring(draw(name, "junit")).iter("testsuite"):
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
        assert suite.get("skipped") == str(len(suite.findall("testcase/skipped")))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", ["ignored", "validated-ignored"])
def test_what_is_ignored_is_told_and_counts_for_nothing(name: str, form: str) -> None:
    ignored = cases["REPORTS"][name].ignored if name in cases["REPORTS"] else cases["VALIDATED_IGNORED"]
    told = squeezed(READERS[form](draw(name, form)))
    for one in ignored:
        assert squeezed(one.finding.id) in told
        assert form == "prometheus" or squeezed(visible(one.ignore.reason)) in squeezed(visible(told))
    if form == "junit":
        assert ElementTree.fromstring(draw(name, form)).find(".//failure") is None
    if form == "json":
        assert json.loads(draw(name, form))["exit"] == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_page_runs_and_loads_nothing(name: str) -> None:
    page = Page(draw(name, "html"))
    allowed = {"http-equiv", "content", "charset", "name", "lang", "class", "scope", "title", "id", "href"}
    for tag, attributes in page.tags:
        assert tag not in ("script", "img", "link", "iframe", "object", "embed", "base", "form", "svg")
        assert set(attributes) <= allowed
        assert (attributes.get("href") or "#").startswith("#")
    assert page.tags[3][1]["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    style = page.words[page.words.index(next(word for word in page.words if ":root" in word))]
    assert "url(" not in style and "@import" not in style
