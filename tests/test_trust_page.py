"""docs/trust.md names a test for each promise, and each of them is there."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "trust.md"


def test_every_test_that_the_page_names_is_there():
    file, named = TESTS, 0
    for found in re.finditer(r"`(?P<file>[\w/-]+\.py)?(::(?P<test>\w+))?`", PAGE.read_text(encoding="utf-8")):
        if found["file"]:
            file = (TESTS if not found["file"].startswith("benchmarks/") else TESTS.parent) / found["file"]
            assert file.is_file(), file
        if found["test"]:
            assert f"def {found['test']}(" in file.read_text(encoding="utf-8"), found[0]
            named += 1
    assert named > 20
