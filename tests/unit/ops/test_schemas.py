"""The JSON Schemas that ship: one for each document that a command prints."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

import smtpctl
from smtpctl.model.errors import UsageProblem
from smtpctl.ops.schemas import names, of_output

WRITTEN = re.compile(r'"(?:smtpctl\.)?([a-z.-]+)/1"')
PROSE = {"demo"}  # writes text only


def test_whatever_is_printed_has_a_schema() -> None:
    sources = Path(smtpctl.__file__).parent.rglob("*.py")
    written = {name for source in sources for name in WRITTEN.findall(source.read_text("utf-8"))}
    assert len(written) > 15
    assert written - PROSE <= set(names())


@pytest.mark.parametrize("name", names())
def test_a_schema_is_one(name: str) -> None:
    schema = json.loads(of_output(name))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:smtpctl:schema:{name}:1"


def test_it_is_found_by_the_name_in_the_document_and_by_the_command() -> None:
    assert of_output("smtpctl.profile.list/1") == of_output("profile list") == of_output("profile.list")
    with pytest.raises(UsageProblem, match="Did you mean"):
        of_output("chek")
