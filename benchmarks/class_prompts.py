r"""Which anchor lets prompts learn where a class lies and keeps ordinary search: short trainings, several seeds.

    python benchmarks/class_prompts.py --base ../shared/models/flickr8k-dual-encoder --data build/flickr8k/data \\
        --away ../shared/data/coco128 --away-built build/flickr8k/away --cache build/flickr8k/trained/cache

Each row trains an adapter for STEPS steps on class prompts and anchored captions alone, minutes a run, so that what
decides between them can be told apart; `notclip train-adapter` trains on questions and captions as well. Judged on
validation: DATA's questions and ordinary recall@5; the same of AWAY-BUILT, which `notclip build-dataset` made of AWAY;
questions in NegBench's form about AWAY's own labels; and the presence AUC of AWAY's class names (`what_photos_know`).
Prints a Markdown table, mean and standard deviation over seeds.
"""

import argparse
import hashlib
import random
import statistics
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm
from what_photos_know import auc, prompt_scores, read_yolo

from notclip.dataset.splits import SPLITS
from notclip.loading import load_model
from notclip.remote.composition_notclip import ImageStatistics, image_statistics
from notclip.remote.modeling_notclip import NotClipModel
from notclip.training.calibration import choice_scores
from notclip.training.data import TrainingQuestion, TrainingSplit
from notclip.training.embedding_shards import cached_image_embeds
from notclip.training.judging import joined
from notclip.training.learner import backbone_embeds
from notclip.training.lora import add_lora
from notclip.training.losses import anchor_loss, search_anchor_loss
from notclip.training.run import embed_splits, evenly, read_data
from notclip.training.seen_classes import ClassPromptLesson, read_seen_classes
from notclip.training.validation import limited, macro_accuracy, validate

PROMPTS, CAPTIONS, RATE, RANK = 48, 48, 1e-3, 32
QUESTIONS, IMAGES = 600, 500  # of DATA's validation split
# Of the anchor and of class prompts: their weights.
RECIPES = {
    "held by distance (8), class prompts (2)": (anchor_loss, 8.0, 2.0),
    "held by what it finds (2), class prompts (2)": (search_anchor_loss, 2.0, 2.0),
    "held by what it finds (8), class prompts (4)": (search_anchor_loss, 8.0, 4.0),
}
AFFIRMED = ("This image features {A}.", "The image shows {A}.", "A photo of {A}.", "The picture has {A} in it.")
DENIED = ("There is no {b} in the image.", "This image does not include {B}.", "No {b} is present in this image.")
BOTH = (
    "This image features {A}, but no {b} is present.",
    "The image has {A} with no {b} in sight.",
    "{A} without {B}.",
)
COLUMNS = ("macro", "recall@5", "away: macro", "away: recall@5", "in NegBench's form", "presence AUC")


def negbench_questions(names: list[str], shown: np.ndarray, *, each: int = 6, seed: int = 0) -> list[TrainingQuestion]:
    """Questions in NegBench's form, of four choices: one class that a photo shows and one that it does not.

    Args:
        names: of K classes.
        shown: which classes each photo shows, bool, shape (I, K).
        each: questions of a photo, of the three kinds in turns.
        seed: of all that is drawn; absent classes are drawn as often as they are shown elsewhere.
    """
    draw, share = random.Random(seed), shown.mean(0) + 0.01
    questions = []
    for image in np.flatnonzero(shown.any(1)):
        present, absent = (np.flatnonzero(shown[image] == is_shown) for is_shown in (True, False))
        for number in range(each):
            here = names[draw.choice(present)]
            away = names[draw.choices(absent, share[absent])[0]]
            right = (
                _say(draw, AFFIRMED, affirmed=here),
                _say(draw, DENIED, denied=away),
                _say(draw, BOTH, affirmed=here, denied=away),
            )[number % 3]
            wrong = [
                _say(draw, AFFIRMED, affirmed=away),
                _say(draw, DENIED, denied=here),
                _say(draw, BOTH, affirmed=away, denied=here),
            ]
            choices = draw.sample([right, *wrong], 4)
            kind = ("affirmation", "negation", "hybrid")[number % 3]
            questions.append(TrainingQuestion(int(image), tuple(choices), choices.index(right), kind))
    return questions


def _say(draw: random.Random, frames: tuple[str, ...], *, affirmed: str = "", denied: str = "") -> str:
    text = draw.choice(frames).format(A=_a(affirmed), b=denied, B=_a(denied))
    return text[0].upper() + text[1:]


