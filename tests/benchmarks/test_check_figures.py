"""benchmarks/check_figures.py on the committed results, and on results of other data and weights."""

import importlib
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results" / "drawn-world"


@pytest.fixture
def check(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("check_figures")


def test_the_tables_of_readme_and_docs_are_those_of_the_results(check):
    assert list(check.stale_tables(ROOT)) == []


def test_a_table_with_another_figure_is_named_with_the_command_that_mends_it(check, tmp_path):
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("*.png"))
    shutil.copyfile(ROOT / "README.md", tmp_path / "README.md")
    for page in (tmp_path / "README.md", tmp_path / "docs" / "log.md"):
        page.write_text(page.read_text(encoding="utf-8").replace("| Vision gain | ", "| Vision gain | 9"))
    readme, experiments = check.stale_tables(tmp_path)
    assert "python -m notclip.hub_cards.cards.readme_tables README.md" in readme
    assert "log.md shows another ablation" in experiments and "benchmarks/ablation.py" in experiments


def test_results_of_other_data_or_weights_than_todays_are_named(check, tmp_path, monkeypatch):
    base = check.MADE_OF["drawn-world"][1]
    data = check.Results.read(RESULTS / "base.json").provenance["data"]
    weights = check.Results.read(RESULTS / "base.json").provenance["weights_sha256"]
    monkeypatch.setattr("notclip.provenance.weights_sha256", lambda model: weights)
    monkeypatch.setattr(check, "build", lambda *arguments: tmp_path)

    def stale(built: dict[str, str]) -> list[str]:
        monkeypatch.setattr(check, "digests", lambda folder: built)
        return list(check.stale_results(RESULTS, source="drawn-world", base=base, kept=tmp_path))

    assert stale(data) == []
    changed = stale(data | {"questions/test.parquet": "other"})
    said = " of other data than today's code builds: questions/test.parquet (scored at commit "
    place = "docs/results/drawn-world: "
    assert all(line.startswith(place) and said in line for line in changed)  # one line a commit
    named = {name for line in changed for name in line.removeprefix(place).partition(" of other")[0].split(", ")}
    assert named == {"backbone", "base", "composition", "notclip"}
    monkeypatch.setattr("notclip.provenance.weights_sha256", lambda model: "f" * 64)
    assert stale(data) == [
        "docs/results/drawn-world/base.json was scored with other weights than encoder has (ffffffffffff…)"
    ]
