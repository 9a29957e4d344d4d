from pathlib import Path

import pytest

from notclip.errors import BadInputError
from notclip.hub_cards.cards.readme_tables import with_tables

ROOT = Path(__file__).parents[3]


def test_the_tables_of_the_readme_are_those_of_the_results():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "| NotCLIP |" in readme
    remade = with_tables(readme, ROOT / "docs" / "results")
    assert remade == readme, "run: python -m notclip.hub_cards.cards.readme_tables README.md"


def test_a_table_without_its_results_is_an_error(tmp_path):
    with pytest.raises(BadInputError, match=r"base\.json cannot be read"):
        with_tables("<!-- results none -->\n<!-- end of results -->", tmp_path)
