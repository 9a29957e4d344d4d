"""Ways to compose a caption's affirmed and excluded parts, side by side on frozen embeddings.

    python benchmarks/composition_methods.py --base ../shared/models/flickr8k-dual-encoder --data build/flickr8k/data

Each way's scalars are fitted on the train split's questions and negated queries with the same loss and optimizer
(`notclip.calibration`'s), then judged on validation. `affine` is what the model ships.

    plain        s = v·t, the dual encoder as it is
    subtraction  q = (1-w) a + w t - λ n                       (query algebra, Rocchio 1971)
    projection   the part of q along n taken away, λ of it     (Widdows 2003, orthogonal negation)
    caps         q turned away from n until their angle is θ   (a spherical cap kept out, after SpaceVLM 2025)
    affine       q - λ z(v), z the similarity to n standardised over images (`composition_notclip`)
    whitened     the same with C⁻¹ n for n, the linear discriminant of equal covariances (Fisher 1936)
    calibrator   affine, whose weight and threshold are linear in n: 2 D more parameters

In all that subtract, λ is divided by the number of affirmed words.
"""

import argparse
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from notclip.calibration import choice_scores
from notclip.composition_notclip import EmbeddedTexts, image_statistics
from notclip.embedding_cache import cached_image_embeds
from notclip.loading import load_model
from notclip.modeling_notclip import NotClipModel
from notclip.training_data import TrainingSplit, read_training_split
from notclip.validation import limited, macro_accuracy, recall_at

WAYS = ("plain", "subtraction", "projection", "caps", "affine", "whitened", "calibrator")


class Composer(nn.Module):
    """One way, with its scalars: `hybrid` and `negation` hold (w, λ, c), as in `CompositionWeights`."""

    def __init__(self, way: str, image_mean: Tensor, image_covariance: Tensor, text_mean: Tensor):
        super().__init__()
        self.way, self.mean, self.covariance, self.text_mean = way, image_mean, image_covariance, text_mean
        self.hybrid = nn.Parameter(torch.tensor([0.3, 0.1, 0.0]))
        self.negation = nn.Parameter(torch.tensor([0.0, 0.04, 0.0]))
        self.negation_bias = nn.Parameter(torch.tensor(0.2))
        self.log_scales = nn.Parameter(torch.full((2,), 3.0))
        self.threshold = nn.Parameter(torch.zeros(len(image_mean)))
        self.slope = nn.Parameter(torch.zeros(len(image_mean)))

    def forward(self, texts: EmbeddedTexts) -> tuple[Tensor, Tensor]:
        """Vectors (T, D) and biases (T,) of T texts."""
        biases = texts.whole.new_zeros(len(texts.whole))
        if self.way == "plain":
            return texts.whole, biases
        parts = texts.parts
        affirms = parts.has_affirmed[:, None]
        whole_share, weight, bonus = torch.where(affirms, self.hybrid, self.negation).unbind(-1)
        query = whole_share[:, None] * parts.whole
        query = query + torch.where(affirms, (1 - whole_share)[:, None] * parts.affirmed, 0.0)
        bias = torch.where(parts.has_affirmed, 0.0, self.negation_bias)
        owner, excluded, pull = parts.owner, parts.excluded, weight.abs()[parts.owner]
        if self.way == "projection":
            pull = pull * (query[owner] * excluded).sum(-1)
            query = query.index_add(0, owner, -pull[:, None] * excluded)
        elif self.way == "caps":
            along = (F.normalize(query[owner], dim=-1) * excluded).sum(-1)
            too_near = F.relu(along - torch.tanh(pull * 10))  # cosine of the angle θ that is kept free
            query = query.index_add(0, owner, -too_near[:, None] * excluded)
        else:
            direction, offset = self._detector(excluded)
            pull = pull / parts.affirmed_words.clamp_min(1)[owner]
            query = query.index_add(0, owner, -pull[:, None] * direction)
            bias = bias.index_add(0, owner, -pull * offset)
        bias = bias.index_add(0, owner, bonus[owner])
        return texts.whole.index_copy(0, texts.negating, query), biases.index_copy(0, texts.negating, bias)

    def _detector(self, excluded: Tensor) -> tuple[Tensor, Tensor]:
        if self.way == "subtraction":
            return excluded, excluded.new_zeros(len(excluded))
        direction = excluded
        if self.way == "whitened":
            direction = torch.linalg.solve(self.covariance, (excluded - self.text_mean).T).T
        spread = torch.einsum("pd,de,pe->p", direction, self.covariance, direction).clamp_min(1e-12).sqrt()
        direction = direction / spread[:, None]
        offset = -direction @ self.mean
        if self.way == "calibrator":
            slope = torch.exp(5 * excluded @ self.slope)
            return direction * slope[:, None], (offset + 10 * excluded @ self.threshold) * slope
        return direction, offset


