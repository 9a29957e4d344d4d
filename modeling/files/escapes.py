"""Text of others in formats with a markup of their own: one escape for each, used wherever such a format is written.

HTML has none here: jinja2's autoescape and `html.escape` do it. JSON and YAML are written by their libraries.
"""

import re
import unicodedata

# What XML 1.0 cannot hold, not even as a character reference (section 2.2): most control characters, half a surrogate
# pair, and two that are no characters.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def xml_text(text: str) -> str:
    r"""Text for XML: what XML cannot hold becomes a replacement character; the writer escapes `<` and `&`.

    >>> xml_text("a\x1b[31m<b>\x00")
    'a�[31m<b>�'
    """
    return _NOT_XML.sub("\ufffd", text)


def terminal_text(text: str) -> str:
    r"""Text for a terminal: nothing in it moves the cursor, colours, rings, or turns the direction of what follows.

    Line ends and tabs stay; other control and format characters are shown as Python writes them.

    >>> terminal_text("a dog\x1b[2J\nno cat")
    'a dog\\x1b[2J\nno cat'
    """
    return "".join(
        letter.encode("unicode_escape").decode()
        if unicodedata.category(letter) in ("Cc", "Cf", "Cs") and letter not in "\n\t\u200d"
        else letter
        for letter in text
    )


def markdown_cell(text: str) -> str:
    r"""Text for a cell of a Markdown table: of one line, without a bar that would end the cell.

    >>> markdown_cell("a | b\nc")
    'a \\| b c'
    """
    return re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]+", " ", text).replace("|", "\\|")


def csv_cell(value: object) -> object:
    """A cell for spreadsheets: text that they would run as a formula has an apostrophe before it (OWASP).

    >>> csv_cell("=cmd|'/c calc'!A0"), csv_cell(-0.5), csv_cell("a dog")
    ("'=cmd|'/c calc'!A0", -0.5, 'a dog')
    """
    if not isinstance(value, str):
        return value
    return f"'{value}" if value.startswith(_FORMULA) else value
