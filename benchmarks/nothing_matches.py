"""Whether a score tells that nothing in a collection matches: "none" for a text that no photo shows.

    python benchmarks/nothing_matches.py --real-clip ../shared/data/real_clip \
        --base ../shared/models/flickr8k-dual-encoder --data build/flickr8k/data

For each class that captions name, the same collection twice: without any photo whose captions hint at it ("none"),
and with k of those back that two captions affirm. The photos fall into two halves, one to calibrate on (unlabelled),
one to search. A collection matches when its best photo's score is over a threshold that half of the classes choose, at
a tenth of false matches; the others judge, both ways. Each rule makes scores of different texts comparable:

    cosine        v·t
    spread        (v·t - mean) / standard deviation of t's scores over the calibration photos
    tail          (v·t - q99) / (q99 - q50) of them, as extreme values have it
    other texts   (v·t - mean) / standard deviation of this photo's scores with all classes

Prints AUC (a class's collection with answers against all without), and the shares of false matches and of false nones.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from notclip.recaption.concepts.lexicon import load_lexicon

Scores = NDArray[np.float32]
ANSWERS = (1, 3, 1000)
FALSE_MATCHES = 0.1


def rules(photos: Scores, texts: Scores) -> dict[str, Scores]:
    """Scores (C, I) of the searched half of the photos, (2 I, D), by each rule; texts are (C, D)."""
    calibration, searched = (texts @ photos[half::2].T for half in (0, 1))
    middle, high = (np.quantile(calibration, share, axis=1, keepdims=True) for share in (0.5, 0.99))
    return {
        "cosine": searched,
        "spread": (searched - calibration.mean(1, keepdims=True)) / calibration.std(1, keepdims=True),
        "tail": (searched - high) / (high - middle),
        "other texts": (searched - searched.mean(0)) / searched.std(0),
    }


def judge(photos: Scores, captions: Sequence[Sequence[str]], texts: dict[str, Scores]) -> None:
    """Print a table for photos (I, D) with their captions, and the classes' embeddings."""
    lexicon = load_lexicon()
    affirming = [[lexicon.closure(lexicon.find(text)) for text in own] for own in captions]
    hints = [frozenset().union(*map(lexicon.hinted, own)) for own in captions]
    shown = {c: np.array([sum(c in own for own in photo) >= 2 for photo in affirming])[1::2] for c in sorted(texts)}
    hinted = {c: np.array([c in own for own in hints])[1::2] for c in shown}
    classes = [c for c in shown if shown[c].any() and (~hinted[c]).sum() >= 100]
    rng = np.random.default_rng(0)
    order = {c: rng.permutation(np.flatnonzero(shown[c])) for c in classes}
    print(f"\n{len(classes)} classes, {len(photos) // 2} photos searched\n")
    print("| rule | answers | AUC | false match | false none |\n|---|---:|---:|---:|---:|")
    for name, scores in rules(photos, np.stack([texts[c] for c in classes])).items():
        none = np.array([own[~hinted[c]].max() for c, own in zip(classes, scores, strict=True)])
        for count in ANSWERS:
            best = np.array([own[order[c][:count]].max() for c, own in zip(classes, scores, strict=True)])
            some = np.maximum(none, best)
            rates = []
            for half in (0, 1):
                threshold = np.quantile(none[half::2], 1 - FALSE_MATCHES)
                rates.append(((none[1 - half :: 2] > threshold).mean(), (some[1 - half :: 2] <= threshold).mean()))
            auc = ((some[:, None] > none) + 0.5 * (some[:, None] == none)).mean()
            false_match, false_none = 100 * np.mean(rates, axis=0)
            answers = "all" if count == ANSWERS[-1] else count
            print(f"| {name} | {answers} | {auc:.2f} | {false_match:.0f} % | {false_none:.0f} % |")


def of_real_clip(folder: Path) -> tuple[Scores, list[list[str]], dict[str, Scores]]:
    """Photos, captions, and LVIS's classes by the lexicon's names."""
    lexicon = load_lexicon()

    def unit(rows: Scores) -> Scores:
        return rows.astype(np.float32) / np.linalg.norm(rows.astype(np.float32), axis=1, keepdims=True)

    names = json.loads((folder / "class_names.json").read_text())["lvis"]
    texts: dict[str, Scores] = {}
    for name, row in zip(names, unit(np.load(folder / "class_names_vit_b32.npy")), strict=True):
        concept = lexicon.resolve(re.sub(r" \(.*\)", "", name))
        if concept is not None:
            texts.setdefault(concept, row)
    captions = [photo["captions"] for photo in json.loads((folder / "photos.json").read_text())]
    return unit(np.load(folder / "photos_vit_b32.npy")), captions, texts


def of_built(base: str, data: Path, cache: Path) -> tuple[Scores, list[list[str]], dict[str, Scores]]:
    """The validation photos of a built dataset, their captions, and the classes that any affirms."""
    from notclip.loading import load_model
    from notclip.training.data import read_training_split
    from notclip.training.embedding_shards import cached_image_embeds

    model, lexicon = load_model(base, composition="none"), load_lexicon()
    split = read_training_split(data, "validation")
    images = cached_image_embeds(model, split.image_bytes, split.digests, cache).numpy()
    captions: list[list[str]] = [[] for _ in images]
    for caption in split.captions:
        captions[caption.image].append(caption.text)
    classes = sorted({concept for own in captions for text in own for concept in lexicon.find(text)})
    embeds = model.encode_texts([f"a {concept}" for concept in classes]).detach().numpy()
    return images, captions, dict(zip(classes, embeds, strict=True))


def main() -> int:
    """Judge every rule on every bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real-clip", type=Path, default=None, help="folder of real_clip")
    parser.add_argument("--base", default=None, help="dual encoder")
    parser.add_argument("--data", type=Path, default=None, help="folder that build-dataset wrote")
    parser.add_argument("--cache", type=Path, default=Path("build/cache"), help="folder of image embeddings")
    options = parser.parse_args()
    if options.real_clip is not None:
        judge(*of_real_clip(options.real_clip))
    if options.base is not None and options.data is not None:
        judge(*of_built(options.base, options.data, options.cache))
    return 0


if __name__ == "__main__":
    sys.exit(main())
