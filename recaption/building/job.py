"""What every stage of a build gets: the options, the folder, and what follows from both."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from notclip.dataset.rows import CONFIGS
from notclip.dataset.splits import SPLITS
from notclip.files.cache_folder import user_cache
from notclip.recaption.building.config import BuildConfig
from notclip.recaption.building.gathering import Gathered, Shard, read_gathered
from notclip.recaption.building.work_folder import WorkFolder, read_work_file
from notclip.recaption.concepts.lexicon import Lexicon, load_lexicon
from notclip.recaption.english.domain import LabelDomain, load_domain
from notclip.recaption.english.phrasing import Phrasebook, load_phrasebook
from notclip.recaption.sources.labels import read_label, read_labels, things_of
from notclip.recaption.sources.opening import list_parts
from notclip.recaption.sources.parts import Part


@dataclass(frozen=True)
class BuildJob:
    """One build, the same on every machine that works on it.

    Args:
        config: the options.
        root: the folder that it grows in.
        threads: threads of one task.
        fingerprint: of all that the dataset depends on: another build in this process is another job.
    """

    config: BuildConfig
    root: Path
    threads: int = 1
    fingerprint: str = ""

    @cached_property
    def work(self) -> WorkFolder:
        """The folder with its places."""
        return WorkFolder(self.root)

    @property
    def cache(self) -> Path:
        """Folder of detector scores, drawn scenes and a language model's answers."""
        return self.config.cache or user_cache()

    @cached_property
    def parts(self) -> Sequence[Part]:
        """The parts of the source."""
        return list_parts(
            self.config.source,
            cache=self.cache,
            part_rows=self.config.shard_images,
            limit=self.config.limit,
            seed=self.config.seed,
            workers=self.config.workers,
            progress=self.config.progress,
            labels=() if self.domain is None else self.domain.classes.keys(),
            exhaustive=self.config.exhaustive,
        )

    @property
    def configs(self) -> list[str]:
        """The configs of the dataset."""
        return [name for name in CONFIGS if name != "pairs" or self.config.pairs_per_image]

    @property
    def keep_images(self) -> bool:
        """Whether the photos' bytes are needed after the first stage."""
        return self.config.images == "embedded" or self.config.detector is not None

    @cached_property
    def part_count(self) -> int:
        """Number of parts, as it was when the build began."""
        return int(read_work_file(self.work.plan)["parts"])

    @cached_property
    def gathered(self) -> Gathered:
        """Splits and shards; known after the second stage."""
        return read_gathered(self.work)

    @property
    def shards(self) -> tuple[Shard, ...]:
        """All shards; known after the second stage."""
        return self.gathered.shards

    @property
    def train_shards(self) -> tuple[Shard, ...]:
        """Those on which everything is measured that later stages rely on."""
        return tuple(shard for shard in self.shards if shard.split == "train")

    @cached_property
    def lexicon(self) -> Lexicon:
        """The concepts, those of the annotation included; known after the second stage."""
        labels = self.gathered.vocabulary or ()
        if self.domain is not None:
            return self.domain.lexicon(labels)
        return load_lexicon(self.config.lexicon).extended(things_of(labels).values())

    @cached_property
    def domain(self) -> LabelDomain | None:
        """What the labels of the source mean, if the options say it."""
        return None if self.config.domain is None else load_domain(self.config.domain)

    @cached_property
    def phrasebooks(self) -> dict[str, Phrasebook]:
        """The English of captions, questions and queries of each split."""
        book = load_phrasebook() if self.domain is None else self.domain.phrasebook
        return {split: book.of_split(split) for split in SPLITS}

    def require_english(self, labels: Sequence[str] | None) -> None:
        """See that something can be said of the labels of a part, before any of its photos is read.

        Raises:
            BadInputError: some make no English, and no domain says what they are called.
        """
        if labels and self.domain is None:
            read_labels(labels)
        elif labels and self.domain is not None:
            self.domain.concept_of_label(labels)

    @cached_property
    def concept_of_label(self) -> dict[str, str]:
        """The concept that each label of the annotation means; labels that nothing is said of are missing."""
        labels = self.gathered.vocabulary or ()
        if self.domain is not None:
            return self.domain.concept_of_label(labels)
        found = {label: self.lexicon.resolve(words) for label, words in things_of(labels).items()}
        return {label: name for label, name in found.items() if name is not None}

    @cached_property
    def denials(self) -> dict[str, str | None]:
        """Labels that deny a thing ("no-hardhat"), and the concept that is denied; None for one that is no class."""
        known = {name.lower(): name for name in self.concept_of_label.values()}
        known |= {read_label(label).words.lower(): name for label, name in self.concept_of_label.items()}
        named = () if self.domain is None else (*self.domain.classes, *self.domain.leave_out)
        others = {
            label: read_label(label, known=known) for label in self.gathered.vocabulary or () if label not in named
        }
        return {label: known.get(reading.words) for label, reading in others.items() if reading.kind == "denial"}

    def denied(self, labels: frozenset[str] | None) -> frozenset[str]:
        """Concepts that some of these labels deny."""
        found = {self.denials[label] for label in (labels or frozenset()).intersection(self.denials)}
        return frozenset(name for name in found if name is not None)

    def concepts(self, labels: frozenset[str]) -> frozenset[str]:
        """Concepts of labels."""
        return frozenset(self.concept_of_label[label] for label in labels if label in self.concept_of_label)
