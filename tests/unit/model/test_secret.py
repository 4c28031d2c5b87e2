"""Secrets show themselves only to who asks by name."""

from __future__ import annotations

import copy
import pickle

import pytest

from smtpctl.model.endpoint import Credentials
from smtpctl.model.secret import MASK, Secret


def test_every_way_to_print_it() -> None:
    secret = Secret("wonderland")
    for text in (
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret:>12}".strip(),
        f"{secret!r}",
        repr([secret]),
        repr(Credentials("ann", secret)),
    ):
        assert MASK in text
        assert "wonderland" not in text
    assert secret.reveal() == "wonderland"


def test_an_empty_one_is_nothing() -> None:
    assert not Secret("")
    assert str(Secret("")) == ""


@pytest.mark.parametrize("escape", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_goes_nowhere_else(escape: object) -> None:
    with pytest.raises(TypeError):
        escape(Secret("wonderland"))  # type: ignore[operator]
    assert not hasattr(Secret("x"), "__dict__")


def test_equality() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
