"""A built dataset as its cards read it: a record that no build writes is refused in a sentence."""

import json

import pytest

from notclip.dataset.built import read_dataset_files
from notclip.errors import BadInputError


@pytest.mark.parametrize("number", [None, "3", 1.5, True, [1]])
def test_counts_that_are_no_whole_numbers_are_refused_by_the_names_that_lead_to_them(data, number):
    record = data / "build.json"
    splits = ("train", "validation", "test")
    counts = {config: {split: {"rows": 1} for split in splits} for config in ("captions", "questions", "retrieval")}
    counts["captions"]["test"]["by_form"] = {"no": number}
    build = {"source": {"name": "x", "revision": "y"}, "config": {"seed": 0, "choices": 4}, "counts": counts}
    build |= {"images": dict.fromkeys(splits, 1), "blind": {split: [] for split in splits}, "verification": {}}
    record.write_text(json.dumps(build | {"lexicon": {"concepts": 1}, "versions": {}}))
    with pytest.raises(BadInputError, match=r"build\.json: 'counts': .*by_form.*no.*whole number"):
        read_dataset_files(data, license=None)
