"""Named tuples that are made quickly are those of typing in everything else."""

from __future__ import annotations

import copy
import pickle
import typing

import pytest

from smtpctl.model.record import NamedTuple


class Quick(NamedTuple):
    """A point."""

    x: int
    y: int = 2
    names: tuple[str, ...] = ()

    @property
    def sum(self) -> int:
        """Both."""
        return self.x + self.y

    @classmethod
    def at(cls, x: int) -> Quick:
        """One."""
        return cls(x)


class Usual(typing.NamedTuple):
    """A point."""

    x: int
    y: int = 2
    names: tuple[str, ...] = ()


def test_it_is_a_tuple_with_names_defaults_and_methods() -> None:
    point = Quick.at(1)
    assert tuple(point) == tuple(Usual(1)) == (1, 2, ())
    assert (point.sum, Quick.__doc__) == (3, "A point.")
    assert repr(point) == "Quick(x=1, y=2, names=())"
    assert point._replace(y=5)._asdict() == {"x": 1, "y": 5, "names": ()}
    with pytest.raises(AttributeError):
        setattr(point, "x", 3)  # noqa: B010  # mypy knows that it cannot be set


def test_it_says_of_itself_what_typing_would() -> None:
    for name in ("_fields", "_field_defaults", "__module__", "__match_args__", "__slots__"):
        assert getattr(Quick, name) == getattr(Usual, name)
    assert Quick.__qualname__ == "Quick"
    assert typing.get_type_hints(Quick) == typing.get_type_hints(Usual)


def test_it_can_be_copied_and_pickled() -> None:
    point = Quick(1, 2, ("a",))
    assert copy.deepcopy(point) == pickle.loads(pickle.dumps(point)) == point
