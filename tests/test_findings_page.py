"""docs/findings.md: every figure stands in the section that its sentence links to, and every link leads somewhere."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "findings.md").read_text(encoding="utf-8")
LINK = re.compile(r"\[[^\]]+\]\(([\w.]+\.md)#([\w-]+)\)")


def anchor(title):
    """The name that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def section(page, name):
    """The text under a heading, with what stands under it in turn."""
    text = (DOCS / page).read_text(encoding="utf-8")
    headings = list(re.finditer(r"^(#+) (.+)$", text, flags=re.MULTILINE))
    for number, heading in enumerate(headings):
        if anchor(heading[2]) == name:
            after = (other.start() for other in headings[number + 1 :] if len(other[1]) <= len(heading[1]))
            return text[heading.start() : next(after, len(text))]
    raise AssertionError(f"{page} has no section #{name}")


def claims():
    """What is said before each link, since the link or the list's mark before it."""
    for item in re.split(r"\n(?=\s*(?:\d+\.|-) )|\n\n", PAGE):
        item = re.sub(r"^\s*\d+\.", "", item)
        said = 0
        for link in LINK.finditer(item):
            yield re.sub(r"\s+", " ", item[said : link.start()]), link[1], link[2]
            said = link.end()


@pytest.mark.parametrize(("said", "page", "name"), [pytest.param(*claim, id=claim[0][:40]) for claim in claims()])
def test_a_figure_stands_in_the_section_that_is_named(said, page, name):
    shown = section(page, name)
    for figure in re.findall(r"(?<![\w@.-])\d[\d.,]*\d|(?<![\w@.-])\d", said):
        assert re.search(rf"(?<![\d.]){re.escape(figure)}(?![\d.]*\d)", shown), f"{figure} is not in {page}#{name}"


def test_it_is_short_enough_for_a_stranger():
    assert len(PAGE.splitlines()) <= 110
