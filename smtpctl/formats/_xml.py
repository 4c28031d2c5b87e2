"""XML without its dangers: no document type, no entities of its own, no depth or size without bounds."""

from __future__ import annotations

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

MAX_CHARACTERS = 4 * 1024 * 1024
MAX_DEPTH = 100
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
_TABLE = str.maketrans(_ESCAPES)


class BadXmlError(ValueError):
    """The text is no XML that is read here; the message is a sentence, `line` is 1-based."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def parse(text: str) -> Element:
    """The root element. Each element has its line as the attribute ` line` (a name XML cannot have).

    BadXmlError for what is not well formed, has a document type, or is too long or too deep.
    """
    if len(text) > MAX_CHARACTERS:
        raise BadXmlError(f"it is longer than {MAX_CHARACTERS} characters")
    parser = expat.ParserCreate()
    parser.buffer_text = True
    builder = TreeBuilder()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise BadXmlError("its elements are nested too deeply", parser.CurrentLineNumber)
        builder.start(tag, {**attributes, " line": str(parser.CurrentLineNumber)})

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> None:
        raise BadXmlError("it has a document type, which settings never need", parser.CurrentLineNumber)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except UnicodeEncodeError:
        raise BadXmlError("it has characters that are none (lone surrogates)") from None
    except expat.ExpatError as error:
        raise BadXmlError(f"it is not well formed: {expat.ErrorString(error.code)}", error.lineno) from None
    return builder.close()


def line(element: Element) -> int:
    """Where an element begins, 1-based."""
    return int(element.get(" line", "0"))


def local(element: Element) -> str:
    """The name of an element without its namespace prefix."""
    return element.tag.rpartition(":")[2]


def escape(text: str) -> str:
    """Text for an attribute in double quotes or between tags."""
    return text.translate(_TABLE)


def writable(text: str) -> bool:
    """Whether XML 1.0 has a way to write every character (production 2, Char)."""
    return not any(
        (ord(c) < 0x20 and c not in "\t\n\r") or 0xD800 <= ord(c) <= 0xDFFF or c in "\ufffe\uffff" for c in text
    )