class Material:
    """One split with everything embedded once."""

    def __init__(self, model: NotClipModel, split: TrainingSplit, images: Tensor):
        self.split, self.images = split, images
        choices = [choice for question in split.questions for choice in question.choices]
        texts = list(dict.fromkeys(choices + [query for query, _ in split.negated_queries]))
        self.position = {text: row for row, text in enumerate(texts)}
        with torch.no_grad():
            self.texts = model.embed_texts(texts)
        self.query_rows = torch.tensor([self.position[query] for query, _ in split.negated_queries])
        self.query_images = [image for _, image in split.negated_queries]

    def choices(self, composer: Composer) -> tuple[Tensor, Tensor]:
        """Scores (Q, C) and answers (Q,) of the split's questions."""
        return choice_scores(self.split.questions, self.position, *composer(self.texts), self.images)

    def loss(self, composer: Composer) -> Tensor:
        """Cross-entropy of questions plus that of negated queries over the images, as `fit_composition` has it."""
        vectors, _ = queries = composer(self.texts)
        scores, answers = choice_scores(self.split.questions, self.position, *queries, self.images)
        searched, targets = torch.unique(torch.tensor(self.query_images), return_inverse=True)
        found = vectors[self.query_rows] @ self.images[searched].T
        scales = composer.log_scales.exp()
        return F.cross_entropy(scales[0] * scores, answers) + F.cross_entropy(scales[1] * found, targets)


def fit(composer: Composer, material: Material, *, iterations: int) -> None:
    """Fit the scalars by L-BFGS."""
    optimizer = torch.optim.LBFGS(composer.parameters(), max_iter=iterations, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = material.loss(composer)
        loss.backward()
        return loss

    optimizer.step(closure)


def main() -> int:
    """Embed once, fit each way, print one line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, help="dual encoder")
    parser.add_argument("--data", required=True, type=Path, help="folder that build-dataset wrote")
    parser.add_argument("--cache", type=Path, default=Path("build/cache"), help="folder of image embeddings")
    parser.add_argument("--questions", type=int, default=6000, help="train questions to fit on")
    parser.add_argument("--iterations", type=int, default=80)
    options = parser.parse_args()
    torch.manual_seed(0)
    model = load_model(options.base, composition="scope")
    material = {}
    for name in ("train", "validation"):
        split = read_training_split(options.data, name)
        images = cached_image_embeds(model, split.image_bytes, split.digests, options.cache)
        judged = limited(split, questions=options.questions, images=2000)
        material[name] = Material(model, judged, images)
    statistics = image_statistics(material["train"].images)
    text_mean = material["train"].texts.parts.excluded.mean(0)
    print("| way | macro | affirmation | negation | hybrid | recall@5, negated |\n|---|---:|---:|---:|---:|---:|")
    for way in WAYS:
        composer = Composer(way, statistics.mean, statistics.covariance, text_mean)
        if way != "plain":
            fit(composer, material["train"], iterations=options.iterations)
        judged = material["validation"]
        with torch.no_grad():
            scores, answers = judged.choices(composer)
            vectors, _ = composer(judged.texts)
        right = (scores.argmax(1) == answers).float()
        kinds = [question.kind for question in judged.split.questions]
        by_kind = [right[[kind == own for own in kinds]].mean() for kind in ("affirmation", "negation", "hybrid")]
        macro = macro_accuracy(judged.split, scores, answers)
        recall = recall_at(5, vectors[judged.query_rows], judged.query_images, judged.images)
        print(
            f"| {way} | " + " | ".join(f"{100 * value:.1f}" for value in (macro, *by_kind, recall)) + " |", flush=True
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
