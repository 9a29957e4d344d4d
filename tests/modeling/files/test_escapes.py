"""Text of others in XML, on terminals, in Markdown tables and in spreadsheets."""

import doctest
import io
from xml.etree import ElementTree

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from notclip.files import escapes


def test_the_docstrings_tell_the_truth():
    outcome = doctest.testmod(escapes)
    assert outcome.attempted == 4
    assert outcome.failed == 0


@given(st.text(st.characters()))
def test_any_text_makes_xml_that_parses(text):
    element = ElementTree.Element("case", {"name": escapes.xml_text(text)})
    element.text = escapes.xml_text(text)
    ElementTree.fromstring(ElementTree.tostring(element, encoding="unicode"))


@given(st.text(st.characters()))
def test_nothing_on_a_terminal_moves_the_cursor(text):
    shown = escapes.terminal_text(text)
    assert not any((ord(letter) < 32 and letter not in "\n\t") or 127 <= ord(letter) < 160 for letter in shown)


@given(st.text(st.characters()))
def test_a_cell_of_markdown_stays_one_cell(text):
    cell = escapes.markdown_cell(text)
    assert len(f"a{cell}b".splitlines()) == 1
    assert "|" not in cell.replace("\\|", "")


def test_a_formula_is_text_in_a_spreadsheet_and_a_number_stays_one():
    cells = [escapes.csv_cell(value) for value in ("=1+1", "@SUM(A1)", "+1", "-2+3", "\t=1", "a=b", -0.5, None)]
    assert cells == ["'=1+1", "'@SUM(A1)", "'+1", "'-2+3", "'\t=1", "a=b", -0.5, None]
    assert pd.read_csv(io.StringIO(f"a\n{cells[-2]}\n"))["a"].item() == -0.5
