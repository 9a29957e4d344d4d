"""Ways to compose a caption's affirmed and excluded parts, side by side on frozen embeddings of three benches.

    python benchmarks/composition_methods.py --real-clip ../shared/data/real_clip \
        --bench ../shared/models/flickr8k-dual-encoder build/flickr8k/data \
        --bench recaption/drawn_world/encoder build/drawn-world/data

The ways are those of `composition_ways`. Each --bench is a dual encoder and a folder that `notclip build-dataset`
wrote: its validation questions and negated queries are answered, and statistics are measured on train photos.
Question groups and queries fall into two halves; each half is judged at the one setting that is best on the other
(macro accuracy and negated recall@5 together), and the figures are means over both. "As shipped" is dial 1.
--real-clip is one more table, `composition_on_real_clip`'s first.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from composition_on_real_clip import by_setting, judged, pair_sets, unit
from composition_ways import ways
from torch import Tensor

from notclip.loading import load_model
from notclip.remote.composition_notclip import SPREAD_OF_A_LOGIT, EmbeddedTexts, ImageStatistics, image_statistics
from notclip.training.calibration import choice_scores
from notclip.training.data import TrainingQuestion, read_training_split
from notclip.training.embedding_shards import cached_image_embeds
from notclip.training.validation import limited

KINDS = ("affirmation", "negation", "hybrid")


@dataclass(frozen=True)
class Half:
    """Half of a bench: questions, and negated queries with their images."""

    questions: list[TrainingQuestion]
    queries: list[tuple[str, int]]

    def figures(self, position: dict[str, int], vectors: Tensor, biases: Tensor, images: Tensor) -> list[float]:
        """Macro accuracy, accuracy by kind, and recall@5 of the queries over all images, in per cent."""
        asked = images[[question.image for question in self.questions]]
        scores, answers = choice_scores(self.questions, position, vectors, biases, asked)
        right = (scores.argmax(1) == answers).float()
        kinds = [question.kind for question in self.questions]
        accuracy = [right[[own == kind for own in kinds]].mean().item() for kind in KINDS]
        found = vectors[[position[text] for text, _ in self.queries]] @ images.T
        own = found.gather(1, torch.tensor([[image] for _, image in self.queries]))
        recall = ((found > own).sum(1) < 5).float().mean().item()
        return [100 * value for value in (float(np.mean(accuracy)), *accuracy, recall)]


@dataclass(frozen=True)
class Bench:
    """Two halves, what they ask embedded once, the images, and statistics of other photos.

    `position` has the row of each text, `spread` is that of a word's similarity as the model assumes it at level 1.
    """

    halves: tuple[Half, Half]
    position: dict[str, int]
    embedded: EmbeddedTexts
    images: Tensor
    statistics: ImageStatistics
    spread: float


def read_bench(base: str, data: Path, *, cache: Path, questions: int) -> Bench:
    """Embed a bench."""
    model = load_model(base, composition="scope")
    split = read_training_split(data, "validation")
    images = cached_image_embeds(model, split.image_bytes, split.digests, cache)
    train = read_training_split(data, "train")
    statistics = image_statistics(cached_image_embeds(model, train.image_bytes, train.digests, cache))
    kept = limited(split, questions=questions, images=len(images))
    halves = [
        Half(
            [question for group in kept.question_groups[half::2] for question in group], kept.negated_queries[half::2]
        )
        for half in (0, 1)
    ]
    texts = list(
        dict.fromkeys([text for q in kept.questions for text in q.choices] + [q for q, _ in kept.negated_queries])
    )
    with torch.no_grad():
        embedded = model.embed_texts(texts)
    position = {text: row for row, text in enumerate(texts)}
    spread = SPREAD_OF_A_LOGIT / model.logit_scale.exp().item()
    return Bench((halves[0], halves[1]), position, embedded, images, statistics, spread)


def judge_bench(name: str, bench: Bench) -> None:
    """Answer a bench in every way, and print its table."""
    embedded = bench.embedded
    nothing = embedded.whole.new_zeros(len(embedded.whole))

    def both(vectors: Tensor, biases: Tensor) -> list[list[float]]:
        return [half.figures(bench.position, vectors, biases, bench.images) for half in bench.halves]

    found: dict[str, dict[float, list[list[float]]]] = {"plain": {0.0: both(embedded.whole, nothing)}}
    for title, way in ways(bench.statistics, spread=bench.spread).items():
        found[title] = {}
        for setting in way.settings:
            vectors, biases = way.turn(embedded.parts, setting)
            found[title][setting] = both(
                embedded.whole.index_copy(0, embedded.negating, vectors),
                nothing.index_copy(0, embedded.negating, biases),
            )
    for level in ("level 1", "level 2"):
        found[f"{level}, as shipped"] = {1.0: found[level][1.0]}
    asked = sum(len(half.questions) for half in bench.halves)
    print(f"\n{name}: {len(bench.images)} photos, {asked} questions\n")
    print(
        "| way | settings | macro | affirmation | negation | hybrid | recall@5, negated |\n"
        "|---|---:|---:|---:|---:|---:|---:|"
    )
    for title, settings in found.items():
        best = [max(settings, key=lambda s: settings[s][1 - half][0] + settings[s][1 - half][-1]) for half in (0, 1)]
        cells = np.mean([settings[setting][half] for half, setting in enumerate(best)], axis=0)
        chosen = ", ".join(f"{setting:g}" for setting in dict.fromkeys(best))
        print(f"| {title} | {chosen} | " + " | ".join(f"{value:.1f}" for value in cells) + " |", flush=True)


def judge_real_clip(folder: Path) -> None:
    """The first table of `composition_on_real_clip`, without intervals."""
    title, pairs = next(iter(pair_sets(folder).items()))
    print(
        f"\nReal CLIP, {title}: {len(pairs.names)} pairs\n\n| way | mAP | P@10 | violation@10 |\n|---|---:|---:|---:|"
    )
    for name, settings in by_setting(pairs, unit(np.load(folder / "photos_vit_b32.npy"))).items():
        print(f"| {name} | " + " | ".join(f"{value:.1f}" for value in judged(pairs, settings).mean(0)) + " |")


def main() -> int:
    """Print one table a bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", nargs=2, action="append", default=[], metavar=("ENCODER", "DATA"))
    parser.add_argument("--real-clip", type=Path, default=None, help="folder of real_clip")
    parser.add_argument("--cache", type=Path, default=Path("build/cache"), help="folder of image embeddings")
    parser.add_argument("--questions", type=int, default=6000, help="questions of a bench at most")
    options = parser.parse_args()
    if options.real_clip is not None:
        judge_real_clip(options.real_clip)
    for base, data in options.bench:
        bench = read_bench(base, Path(data), cache=options.cache, questions=options.questions)
        judge_bench(Path(base).name, bench)
    return 0


if __name__ == "__main__":
    sys.exit(main())
