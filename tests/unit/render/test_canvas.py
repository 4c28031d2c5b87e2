from __future__ import annotations

import pytest

from smtpctl.render.canvas import PLAIN, Canvas, broken, columns, fold, to_ascii, visible


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("220 mail.example.com ESMTP", "220 mail.example.com ESMTP"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b31m", "\\x9b31m"),  # C1 CSI
        ("a\tb\r\nc\x00", "a\\tb\\r\\nc\\x00"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2066x\u2069 \u200b\ufeff", "\\u2066x\\u2069 \\u200b\\ufeff"),
        ("\u2028\x85", "\\u2028\\x85"),
        ("a\xa0b\u3000c", "a b c"),
        ("\udce9", "\\udce9"),
        ("C:\\temp Grüße 日本 😀", "C:\\temp Grüße 日本 😀"),
    ],
)
def test_visible(raw: str, shown: str) -> None:
    assert visible(raw) == shown


def test_to_ascii_keeps_the_look_of_punctuation() -> None:
    assert to_ascii("TLS 1.3 · 3 – 4 … “x” → é") == 'TLS 1.3 - 3 - 4 ... "x" -> \\xe9'


@pytest.mark.parametrize(("text", "wide"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("ﾊﾝｶｸ", 4), ("Ａ", 2), ("", 0)])
def test_columns(text: str, wide: int) -> None:
    assert columns(text) == wide


def test_fold_keeps_long_words_whole() -> None:
    url = "https://example.com/a/very/long/path"
    assert fold(f"see {url} for more", 12) == ["see", url, "for more"]


def test_broken_prefers_a_blank_in_the_second_half() -> None:
    assert list(broken("535 5.7.3 Authentication unsuccessful", 30)) == ["535 5.7.3 Authentication ", "unsuccessful"]
    assert list(broken("a bbbbbbbbbbbbbbbbbb", 10)) == ["a bbbbbbbb", "bbbbbbbbbb"]


def test_broken_cuts_no_word_that_fits_on_a_line() -> None:
    assert list(broken("a bbbbbbbbbb c", 10)) == ["a ", "bbbbbbbbbb", " c"]
    assert list(broken("a 全全全全全", 10)) == ["a ", "全全全全全"]
    assert list(broken("a 全全全全全全", 10)) == ["a 全全全全", "全全"]


def test_pad_and_clip_count_columns_not_characters() -> None:
    canvas = Canvas()
    assert canvas.pad("日本", 6) == "日本  "
    assert canvas.pad("日本語", 5) == "日本…"
    assert canvas.pad("12", 4, right=True) == "  12"
    assert Canvas(unicode=False).clip("abcdefgh", 6) == "abc..."


def test_paint_is_a_base_colour_or_nothing() -> None:
    assert Canvas(colour=True).status("passed") == "\x1b[32m✓\x1b[0m"
    assert Canvas().status("passed") == "✓"
    assert Canvas(colour=True).paint("passed", "") == ""


def test_prose_wraps_below_its_indent_and_keeps_lines() -> None:
    lines = list(Canvas(width=30).prose("One two three four five six.\n\nSeven.", "   ", first="1. "))
    assert lines == ["1. One two three four five", "   six.", "", "   Seven."]


@pytest.mark.parametrize("said", ["::error::gone", "421 ::add-mask::x", "so ::group name=x::y"])
def test_no_word_is_a_command_to_a_github_job_where_it_begins_a_line(said: str) -> None:
    shown = PLAIN.text(said)
    assert shown == said.replace("::", "\\x3a:", 1)
    assert not [line for line in fold(shown, 8) if line.startswith("::")]


@pytest.mark.parametrize("said", ["a ##[set-output name=x]b", "##vso[task.setvariable x]", "b##teamcity[c"])
def test_no_word_is_a_command_to_another_job_wherever_it_stands(said: str) -> None:
    assert PLAIN.text(said) == said.replace("##", "\\x23#")


@pytest.mark.parametrize(
    "said", ["#1", "## Title", "a##b", "::1", "at ::1 port 25", "Net::SMTP::Error", "2001:db8::1::x"]
)
def test_other_words_with_colons_stay(said: str) -> None:
    assert PLAIN.text(said) == said
