"""A dataset of the Hub to train from: `--data user/dataset`, downloaded by the real client."""

from pathlib import Path

import pytest

from notclip.dataset.hub import on_this_machine
from notclip.errors import BadInputError
from notclip.training.data import read_training_split


def test_a_dataset_of_the_hub_is_read_for_training_as_the_folder_that_it_was_built_as(on_hub, hub):
    folder = on_hub()
    hub.log.clear()
    data = on_this_machine(Path("ann/tiny-data"), ("train", "validation"))
    for split in ("train", "validation"):
        downloaded, built = (read_training_split(place, split) for place in (data, folder))
        for part in ("image_bytes", "captions", "question_groups", "negated_queries"):
            assert list(getattr(downloaded, part)) == list(getattr(built, part))
    assert not [path for _, path in hub.log if "test.parquet" in path]
    assert on_this_machine(folder, ("train",)) == folder


def test_a_dataset_that_is_neither_here_nor_on_the_hub_is_told(on_hub):
    on_hub()
    for name, splits in (("ann/nothing", ("train",)), ("ann/tiny-data", ("train", "holdout"))):
        with pytest.raises(BadInputError, match=f"`data` {name}"):
            on_this_machine(Path(name), splits)
