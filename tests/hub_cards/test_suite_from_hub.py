"""A dataset of the Hub as a suite: `--suite user/dataset`, downloaded by the real client."""

import pytest

from notclip.errors import BadInputError
from notclip.scoring.suites.read import read_suite
from notclip.scoring.suites.suite import open_suite_photo


@pytest.mark.parametrize("parts", [1, 2])
def test_a_dataset_of_the_hub_is_the_suite_that_it_was_built_as(on_hub, in_parts, hub, parts):
    data = on_hub(in_parts if parts == 2 else lambda folder: folder)
    hub.log.clear()
    suite, local = read_suite("ann/tiny-data", revision="v1.0.0"), read_suite(data)
    assert suite.name == "ann/tiny-data (test)"
    for what in ("questions", "pairs", "negated_queries", "ordinary_queries", "gallery", "files"):
        assert getattr(suite, what) == getattr(local, what)
    assert [open_suite_photo(photo).size for photo in suite.photos.values()] == [(32, 32)] * len(local.photos)
    assert "resolve" in {route for route, _ in hub.log}
    assert not [path for _, path in hub.log if "train" in path]  # one split alone comes over the line


def test_what_is_not_there_is_told(on_hub):
    on_hub()
    with pytest.raises(BadInputError, match=r"Parquet files .*'holdout'"):
        read_suite("ann/tiny-data", split="holdout")
    with pytest.raises(BadInputError, match=r"ann/nothing is no file .*no dataset"):
        read_suite("ann/nothing")
