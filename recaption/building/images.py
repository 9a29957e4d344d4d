"""The images of a shard, streamed from the raw shards that hold them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq

from notclip.dataset.splits import SPLITS
from notclip.recaption.building.gathering import Shard, read_merged
from notclip.recaption.building.work_folder import WorkFolder, read_work_file

_BATCH = 256
_TEXTS = ["image_id", "captions", "annotated", "present", "uncertain", "unsaid", "digest", "location", "file", "row"]


@dataclass(frozen=True, slots=True)
class SourceImage:
    """One image with its captions.

    Args:
        image_id: identifier, its own in the whole dataset.
        image: encoded bytes; None where only the texts are read.
        captions: all captions of all rows that show it.
        labels: what an annotation says is there; None without annotation.
        uncertain: labels that may be there, as the annotation says.
        unsaid: labels of which the annotation says nothing.
        digest: SHA-256 of the bytes, as hexadecimal digits.
        location: where others find it, if the source says so.
        file: what it stands in.
        row: its row there.
    """

    image_id: str
    image: bytes | None
    captions: tuple[str, ...]
    labels: frozenset[str] | None
    uncertain: frozenset[str]
    unsaid: frozenset[str]
    digest: str
    location: str | None
    file: str
    row: int


def shard_images(work: WorkFolder, shard: Shard, *, with_bytes: bool) -> Iterator[SourceImage]:
    """The images of a shard in the order of the source; without bytes only the texts are read."""
    columns = ["image", *_TEXTS] if with_bytes else _TEXTS
    wanted = SPLITS.index(shard.split)
    for name in shard.raw_shards:
        codes = np.load(work.gather / f"{name}.npy", allow_pickle=False)
        renamed = read_work_file(work.gather / f"{name}.json")["renamed"]
        merged = read_merged(work, name)
        row = -1
        with pq.ParquetFile(work.raw_shards / f"{name}.parquet") as raw_shards:
            for batch in raw_shards.iter_batches(_BATCH, columns=columns):
                for values in batch.to_pylist():
                    row += 1
                    if codes[row] != wanted:
                        continue
                    rows = [values, *merged.get(row, ())]
                    annotated = [other for other in rows if other["annotated"]]
                    labels = frozenset(label for other in annotated for label in other["present"])
                    uncertain = frozenset(label for other in annotated for label in other["uncertain"])
                    unsaid = frozenset(label for other in annotated for label in other["unsaid"])
                    yield SourceImage(
                        image_id=renamed.get(str(row), values["image_id"]),
                        image=values.get("image"),
                        captions=tuple(dict.fromkeys(text for other in rows for text in other["captions"])),
                        labels=labels if annotated else None,
                        uncertain=uncertain - labels,
                        unsaid=unsaid - labels,
                        digest=values["digest"].hex(),
                        location=values["location"],
                        file=values["file"],
                        row=values["row"],
                    )
