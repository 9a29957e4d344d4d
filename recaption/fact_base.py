"""From a source to facts: what each of its images shows, and what it was verified not to show."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from notclip.errors import BadInputError
from notclip.recaption.absences import Companions
from notclip.recaption.build_config import BuildConfig, default_cache
from notclip.recaption.detector import PresenceDetector, presence_scores
from notclip.recaption.detector_thresholds import DetectorThreshold, calibrate_thresholds
from notclip.recaption.facts import ImageFacts
from notclip.recaption.lexicon import Lexicon
from notclip.recaption.salience import SalienceRecord, measure_salience, salience_table
from notclip.recaption.sources import Skipped, Source, SourceImage
from notclip.recaption.verification import Verifier


@dataclass(frozen=True)
class FactBase:
    """The facts of all images of a source.

    Args:
        facts: by split; images without any known concept are left out.
        images: encoded images by identifier.
        companions: what the train split often shows together.
        thresholds: detector thresholds by COCO class; empty without a detector.
        salience: measured reliability of mentions; empty where images have one caption each.
        detector: SHA-256 of the detector's file; None without one.
    """

    facts: Mapping[str, list[ImageFacts]]
    images: Mapping[str, SourceImage]
    companions: Companions
    thresholds: Mapping[str, DetectorThreshold]
    salience: Mapping[str, SalienceRecord]
    detector: str | None

    def record(self) -> dict[str, Any]:
        """What verification rested on, for `build.json`."""
        return {
            "detector": self.detector,
            "detector_thresholds": {label: asdict(threshold) for label, threshold in self.thresholds.items()},
            "salience": salience_table(dict(self.salience)),
        }


def collect_facts(source: Source, lexicon: Lexicon, config: BuildConfig) -> FactBase:
    """Work out what every image shows and what it surely does not.

    Thresholds, reliability of mentions and companions are measured on the train split alone.

    Args:
        source: the images; those without a known concept are added to its `skipped`.
        lexicon: the concepts, annotated ones included.
        config: options of the build.

    Raises:
        BadInputError: no image of the train split has a known concept.
    """
    named = {label: lexicon.resolve(label) for label in source.vocabulary or ()}
    objects = {
        image.image_id: None if image.objects is None else frozenset(str(named[label]) for label in image.objects)
        for images in source.splits.values()
        for image in images
    }
    shown = {
        image.image_id: lexicon.closure(
            {name for caption in image.captions for name in lexicon.find(caption)} | (objects[image.image_id] or set())
        )
        for images in source.splits.values()
        for image in images
    }
    kept: dict[str, list[SourceImage]] = {}
    for split, images in source.splits.items():
        kept[split] = [image for image in images if shown[image.image_id]]
        for image in images:
            if not shown[image.image_id]:
                file, _, row = image.place.rpartition(" row ")
                reason = "no known concept in its captions or annotation"
                source.skipped.append(Skipped(file, int(row), reason))
    train = kept["train"]
    if not train:
        raise BadInputError(f"`source` {source.name!r} has no image in the train split that shows a known concept.")
    companions = Companions([shown[image.image_id] for image in train])
    salience = measure_salience((image.captions for image in train), lexicon)
    scores: dict[str, np.ndarray] = {}
    thresholds: dict[str, DetectorThreshold] = {}
    fingerprint = None
    if config.detector is not None:
        detector = PresenceDetector(config.detector)
        fingerprint = detector.fingerprint
        scores = presence_scores(
            detector,
            {image.digest: image.image for images in kept.values() for image in images},
            cache=config.cache or default_cache(),
            workers=config.workers,
            progress=config.progress,
        )
        thresholds = _thresholds(train, shown, scores, lexicon, missed=config.detector_missed)
    verifier = Verifier(
        lexicon,
        companions,
        vocabulary=frozenset(str(name) for name in named.values()),
        thresholds=thresholds,
        salience=salience,
        risk=config.risk,
    )
    facts: dict[str, list[ImageFacts]] = {}
    with tqdm(total=sum(map(len, kept.values())), desc="verifying", unit="photo", disable=not config.progress) as bar:
        for split, images in kept.items():
            facts[split] = []
            for image in images:
                facts[split].append(
                    verifier.facts(
                        image.image_id,
                        image.captions,
                        objects=objects[image.image_id],
                        scores=scores.get(image.digest),
                    )
                )
                bar.update()
    by_id = {image.image_id: image for images in kept.values() for image in images}
    return FactBase(facts, by_id, companions, thresholds, salience, fingerprint)


def _thresholds(
    train: list[SourceImage],
    shown: Mapping[str, frozenset[str]],
    scores: Mapping[str, np.ndarray],
    lexicon: Lexicon,
    *,
    missed: float,
) -> dict[str, DetectorThreshold]:
    scored = [image for image in train if image.digest in scores]
    rows: dict[str, list[int]] = defaultdict(list)
    for row, image in enumerate(scored):
        for label in {lexicon[name].detector_class for name in shown[image.image_id]}:
            if label is not None:
                rows[label].append(row)
    matrix = np.stack([scores[image.digest] for image in scored]) if scored else np.zeros((0, 80))
    return calibrate_thresholds(matrix, rows, missed=missed)