def _a(name: str) -> str:
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {name}"


class Bench:
    """The data and the figures of a row."""

    def __init__(self, arguments: argparse.Namespace):
        self.base, cache = arguments.base, arguments.cache
        model = self.model()
        self.train, home = read_data(arguments.data, ("train", "validation"), images=None, cache=cache)
        away = joined(read_data(arguments.away_built, SPLITS, images=None, cache=cache))
        self.train_embeds, home_embeds, away_embeds = embed_splits(model, [self.train, home, away], cache)
        self.statistics: ImageStatistics = image_statistics(evenly(self.train_embeds, at_most=4096))
        every = range(len(self.train.digests))
        classes = read_seen_classes(arguments.data, self.train.digests, self.train_embeds[list(every)])
        if classes is None:
            raise SystemExit(f"{arguments.data} was built without a detector: there are no class prompts.")
        self.classes = classes
        self.judged = (
            (limited(home, questions=QUESTIONS, images=IMAGES), home_embeds),
            (limited(away, questions=5000, images=5000), away_embeds),
        )
        self.names, photos, self.shown = read_yolo(arguments.away)
        self.photos = cached_image_embeds(model, photos, [hashlib.sha256(p).digest() for p in photos], cache)
        questions = negbench_questions(self.names, self.shown)
        self.negbench = TrainingSplit([], [], [], [[question] for question in questions], [])

    def model(self) -> NotClipModel:
        """The base, not trained."""
        return load_model(self.base, composition="scope")

    def figures(self, model: NotClipModel) -> list[float]:
        """Of a model, one for each of `COLUMNS`, in per cent."""
        home, away = (validate(model, split, embeds) for split, embeds in self.judged)
        with torch.inference_mode():
            in_form = _accuracy(model, self.negbench, self.photos)
            known = auc(prompt_scores(model, self.names, self.photos), self.shown)
        found = (home.macro_accuracy, home.recall_at_5, away.macro_accuracy, away.recall_at_5, in_form, known)
        return [100 * value for value in found]


def _accuracy(model: NotClipModel, split: TrainingSplit, embeds: Tensor) -> float:
    texts = list(dict.fromkeys(choice for question in split.questions for choice in question.choices))
    asked = embeds[[question.image for question in split.questions]]
    queries = model.compose(model.embed_texts(texts))
    position = {text: row for row, text in enumerate(texts)}
    return macro_accuracy(split, *choice_scores(split.questions, position, *queries, asked))


def train(bench: Bench, recipe: str, *, steps: int, seed: int) -> NotClipModel:
    """A model with an adapter trained by one recipe."""
    anchor, anchor_weight, class_weight = RECIPES[recipe]
    torch.manual_seed(seed)
    model, rng = bench.model(), np.random.default_rng(seed)
    model.set_statistics(bench.statistics)
    model.backbone = add_lora(model.backbone, rank=RANK, alpha=2 * RANK, dropout=0.0, variant="lora", layers="all")
    learnt = [parameter for parameter in model.backbone.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.05)
    lesson = ClassPromptLesson(bench.classes, weight=class_weight, count=PROMPTS, seed=seed)
    measured = () if anchor is anchor_loss else (bench.statistics,)
    for step in tqdm(range(steps), desc=recipe, unit="step"):
        rows = rng.choice(len(bench.train.captions), CAPTIONS, replace=False).tolist()
        texts = [bench.train.captions[row].text for row in rows]
        held = backbone_embeds(model, texts, texts_at_once=CAPTIONS)
        loss = lesson.loss(model, step) + anchor_weight * anchor(
            model.encode_texts(texts, batch_size=CAPTIONS), held, *measured
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        schedule.step()
    return model


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--away", type=Path, required=True, help="photos annotated in YOLO's form")
    parser.add_argument("--away-built", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("build/cache"))
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    bench = Bench(arguments)
    untrained = bench.model()
    untrained.set_statistics(bench.statistics)
    rows = {"not trained": [bench.figures(untrained)]}
    for recipe in RECIPES:
        rows[recipe] = [
            bench.figures(train(bench, recipe, steps=arguments.steps, seed=seed)) for seed in arguments.seeds
        ]
    print(f"| {' | '.join(['what', *COLUMNS])} |\n|---|{'---:|' * len(COLUMNS)}")
    for name, runs in rows.items():
        cells = [
            f"{statistics.mean(values):.1f}" + (f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else "")
            for values in zip(*runs, strict=True)
        ]
        print(f"| {' | '.join([name, *cells])} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
