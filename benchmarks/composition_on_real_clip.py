"""Ways to search for "A, no B" on real CLIP embeddings, each at its best single setting.

    python benchmarks/composition_on_real_clip.py --embeddings ../shared/data/real_clip

A and B are classes of LVIS that the photos' captions name (the builder's lexicon, with hypernyms): each by at least 30
photos, A and B together by 4, A without B by 5. A photo fits that names A and not B. Odd pairs choose each way's
setting by mean average precision, even ones judge; both figures of A alone are of the even ones. Statistics are of
every third photo, which is unlabelled to all.

    subtraction  a - λ n                                      (Rocchio 1971; rclip, Weaviate, Qdrant)
    projection   a less λ of its part along n                 (Widdows 2003)
    caps         a turned away from n until their cosine is λ (after SpaceVLM 2025)
    DEO          λ_o a + λ_p a - λ_n n, of unit norm          (DEO's quadratic in closed form; affirmed part for both)
    level 1, 2   `notclip.compose` without and with statistics
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import notclip
from notclip.recaption.lexicon import load_lexicon

Vectors = NDArray[np.float32]
DIALS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)


def unit(rows: Vectors) -> Vectors:
    """Rows of unit norm."""
    rows = rows.astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def class_pairs(folder: Path) -> tuple[Vectors, Vectors, NDArray[np.bool_], NDArray[np.bool_]]:
    """Embeddings of A and of B, shape (P, D), and which photos fit and which show B, shape (P, I)."""
    lexicon = load_lexicon()
    names = json.loads((folder / "class_names.json").read_text())["lvis"]
    texts = unit(np.load(folder / "class_names_vit_b32.npy"))
    photos = json.loads((folder / "photos.json").read_text())
    shown = [frozenset().union(*(lexicon.closure(lexicon.find(c)) for c in photo["captions"])) for photo in photos]
    row: dict[str, int] = {}
    for number, name in enumerate(names):
        concept = lexicon.resolve(re.sub(r" \(.*\)", "", name))
        if concept is not None:
            row.setdefault(concept, number)
    shows = {concept: np.array([concept in own for own in shown]) for concept in sorted(row)}
    often = [concept for concept, own in shows.items() if own.sum() >= 30]
    pairs = [
        (a, b)
        for a in often
        for b in often
        if lexicon.compatible(a, b) and (shows[a] & shows[b]).sum() >= 4 and (shows[a] & ~shows[b]).sum() >= 5
    ]
    fits = np.stack([shows[a] & ~shows[b] for a, b in pairs])
    return (
        texts[[row[a] for a, _ in pairs]],
        texts[[row[b] for _, b in pairs]],
        fits,
        np.stack([shows[b] for _, b in pairs]),
    )


def figures(scores: Vectors, fits: NDArray[np.bool_], shows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean average precision, precision@10 and violation@10 in per cent, of scores of shape (P, I)."""
    rows = []
    for own, right, wrong in zip(scores, fits, shows, strict=True):
        order = np.argsort(-own, kind="stable")
        hits = right[order]
        precision = hits.cumsum() / np.arange(1, len(hits) + 1)
        rows.append((precision[hits].mean(), hits[:10].mean(), wrong[order[:10]].mean()))
    return 100 * np.mean(rows, axis=0)


def caps(a: Vectors, b: Vectors, cosine: float) -> Vectors:
    """Turn each row of `a` away from its row of `b` until their cosine is at most the given one."""
    along = (a * b).sum(1, keepdims=True)
    side = a - along * b
    side = side / np.linalg.norm(side, axis=1, keepdims=True)
    return np.where(along > cosine, cosine * b + np.sqrt(1 - cosine**2) * side, a)


def main() -> int:
    """Choose, judge, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embeddings", required=True, type=Path, help="folder of real_clip")
    options = parser.parse_args()
    photos = unit(np.load(options.embeddings / "photos_vit_b32.npy"))
    a, b, fits, shows = class_pairs(options.embeddings)
    statistics = notclip.image_statistics(photos[::3])

    def composed(measured: bool) -> Callable[[Vectors, Vectors, float], Vectors]:
        return lambda a, b, dial: notclip.compose(
            a, [row[None] for row in b], statistics=statistics if measured else None, strength=dial
        )[0]

    ways: dict[str, tuple[Callable[[Vectors, Vectors, float], Vectors], tuple[float, ...]]] = {
        "A alone": (lambda a, b, _: a, (0.0,)),
        "subtraction": (lambda a, b, weight: a - weight * b, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)),
        "projection": (
            lambda a, b, weight: a - weight * (a * b).sum(1, keepdims=True) * b,
            (0.25, 0.5, 0.75, 1.0),
        ),
        "caps": (caps, (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)),
        "DEO, closed form": (lambda a, b, weight: unit(2 * a - weight * b), (0.2, 0.4, 0.6, 0.8, 1.0, 1.2)),
        "level 1": (composed(False), DIALS),
        "level 2": (composed(True), DIALS),
    }
    odd, even = np.arange(len(a)) % 2 == 1, np.arange(len(a)) % 2 == 0
    print(
        f"{len(a)} pairs\n\n| way | setting | mAP | P@10 | violation@10 | all pairs |\n|---|---:|---:|---:|---:|---|"
    )
    for name, (way, settings) in ways.items():
        found = {setting: way(a, b, setting) @ photos.T for setting in settings}
        best = max(settings, key=lambda setting: figures(found[setting][odd], fits[odd], shows[odd])[0])
        cells = figures(found[best][even], fits[even], shows[even])
        every = " / ".join(f"{value:.1f}" for value in figures(found[best], fits, shows))
        print(f"| {name} | {best:g} | {cells[0]:.1f} | {cells[1]:.1f} | {cells[2]:.1f} | {every} |", flush=True)
    print("\n| dial | level 1 | level 2 |\n|---:|---|---|")
    for dial in (0.0, *DIALS):
        row = [figures(composed(measured)(a, b, dial) @ photos.T, fits, shows) for measured in (False, True)]
        print(f"| {dial:g} | " + " | ".join(" / ".join(f"{value:.1f}" for value in own) for own in row) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
