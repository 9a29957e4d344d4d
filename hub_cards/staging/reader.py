"""notclip-reader as it will stand on the Hub: the reader of negation as a model, its labelled texts as a data set."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from notclip.errors import BadInputError
from notclip.files.derived import file_digest
from notclip.files.json_files import check_record, read_json_object
from notclip.files.only_writer import only_writer
from notclip.files.whole_files import whole_folder
from notclip.hub_cards.staging.config import StageReaderConfig
from notclip.hub_cards.staging.local_paths import check_no_local_paths, without_local_paths
from notclip.hub_cards.staging.manifest import RELEASE_FILE, write_manifest
from notclip.hub_cards.staging.reading_labels import FILES, ReadingLabels, read_reading_labels
from notclip.hub_cards.staging.stage import check_output, write_json, write_text
from notclip.reader_folder import write_reader
from notclip.remote import reading_tagger
from notclip.scoring.results import Figure

FOLDERS = {"reader": "model", "dataset": "dataset"}
AGAIN = "python benchmarks/reading.py --split test --out docs/results/reading/test.json"
EVERYTHING, PUBLISHED = "all", "all that may be passed on"  # rows of the results
READERS = ("ours", "labels alone")
_SHARE = {"texts": int, "value": float, "low": float, "high": float}
_OF_ALL = {reader: _SHARE for reader in READERS}
# What the cards read of a results file.
RESULTS = {
    "split": str,
    "rightly_read": {EVERYTHING: _OF_ALL, PUBLISHED: _OF_ALL},
    "reports": dict,
    "languages": {"all": {"left_whole": _SHARE}},
    "random_strings": {"texts": int, "broken_promises": int},
    "provenance": {"weights_sha256": str, "data": dict},
}
_TRAINING = {"sha256": str, "hand_labelled_texts": int, "plain_captions": int, "drawn_texts": int}


@dataclass(frozen=True)
class ReaderRelease:
    """The reader of this package, what was measured of it, and the texts that it was taught and measured on.

    Args:
        ids: `reader` and `dataset` -> id of the repository.
        version: that both tags name.
        results: what benchmarks/reading.py wrote.
        training: the record of the training.
        labels: the labelled texts.
    """

    ids: Mapping[str, str]
    version: str
    results: Mapping[str, Any]
    training: Mapping[str, Any]
    labels: ReadingLabels

    @property
    def tag(self) -> str:
        """Of both repositories."""
        return f"v{self.version}"

    def rightly_read(self, title: str, reader: str) -> Figure:
        """The share of texts of a group that was read rightly."""
        return figure(self.results["rightly_read"][title][reader])

    def references(self, folder: str) -> dict[str, Any]:
        """What release.json of one of the repositories says."""
        return {
            "made_with": f"notclip {version('notclip')}",
            "name": self.ids["reader"].rpartition("/")[2],
            "version": self.version,
            "folder": folder,
            "links": dict(self.ids),
            **{name: {"id": repo_id, "revision": self.tag} for name, repo_id in self.ids.items()},
        }


def figure(measured: Mapping[str, Any]) -> Figure:
    """A share of the results, with its interval."""
    return Figure(measured["value"], measured["low"], measured["high"])


def stage_reader(config: StageReaderConfig) -> dict[str, Any]:
    """Write both repositories into `config.out`, all or nothing.

    Returns:
        The manifest, as `stage_release` does.

    Raises:
        BadInputError: the reader is broken, results are missing or of another reader or other texts, the labelled
            texts are not as they should be, or `out` is in use.
    """
    from notclip.hub_cards.cards.reader import reader_card, reading_data_card

    with only_writer(config.out, reads={"labels": config.labels}):
        check_output(config.out, overwrite=config.overwrite)
        release = read_reader_release(config)
        with whole_folder(config.out) as stage:
            reader, dataset = stage / "reader", stage / "dataset"
            write_reader(reader)
            write_json(reader / "training.json", release.training)
            write_json(reader / "results" / "reading.json", release.results)
            write_text(reader / "README.md", reader_card(release, reader))
            release.labels.write(dataset)
            write_text(dataset / "README.md", reading_data_card(release, dataset))
            for folder in FOLDERS:
                write_json(stage / folder / RELEASE_FILE, release.references(folder))
            manifest = write_manifest(
                stage, list(_repositories(release)), name=config.name, release_version=release.version
            )
            check_no_local_paths(stage, [config.labels, config.results, config.out])
    return manifest


def read_reader_release(config: StageReaderConfig) -> ReaderRelease:
    """Read what both cards say, and check that it belongs together."""
    results = read_json_object(config.results, "`results`") if config.results.is_file() else None
    if results is None:
        raise BadInputError(f"`results` {config.results} is no file: measure the reader first, `{AGAIN}`.")
    check_record(results, RESULTS, f"`results` {config.results}")
    for title, of_readers in results["rightly_read"].items():
        check_record(of_readers, _OF_ALL, f"`results` {config.results}: {title!r}")
    if results["split"] != "test":
        raise BadInputError(f"`results` {config.results} is of the {results['split']} split: `{AGAIN}`.")
    weights = file_digest(reading_tagger.WEIGHTS)
    if results["provenance"]["weights_sha256"] != weights:
        raise BadInputError(f"`results` {config.results} is of another reader than this package carries: `{AGAIN}`.")
    file = config.labels / FILES["test"]
    if file.is_file() and results["provenance"]["data"] != {file.name: file_digest(file)}:
        raise BadInputError(f"`results` {config.results} is of other texts than {file} holds now: `{AGAIN}`.")
    record = reading_tagger.WEIGHTS.with_suffix(".json")
    training = read_json_object(record, "The reader's record")
    check_record(training, _TRAINING, f"The reader's record {record}")
    if training["sha256"] != weights:
        raise BadInputError(f"{reading_tagger.WEIGHTS} is not what {record} records, so one of them is broken.")
    return ReaderRelease(
        ids={"reader": f"{config.namespace}/{config.name}", "dataset": f"{config.namespace}/{config.name}-data"},
        version=config.version or version("notclip"),
        results=results,
        training=without_local_paths(training, {"../shared/models": "models"}),
        labels=read_reading_labels(config.labels),
    )


def _repositories(release: ReaderRelease) -> Iterator[dict[str, Any]]:
    for folder in reversed(FOLDERS):  # The model's page leads to the data, which is to be there.
        yield {
            "repo_id": release.ids[folder],
            "repo_type": FOLDERS[folder],
            "folder": folder,
            "tag": release.tag,
            "refers_to": [repo_id for name, repo_id in release.ids.items() if name != folder],
        }
