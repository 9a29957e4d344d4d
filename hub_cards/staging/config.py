"""Every option of `notclip stage-release` and `notclip stage-reader`."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from notclip.errors import BadInputError
from notclip.hub_cards.hub_rules import check_license, check_repo_id


@dataclass(frozen=True)
class StageConfig:
    """Options of `notclip stage-release`."""

    model: Path
    """Folder that `notclip train-adapter` wrote: adapter/, backbone/, model/, training.json."""
    data: Path
    """Folder that `notclip build-dataset` wrote."""
    results: tuple[Path, ...]
    """Results JSONs of `notclip score-model`: base, merged backbone and NotCLIP on the dataset and on other suites."""
    namespace: str
    """User or organisation on the Hub that the repositories will belong to."""
    out: Path
    """Folder to write; its parent must be on a disk with room for model, backbone and dataset."""
    name: str | None = None
    """Name of the release, from which the repositories take theirs; notclip-BASE when absent."""
    version: str | None = None
    """Version of the release, which its tags name; that of the code when absent. Once pushed, a version is final."""
    base_id: str | None = None
    """Hub id of the base. Without it a base that was a folder is staged too, under a name of its own."""
    weights_license: str | None = None
    """Licence of the merged weights, by the Hub's identifier, such as cc-by-4.0; the base's, by reference, when
    absent."""
    data_license: str | None = None
    """Licence, by the Hub's identifier, that lets you publish the source's photos and captions. Without it, and unless
    the source is the drawn world, the dataset is staged with ids, concepts and questions alone."""
    images: Literal["embedded", "ids"] = "embedded"
    """`ids` stages the dataset without its pictures, for sets that are too large: each row names its image, and
    join_images.py puts the pictures back."""
    image_url: str | None = None
    """Address of each picture, with {image_id} where its id goes, for a dataset that is staged without them."""
    overwrite: bool = False
    """Replace an earlier stage in `out`."""

    def __post_init__(self) -> None:
        if not self.results:
            raise BadInputError("`results` must name at least one results JSON of `notclip score-model`, got none.")
        check_repo_id(f"{self.namespace}/{self.name or 'notclip'}", because="Give another `namespace` or `name`.")
        for option, license_id in (("weights_license", self.weights_license), ("data_license", self.data_license)):
            if license_id is not None:
                check_license(license_id, named=f"`{option}`")
        _check_version(self.version)
        if self.image_url is not None and "{image_id}" not in self.image_url:
            raise BadInputError(
                "`image_url` must hold {image_id}, as https://example.org/{image_id}.jpg does, "
                f"got {self.image_url!r}."
            )
        if self.base_id is not None:
            # Some old models have no owner.
            full = self.base_id if "/" in self.base_id else f"owner/{self.base_id}"
            check_repo_id(full, because="`base_id` must be an id such as openai/clip-vit-base-patch32.")


@dataclass(frozen=True)
class StageReaderConfig:
    """Options of `notclip stage-reader`."""

    namespace: str
    """User or organisation on the Hub that both repositories will belong to."""
    out: Path
    """Folder to write."""
    name: str = "notclip-reader"
    """Name of the model; that of its data set is NAME-data."""
    version: str | None = None
    """Version that the tags name; that of the code when absent. Once pushed, a version is final."""
    labels: Path = Path("benchmarks/reading_data")
    """The labelled texts: train.jsonl, development.jsonl, test.jsonl and README.md of a checkout of NotCLIP."""
    results: Path = Path("docs/results/reading/test.json")
    """What `benchmarks/reading.py --split test` measured of this reader on these texts."""
    overwrite: bool = False
    """Replace an earlier stage in `out`."""

    def __post_init__(self) -> None:
        check_repo_id(f"{self.namespace}/{self.name}-data", because="Give another `namespace` or `name`.")
        _check_version(self.version)


def _check_version(version: str | None) -> None:
    if version is not None and not re.fullmatch(r"\d+(\.\d+)*[A-Za-z0-9.]*", version):
        raise BadInputError(f"`version` must be numbers joined by dots, such as 1.2.0, got {version!r}.")
