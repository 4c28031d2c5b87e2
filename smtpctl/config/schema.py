"""The JSON Schema of the configuration file, made from the tables of settings (editors check and complete with it)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from smtpctl.config.fields import FIELDS, OAUTH_FIELDS, SCOPE_FIELDS, Field, Type
from smtpctl.config.store import VERSION
from smtpctl.model.endpoint import DEFAULT_TIMEOUTS

_TEXTS: Mapping[str, Any] = {"type": "array", "items": {"type": "string"}}
_POSITIVE: Mapping[str, Any] = {"type": "number", "exclusiveMinimum": 0}
_TYPES: Mapping[Type, Mapping[str, Any]] = {
    Type.PORT: {"type": "integer", "minimum": 1, "maximum": 65535},
    Type.FLAG: {"type": "boolean"},
    Type.COUNT: {"type": "integer", "minimum": 1},
    Type.DAYS: {"type": "integer", "minimum": 0},
    Type.SECONDS: _POSITIVE,
    Type.RATIO: {"type": "number", "minimum": 0, "maximum": 1},
    Type.STAGES: {
        "type": "object",
        "properties": {stage.value: _POSITIVE for stage in DEFAULT_TIMEOUTS},
        "additionalProperties": False,
    },
    Type.LIST: _TEXTS,
    Type.PINS: _TEXTS,
    Type.COMMAND: {"anyOf": [{"type": "string"}, {**_TEXTS, "minItems": 1}]},
    Type.IGNORES: {
        "type": "object",
        "additionalProperties": {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "properties": {"reason": {"type": "string", "minLength": 1}, "until": {"format": "date"}},
                    "required": ["reason"],
                    "additionalProperties": False,
                },
            ]
        },
    },
    Type.DATE: {"anyOf": [{"type": "string", "maxLength": 0}, {"format": "date"}]},
    Type.URL: {"type": "string", "pattern": "^(https://.*)?$"},
}


def file_schema() -> dict[str, Any]:
    """The schema as JSON values (draft 2020-12)."""
    everywhere = [field for field in SCOPE_FIELDS if not field.global_only]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:smtpctl:schema:config:{VERSION}",
        "title": "The configuration file of smtpctl",
        "type": "object",
        "properties": {
            "version": {"type": "integer", "const": VERSION},
            "global": _table(SCOPE_FIELDS),
            "sites": _tables(everywhere),
            "profiles": _tables(field for field in FIELDS if field.stored),
            "oauth": _tables(OAUTH_FIELDS),
        },
        "additionalProperties": False,
    }


def _tables(fields: Iterable[Field]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": _table(fields)}


def _table(fields: Iterable[Field]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {field.name: _property(field) for field in fields},
        "additionalProperties": False,
    }


def _property(field: Field) -> dict[str, Any]:
    kind = {"enum": list(field.choices)} if field.choices else dict(_TYPES.get(field.type, {"type": "string"}))
    described = {"description": field.help[:1].upper() + field.help[1:] + ".", **kind}
    if field.default not in (None, "", (), {}):
        described["default"] = field.default
    return described
