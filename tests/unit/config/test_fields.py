"""The tables of settings keep their own rules."""

from __future__ import annotations

from collections import Counter

import pytest

from smtpctl.config import values
from smtpctl.config.fields import FIELDS, OAUTH_FIELDS, SCOPE_FIELDS, Field, Group, Type

EVERY = (*FIELDS, *SCOPE_FIELDS, *OAUTH_FIELDS)


@pytest.mark.parametrize("table", [FIELDS, SCOPE_FIELDS, OAUTH_FIELDS])
def test_names_options_and_variables_are_unique(table: tuple[Field, ...]) -> None:
    for values_ in ([f.name for f in table], [f.option for f in table if f.option], [f.env for f in table if f.env]):
        assert [name for name, count in Counter(values_).items() if count > 1] == []


def test_other_products_names_mean_one_setting_each() -> None:
    aliases = [alias.lower() for field in EVERY for alias in field.aliases]
    assert len(aliases) == len(set(aliases))


@pytest.mark.parametrize("field", EVERY, ids=lambda field: f"{field.group}-{field.name}")
def test_a_field_is_complete(field: Field) -> None:
    assert field.help and not field.help.endswith(".")
    assert bool(field.choices) == (field.type is Type.CHOICE)
    assert field.option in ("", f"--{field.name.replace('_', '-')}")
    assert field.env in ("", f"SMTPCTL_{field.name.upper()}")
    if field.option and field.type is not Type.FLAG and not field.choices:
        assert field.metavar


@pytest.mark.parametrize("field", EVERY, ids=lambda field: f"{field.group}-{field.name}")
def test_a_default_is_a_value_of_its_type(field: Field) -> None:
    if field.default not in (None, ""):
        assert values.parse(field, field.default) == field.default


def test_no_option_takes_a_secret() -> None:
    assert [field.name for field in EVERY if field.secret and field.option] == []
    assert {"password", "access_token"} == {field.name for field in FIELDS if field.secret}


def test_who_takes_mail_is_not_changed_by_the_environment() -> None:
    assert [field.name for field in FIELDS if field.group is Group.SENDING and field.env] == []


def test_only_what_is_shared_by_all_sites_is_global() -> None:
    assert {field.name for field in SCOPE_FIELDS if field.global_only} == {"batch_size", "interval", "queue_url"}
