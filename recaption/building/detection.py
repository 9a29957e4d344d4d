"""Fourth stage: what a detector sees, and from which score a class may be there."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from notclip.files.whole_files import whole_file
from notclip.recaption.absences.detector import Detector, EveryFrame, PresenceDetector, presence_scores
from notclip.recaption.absences.detector_thresholds import DetectorThreshold, ScoreCounts
from notclip.recaption.absences.zero_shot_detector import ZeroShotDetector
from notclip.recaption.building.corpus import shown_concepts
from notclip.recaption.building.gathering import Shard
from notclip.recaption.building.images import shard_images
from notclip.recaption.building.job import BuildJob
from notclip.recaption.building.progress import TaskProgress
from notclip.recaption.building.work_folder import read_work_file, write_work_file


@lru_cache(maxsize=1)
def open_detector(job: BuildJob) -> tuple[Detector, dict[str, str]]:
    """The detector of the options, and its class of each concept that it knows.

    Raises:
        BadInputError: it cannot be loaded.
    """
    assert job.config.detector is not None  # noqa: S101  # Without one there is no such stage.
    if job.config.detector.suffix != ".onnx" and not job.config.detector.is_file():
        # One that is told in words what to look for is asked for every concept.
        labels = tuple(job.lexicon)
        phrases = [concept.indefinite for concept in job.lexicon.values()]
        return ZeroShotDetector(job.config.detector, labels, phrases), {name: name for name in labels}
    detected_as = {
        name: concept.detector_class for name, concept in job.lexicon.items() if concept.detector_class is not None
    }
    return PresenceDetector(job.config.detector), detected_as


def detect_shard(job: BuildJob, index: int, progress: TaskProgress) -> None:
    """Score the photos of one shard, and count the scores of the classes that captions or annotation name."""
    shard = job.shards[index]
    file = job.work.scores / f"{shard.file_name}.npz"
    if file.is_file():
        return
    detector, detected_as = open_detector(job)
    images = list(shard_images(job.work, shard, with_bytes=False))
    encoded = ((image.digest, image.image or b"") for image in shard_images(job.work, shard, with_bytes=True))
    found = presence_scores(
        EveryFrame(detector),
        [image.digest for image in images],
        encoded,
        cache=job.cache,
        workers=job.threads,
        done=progress.update,
    )
    counts = ScoreCounts(detector.labels)
    for image in images:
        if image.digest in found:
            named = {detected_as[name] for name in shown_concepts(image, job) if name in detected_as}
            counts.add(found[image.digest], named)
    scores = np.stack(list(found.values())) if found else np.zeros((0, len(detector.labels)), dtype=np.float32)
    with whole_file(file) as unfinished, unfinished.open("wb") as stream:
        np.savez_compressed(stream, digests=np.array(list(found), dtype=np.str_), scores=scores, counts=counts.counts)
    progress.note()


def merge_detection(job: BuildJob) -> None:
    """Set the thresholds by the train split."""
    detector, detected_as = open_detector(job)
    counts = ScoreCounts(detector.labels)
    for shard in job.train_shards:
        with np.load(job.work.scores / f"{shard.file_name}.npz", allow_pickle=False) as stored:
            counts.counts += stored["counts"]
    thresholds = counts.thresholds(missed=job.config.detector_missed)
    write_work_file(
        job.work.corpus / "detector.json",
        {
            "fingerprint": detector.fingerprint,
            "thresholds": [[label, asdict(threshold)] for label, threshold in thresholds.items()],
            "detected_as": detected_as,
        },
    )


def read_detection(job: BuildJob) -> tuple[str | None, dict[str, DetectorThreshold], dict[str, str]]:
    """Fingerprint of the detector, thresholds in the order of its classes, and its class of each concept."""
    if job.config.detector is None:
        return None, {}, {}
    stored = read_work_file(job.work.corpus / "detector.json")
    thresholds = {label: DetectorThreshold(**values) for label, values in stored["thresholds"]}
    return stored["fingerprint"], thresholds, stored["detected_as"]


def read_scores(job: BuildJob, shard: Shard) -> Mapping[str, np.ndarray]:
    """Scores of the photos of a shard by content hash; empty without a detector."""
    if job.config.detector is None:
        return {}
    with np.load(job.work.scores / f"{shard.file_name}.npz", allow_pickle=False) as stored:
        return dict(zip(stored["digests"].tolist(), stored["scores"], strict=True))


def write_seen(job: BuildJob, folder: Path) -> None:
    """Keep what the detector saw in the photos that are learnt from, `seen/train.parquet` beside the rows.

    A row a photo: `digest`, and its score for each class. The field of a class lists in its metadata, as JSON under
    `texts`, by which words it is called.
    """
    if job.config.detector is None:
        return
    _, thresholds, detected_as = read_detection(job)
    place = {label: index for index, label in enumerate(thresholds)}
    concept_of = {label: name for name, label in reversed(detected_as.items()) if label in place}
    fields = [pa.field("digest", pa.string(), nullable=False)]
    for label, name in concept_of.items():
        fields.append(pa.field(label, pa.float32(), metadata={"texts": json.dumps(job.lexicon.called(name))}))
    schema = pa.schema(fields)
    (folder / "seen").mkdir(exist_ok=True)
    with whole_file(folder / "seen" / "train.parquet") as unfinished, pq.ParquetWriter(unfinished, schema) as writer:
        for shard in job.train_shards:
            scores = read_scores(job, shard)
            of_class = np.stack(list(scores.values())) if scores else np.zeros((0, len(place)), dtype=np.float32)
            columns = [pa.array(of_class[:, place[label]]) for label in concept_of]
            writer.write_table(pa.Table.from_arrays([pa.array(list(scores), pa.string()), *columns], schema=schema))
