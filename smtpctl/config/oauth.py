"""Named OAuth 2.0 credentials of the file, `[oauth.NAME]`, which profiles share by naming them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smtpctl.config import faults, values
from smtpctl.config.fields import OAUTH_BY_NAME, OAUTH_FIELDS
from smtpctl.config.problems import did_you_mean, finding, problem
from smtpctl.config.profile import OAuth, Origin
from smtpctl.config.secrets.refs import SecretRef, from_settings, keyring_entry
from smtpctl.config.store import Document
from smtpctl.model.secret import Secret


def resolve_oauth(name: str, document: Document) -> OAuth:
    """The credentials of that name. Problem `config.oauth_missing`, or `config.invalid_value` with the place."""
    if name not in document.oauth:
        title = f'There are no OAuth 2.0 credentials "{name}".{did_you_mean(name, document.oauth)}'
        raise problem(finding("config.oauth_missing", title, fix=f"Add them as [oauth.{name}]."))
    effective: dict[str, Any] = {field.name: Secret("") if field.secret else field.default for field in OAUTH_FIELDS}
    origins = {field.name: Origin("default") for field in OAUTH_FIELDS}
    for key, value, origin in _written(name, document):
        effective[key], origins[key] = value, origin

    def secret(key: str) -> SecretRef | None:
        return from_settings(key, effective, keyring_entry("oauth", name, key))

    return OAuth(
        name=name,
        grant=effective["grant"],
        tenant_id=effective["tenant_id"],
        token_endpoint=effective["token_endpoint"],
        client_id=effective["client_id"],
        scope=effective["scope"],
        client_secret=secret("client_secret"),
        client_key_password=secret("client_key_password"),
        refresh_token=secret("refresh_token"),
        access_token=secret("access_token"),
        values=effective,
        origins=origins,
        sources=document.sources,
    )


def _written(name: str, document: Document) -> Iterator[tuple[str, Any, Origin]]:
    for key, raw in document.oauth[name].items():
        field = OAUTH_BY_NAME.get(key)
        if field is None:
            continue  # config.review reports it
        location = document.locate("oauth", name, key)
        try:
            parsed = values.parse(field, raw)
        except values.BadValueError as error:
            raise problem(faults.bad_value(document, ("oauth", name, key), str(error))) from None
        value = Secret(str(parsed)) if field.secret else parsed
        yield key, value, Origin("file", f"{location.path}:{location.line}", "oauth")
