"""The dataset as it is published: whole, or without what is too large or not ours to pass on.

Whole, a file is the built one, byte for byte, so that results and release speak of the same data. Without its
pictures, each row names its image by id, SHA-256 and perhaps URL, and `join_images.py` puts them back. Where nobody
said that the source's sentences may be passed on, they stay out too: ids, concepts, evidence and questions are our own
findings.
"""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from notclip.dataset.built import DatasetFiles
from notclip.dataset.splits import SPLITS
from notclip.errors import BadInputError

# Our own findings about an image; every other column holds, or quotes, the source's pictures and sentences.
OWN_COLUMNS = (
    *("image_id", "affirmed", "absent", "evidence", "forms", "patterns", "present", "relevant", "violating"),
    # Choices, and the captions of pairs, are made of concepts, not of the source's captions.
    *("choices", "answer", "kind", "choice_kinds", "choice_forms", "choice_patterns", "group"),
    *("pair", "image_id_0", "image_id_1", "caption_0", "caption_1", "kind_0", "kind_1", "form_0", "form_1"),
    *("pattern_0", "pattern_1"),
)
JOIN_SCRIPT = "join_images.py"
# The Hub's viewer shows no file with a larger row group.
LARGEST_ROW_GROUP = 300 * 2**20


def copy_dataset(dataset: DatasetFiles, target: Path, *, with_images: bool, image_url: str | None) -> None:
    """Copy the Parquet files, without what is not passed on, and the script that joins it again.

    Args:
        dataset: the built dataset.
        target: folder of the repository.
        with_images: whether pictures go out, given that their licence allows it.
        image_url: address of a picture, with `{image_id}` in it, for rows without pictures.

    Raises:
        BadInputError: a row group is too large for the Hub's viewer.
    """
    whole = with_images and dataset.license is not None
    for name, file in dataset.files().items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if whole:
            _check_row_groups(file)
            shutil.copyfile(file, target / name)
        else:
            _copy_without_images(file, target / name, sentences=dataset.license is not None, image_url=image_url)
    if not whole:
        shutil.copyfile(Path(__file__).with_name(JOIN_SCRIPT), target / JOIN_SCRIPT)


def dataset_info(dataset: DatasetFiles, staged: Path) -> list[dict[str, Any]]:
    """The features, rows and sizes of each config as it is staged, in the form in which a card states them."""
    from notclip.files.parquet_files import open_parquet, parquet_features

    found = []
    for config, parts in dataset.parts.items():
        files = {split: [staged / config / part.name for part in of_split] for split, of_split in parts.items()}
        with open_parquet(files[SPLITS[0]][0]) as parquet:
            features = parquet_features(parquet, files[SPLITS[0]][0])
        found.append({"config_name": config} | config_info(features, files, dataset.rows[config]))
    return found


def config_info(features: Any, files: Mapping[str, Sequence[Path]], rows: Mapping[str, int]) -> dict[str, Any]:
    """The same of one config, by the files and the number of rows of each split."""
    from datasets import DatasetInfo, SplitDict, SplitInfo

    splits = SplitDict()
    for split, of_split in files.items():
        size = sum(size for file in of_split for size in group_sizes(file))
        splits.add(SplitInfo(split, num_bytes=size, num_examples=rows[split]))
    info: dict[str, Any] = DatasetInfo(
        features=features,
        splits=splits,
        download_size=sum(file.stat().st_size for of_split in files.values() for file in of_split),
        dataset_size=sum(split.num_bytes for split in splits.values()),
    )._to_yaml_dict()
    return info


def _check_row_groups(file: Path) -> None:
    largest = max(group_sizes(file), default=0)
    if largest > LARGEST_ROW_GROUP:
        raise BadInputError(
            f"{file} has a row group of {largest / 2**20:.0f} MiB; the Hub's viewer shows up to "
            f"{LARGEST_ROW_GROUP // 2**20}. Build the dataset from smaller photos, or stage it with --images ids."
        )


def group_sizes(file: Path) -> list[int]:
    """Bytes of each row group of a Parquet file, before compression."""
    from notclip.files.parquet_files import open_parquet

    with open_parquet(file) as parquet:
        metadata = parquet.metadata
        return [metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups)]


def _copy_without_images(source: Path, target: Path, *, sentences: bool, image_url: str | None) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from datasets import Features, Image, Value

    from notclip.files.parquet_files import open_parquet, parquet_features

    with open_parquet(source) as file:
        features = parquet_features(file, source)
    images = [name for name, feature in features.items() if isinstance(feature, Image)]
    columns = [name for name in features if name not in images and (sentences or name in OWN_COLUMNS)]
    # What stands for a picture: image -> image_sha256, image_url; image_0 -> image_sha256_0, image_url_0.
    named = ["image_sha256"] + (["image_url"] if image_url is not None else [])
    found = [image.replace("image", name) for image in images for name in named]
    kept = Features({name: features[name] for name in columns} | {name: Value("string") for name in found})
    with open_parquet(source) as file, pq.ParquetWriter(target, kept.arrow_schema, compression="zstd") as writer:
        for batch in file.iter_batches(batch_size=500, columns=[*columns, *images]):
            table = pa.Table.from_batches([batch.select(columns)])
            for image in images:
                pictures = batch.column(image).to_pylist()
                hashes = [hashlib.sha256(picture["bytes"]).hexdigest() for picture in pictures]
                table = table.append_column(image.replace("image", "image_sha256"), [hashes])
                if image_url is not None:
                    ids = batch.column(image.replace("image", "image_id")).to_pylist()
                    urls = [image_url.replace("{image_id}", name) for name in ids]
                    table = table.append_column(image.replace("image", "image_url"), [urls])
            writer.write_table(table.cast(kept.arrow_schema))
