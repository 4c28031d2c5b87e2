"""The report of a defect: where it broke, and nothing of what it broke on."""

from __future__ import annotations

import pytest

from smtpctl.cli.defects import exposed, report
from smtpctl.model.secret import MASK, Secret

CANARY = "s3cret-canary"


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    """The error with a traceback, as it reaches the top."""
    with pytest.raises(type(error)) as caught:
        raise error from cause
    return caught.value


def test_it_says_where() -> None:
    text = report(raised(KeyError("name")), ["check", "office"], {})
    assert text.startswith("smtpctl 0.")
    assert "\ncommand: check\n" in text
    assert "in raised" in text
    assert text.endswith("KeyError: ********\n")


@pytest.mark.parametrize(
    "message",
    [f"bad {CANARY!r}", f'bad "{CANARY}"', f"bad {CANARY.encode()!r}", f"{CANARY} is bad", f"bad '{CANARY}\n{CANARY}'"],
)
def test_nothing_of_the_values(message: str) -> None:
    text = report(raised(ValueError(message)), ["check", CANARY], {"SMTPCTL_PASSWORD": CANARY})
    assert CANARY not in text
    assert "bad" in text


def test_secrets_in_memory_are_known() -> None:
    fetched = Secret(CANARY)
    text = report(raised(ValueError(f"no quotes around {CANARY}")), [], {})
    shown = exposed(raised(ValueError(f"no quotes around {fetched.reveal()}")), {})
    assert CANARY not in text + shown
    assert f"no quotes around {MASK}" in text
    assert f"no quotes around {MASK}" in shown


def test_the_error_behind_the_error_is_told_first() -> None:
    text = report(raised(RuntimeError("second"), cause=OSError("first")), [], {})
    assert text.index("OSError: first") < text.index("... and then:") < text.index("RuntimeError: second")
