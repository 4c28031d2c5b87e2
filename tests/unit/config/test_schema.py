"""The JSON Schema of the file agrees with what the program takes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import jsonschema
import pytest

from smtpctl.config.schema import file_schema

CORPUS = Path(__file__).parents[2] / "corpus" / "configs"


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(file_schema())


def test_a_good_file_fits() -> None:
    jsonschema.validate(tomllib.loads((CORPUS / "good.toml").read_text()), file_schema())


IGNORES = """
[profiles.a.ignore]
"tls.no_ems" = "old appliance"
"tls.cert.*" = { reason = "renewed by hand", until = 2027-01-31 }
"""


def test_ignores_fit() -> None:
    jsonschema.validate(tomllib.loads(IGNORES), file_schema())
    for wrong in (IGNORES.replace('reason = "renewed by hand", ', ""), IGNORES.replace('"old appliance"', '""')):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(tomllib.loads(wrong), file_schema())


@pytest.mark.parametrize("name", ["unknown-keys", "wrong-values", "newer", "shape", "compact"])
def test_a_wrong_file_does_not(name: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads((CORPUS / f"{name}.toml").read_text()), file_schema())
