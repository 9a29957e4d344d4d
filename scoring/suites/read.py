"""Read a suite from what a user names: a dataset of ours, NegBench's CSV files, or CSV and YAML files of her own."""

import re
from pathlib import Path

from notclip.errors import BadInputError
from notclip.files.tables import is_table
from notclip.scoring.suites.csv_files import read_csv_suite
from notclip.scoring.suites.suite import Suite
from notclip.scoring.suites.yaml_files import read_yaml_suite

_CONFIGS = ("captions", "questions", "pairs", "retrieval")
_YAML = (".yaml", ".yml")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def read_suite(
    path: Path | str,
    *,
    images: Path | str | None = None,
    split: str = "test",
    limit: int | None = None,
    revision: str | None = None,
    skip_missing: bool = False,
) -> Suite:
    """Read questions and queries; photos are only looked up, and opened when they are scored.

    Args:
        path: a folder that `notclip build-dataset` wrote, such a dataset's id on the Hub, a CSV or YAML file, or a
            folder of such files, as `notclip init-suite` makes one.
        images: the folder of the photos that CSV and YAML files name, by default the one in which the files are; or of
            those that a dataset refers to.
        split: of a dataset.
        limit: keep this many images, for a quick look.
        revision: of a dataset on the Hub.
        skip_missing: leave out and list what has no photo, instead of stopping.

    Raises:
        BadInputError: nothing there is a suite, or a row breaks a rule; names file and row.
    """
    named, path = str(path), Path(path)
    images = None if images is None else Path(images)
    hub_id = None if path.exists() or is_table(path) or path.suffix in _YAML or not _HUB_ID.fullmatch(named) else named
    if hub_id is not None:
        from notclip.dataset.hub import download_splits

        path = download_splits(hub_id, [split], name="suite", revision=revision)
    if path.is_dir() and any((path / config).is_dir() for config in _CONFIGS):
        from notclip.scoring.suites.dataset import read_dataset_suite  # datasets takes seconds to import

        suite = read_dataset_suite(path, split=split, name=hub_id, images=images)
    elif path.is_dir():
        files = sorted(file for file in path.iterdir() if is_table(file) or file.suffix in _YAML)
        if not files:
            raise BadInputError(
                f"`suite` {path} must hold CSV files or YAML files, or the folders {', '.join(_CONFIGS)} of a "
                "dataset; `notclip init-suite` starts a suite, `notclip build-dataset` makes a dataset."
            )
        parts = [_read_file(file, images=images or path, skip_missing=skip_missing) for file in files]
        suite = _united(path.resolve().name, parts)
    elif path.is_file():
        suite = _read_file(path, images=images, skip_missing=skip_missing)
    else:
        raise BadInputError(
            f"`suite` must be a CSV or YAML file, a folder or a dataset on the Hub, got {path}, which does not exist."
        )
    if limit is not None:
        if limit < 2:
            raise BadInputError(f"`limit` must be at least 2 images, got {limit}.")
        suite = suite.limited(limit)
    if not (suite.questions or suite.pairs or suite.negated_queries or suite.ordinary_queries):
        skipped = f"; {len(suite.skipped)} were skipped. The first: {suite.skipped[0]}" if suite.skipped else ""
        raise BadInputError(f"`suite` {path} holds no question and no query{skipped}.")
    return suite


def _read_file(file: Path, *, images: Path | None, skip_missing: bool) -> Suite:
    read = read_yaml_suite if file.suffix in _YAML else read_csv_suite
    return read(file, images=images, skip_missing=skip_missing)


def _united(name: str, parts: list[Suite]) -> Suite:
    return Suite(
        name,
        photos={image: photo for part in parts for image, photo in part.photos.items()},
        questions=[question for part in parts for question in part.questions],
        negated_queries=[query for part in parts for query in part.negated_queries],
        ordinary_queries=[query for part in parts for query in part.ordinary_queries],
        gallery=list(dict.fromkeys(image for part in parts for image in part.gallery)),
        files={file: digest for part in parts for file, digest in part.files.items()},
        skipped=[line for part in parts for line in part.skipped],
    )
