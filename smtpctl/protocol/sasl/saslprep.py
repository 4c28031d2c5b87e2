"""SASLprep (RFC 4013): one spelling for user names and passwords before they are hashed.

Needed where both sides hash what was typed (SCRAM, CRAM-MD5). PLAIN and LOGIN send it as typed: there the
server prepares (RFC 4616 2), and one that compares octets would not recognise a prepared password. ASCII text, the
usual case, passes without loading the tables.
"""

from __future__ import annotations


class Unpreparable(ValueError):
    """The text holds something SASLprep forbids; the message says what and where, not the text."""


def saslprep(text: str) -> str:
    """`text` prepared as a stored string: mapped, normalised with NFKC of Unicode 3.2, checked.

    Unpreparable for control and private-use characters, surrogates, unassigned code points (emoji are, in
    Unicode 3.2) and mixed writing directions.
    """
    if text.isascii() and text.isprintable():
        return text
    import stringprep
    from unicodedata import ucd_3_2_0

    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char for char in text if not stringprep.in_table_b1(char)
    )
    prepared = ucd_3_2_0.normalize("NFKC", mapped)
    forbidden = {
        "is not assigned in Unicode 3.2": stringprep.in_table_a1,
        "is a control character": stringprep.in_table_c21_c22,
        "is for private use": stringprep.in_table_c3,
        "is no character": stringprep.in_table_c4,
        "is half of a surrogate pair": stringprep.in_table_c5,
        "is not for plain text": stringprep.in_table_c6,
        "describes how to lay out text": stringprep.in_table_c7,
        "changes how text is shown": stringprep.in_table_c8,
        "is a tag": stringprep.in_table_c9,
    }
    for position, char in enumerate(prepared, 1):
        for what, table in forbidden.items():
            if table(char):
                raise Unpreparable(f"character {position} (U+{ord(char):04X}) {what}")
    _check_directions(prepared)
    return prepared


def _check_directions(text: str) -> None:
    """RFC 3454 6: right-to-left text holds no left-to-right letters, and begins and ends right-to-left."""
    from stringprep import in_table_d1, in_table_d2

    if not any(map(in_table_d1, text)):
        return
    if any(map(in_table_d2, text)) or not (in_table_d1(text[0]) and in_table_d1(text[-1])):
        raise Unpreparable("it mixes left-to-right and right-to-left writing")
