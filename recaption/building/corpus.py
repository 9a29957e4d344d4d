"""Third stage: what the train split shows together, and how reliably its captions mention what is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from scipy.sparse import csr_array

from notclip.errors import BadInputError
from notclip.files.whole_files import whole_file
from notclip.recaption.absences.co_occurrence import CoOccurrence
from notclip.recaption.absences.mention_rates import MentionCounts, MentionRate
from notclip.recaption.building.gathering import Shard
from notclip.recaption.building.images import SourceImage, shard_images
from notclip.recaption.building.job import BuildJob
from notclip.recaption.building.progress import TaskProgress

_TOGETHER_EVERY = 256  # Images whose concepts are multiplied at once.


@dataclass(frozen=True)
class Corpus:
    """What the train split says: what it often shows together, and measured reliability of mentions.

    `mention_rates` is empty where images have one caption each.
    """

    co_occurrence: CoOccurrence
    mention_rates: dict[str, MentionRate]


def shown_concepts(image: SourceImage, job: BuildJob) -> frozenset[str]:
    """Concepts that an image's captions or annotation affirm, with their hypernyms."""
    said = {name for caption in image.captions for name in job.lexicon.find(caption)}
    return job.lexicon.closure(said | job.concepts(image.labels or frozenset()))


def is_usable(image: SourceImage, shown: frozenset[str]) -> bool:
    """Whether anything is known of an image: a concept that it shows, or an annotation."""
    return bool(shown) or image.labels is not None


def survey_shard(job: BuildJob, index: int, progress: TaskProgress) -> None:
    """Count one shard of the train split."""
    shard = job.train_shards[index]
    file = _survey_file(job, shard)
    if file.is_file():
        return
    names = list(job.lexicon)
    row = {name: number for number, name in enumerate(names)}
    together = csr_array((len(names), len(names)), dtype=np.int64)
    mention_rates = MentionCounts(job.lexicon)
    images = 0
    pending: list[list[int]] = []
    for image in shard_images(job.work, shard, with_bytes=False):
        shown = shown_concepts(image, job)
        progress.update()
        if not is_usable(image, shown):
            continue
        images += 1
        mention_rates.add(image.captions)
        pending.append([row[name] for name in shown])
        if len(pending) == _TOGETHER_EVERY:
            together += _together(pending, len(names))
            pending = []
    together += _together(pending, len(names))
    with whole_file(file) as unfinished, unfinished.open("wb") as stream:
        _save(stream, together, images=images, mention_rates=mention_rates.counts, several=mention_rates.images)
    progress.note()


def _together(shown: list[list[int]], size: int) -> csr_array:
    """How many of these images show both of two concepts, shape (K, K)."""
    columns = [row for rows in shown for row in rows]
    starts = np.cumsum([0, *map(len, shown)])
    matrix = csr_array((np.ones(len(columns), dtype=np.int64), columns, starts), shape=(len(shown), size))
    return matrix.T @ matrix


def _save(stream: IO[bytes], together: csr_array, **counts: Any) -> None:
    """Counts of a shard or of all; those of pairs as what stands where, since nearly all pairs are never seen."""
    pairs = together.tocoo()
    np.savez_compressed(
        stream, first=pairs.row, second=pairs.col, times=pairs.data, concepts=together.shape[0], **counts
    )


def _read_together(counts: Mapping[str, np.ndarray]) -> csr_array:
    size = int(counts["concepts"])
    return csr_array((counts["times"], (counts["first"], counts["second"])), shape=(size, size))


def merge_survey(job: BuildJob) -> None:
    """Add the counts of all shards up.

    Raises:
        BadInputError: no image of the train split has a known concept.
    """
    together = csr_array((len(job.lexicon), len(job.lexicon)), dtype=np.int64)
    total: dict[str, np.ndarray] = {}
    for shard in job.train_shards:
        with np.load(_survey_file(job, shard), allow_pickle=False) as counts:
            together += _read_together(counts)
            total = {name: counts[name] + total.get(name, 0) for name in ("images", "mention_rates", "several")}
    if not together.nnz:
        raise BadInputError(
            f"`source` {job.config.source!r} has no image in the train split that shows a known concept."
        )
    with whole_file(job.work.corpus / "counts.npz") as unfinished, unfinished.open("wb") as stream:
        _save(stream, together, **total)


def read_corpus(job: BuildJob) -> Corpus:
    """What `merge_survey` added up."""
    with np.load(job.work.corpus / "counts.npz", allow_pickle=False) as total:
        co_occurrence = CoOccurrence(list(job.lexicon), _read_together(total).tocsc(), int(total["images"]))
        mention_rates = MentionCounts(job.lexicon)
        mention_rates.counts, mention_rates.images = total["mention_rates"], int(total["several"])
    return Corpus(co_occurrence, mention_rates.records())


def _survey_file(job: BuildJob, shard: Shard) -> Path:
    return job.work.survey / f"{shard.file_name}.npz"
