from __future__ import annotations

from smtpctl.render.canvas import Canvas
from smtpctl.render.tables import Column, table

ROWS = [
    ["office", "smtp.office365.com:587", "starttls", "noreply@example.com"],
    ["shop", "mail.shop.example:465", "implicit", ""],
]
HEADS = [Column("NAME", shrink=False), Column("SERVER"), Column("TLS"), Column("USER")]


def test_columns_are_as_wide_as_their_content() -> None:
    assert table(ROWS, HEADS, 80) == (
        "NAME    SERVER                  TLS       USER\n"
        "office  smtp.office365.com:587  starttls  noreply@example.com\n"
        "shop    mail.shop.example:465   implicit\n"
    )


def test_the_widest_column_gives_way_and_names_never_do() -> None:
    made = table(ROWS, HEADS, 50)
    assert max(map(len, made.splitlines())) <= 50
    assert "office  smtp.office365…" in made
    assert "profile-with-a-long-name" in table([["profile-with-a-long-name", "x" * 90]], [HEADS[0], HEADS[1]], 40)


def test_a_column_that_can_be_spared_goes_before_another_is_cut() -> None:
    heads = [HEADS[0], Column("USER", minimum=10, spare=True), Column("SERVER", shrink=False)]
    rows = [[name, user, server] for name, server, _, user in ROWS]
    assert table(rows, heads, 42).splitlines()[1] == "office  noreply@e\u2026  smtp.office365.com:587"
    assert table(rows, heads, 41).splitlines()[1] == "office  smtp.office365.com:587"


def test_a_pipe_gets_everything() -> None:
    assert "x" * 500 in table([["a", "x" * 500]], ["A", "B"])


def test_numbers_align_right_and_empty_columns_go() -> None:
    made = table([["a", "5 ms", ""], ["b", "120 ms", ""]], ["N", Column("TIME", right=True), "NOTE"], 80)
    assert made == "N    TIME\na    5 ms\nb  120 ms\n"


def test_no_rows_and_no_titles() -> None:
    assert table([], ["A"]) == ""
    assert table([["a", "b"]], ["", ""]) == "a  b\n"


def test_cells_are_made_safe_and_wide_letters_counted() -> None:
    made = table([["日本", "x"], ["a\x1b[2J", "y"]], ["A", "B"], 80, canvas=Canvas(colour=True), indent="  ")
    assert made == "  \x1b[2mA         B\x1b[0m\n".replace("  \x1b[2m", "\x1b[2m  ") + "  日本      x\n  a\\x1b[2J  y\n"
