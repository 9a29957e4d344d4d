"""Ways to search for "A, no B" on real CLIP embeddings, each at a setting that other classes and photos chose.

    python benchmarks/composition_on_real_clip.py --embeddings ../shared/data/real_clip

A and B are class names, embedded as "a {name}". The photos' captions say what they show (the builder's lexicon), in
four ways, for results depend on it:

    LVIS, affirmed   a caption affirms A, or B, or a kind of it; A is in 30 photos at least
    LVIS, mentioned  a caption affirms A, or B, by name; 15 photos
    LVIS, hinted     as affirmed, and no caption as much as hints at B in a photo that fits; 30 photos
    COCO, hinted     the same with COCO's 80 names; 10 photos

Each pair is in four photos at least, A without B in five. Photos fall into three thirds: each third in turn is what
statistics are measured on and the other two are searched, so that no photo is both. Classes fall into five groups: a
pair's setting is the best (mean average precision) for pairs that share no group with its A or its B. Means over pairs
and thirds; the second table has the mean difference to plain subtraction with its 95 % interval, classes A redrawn.

The constants of levels 1 and 2 themselves were chosen on these photos (docs/composition.md); "λ and β afresh" chooses
both as settings are chosen, and so sees nothing of the classes that it is judged on.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from composition_ways import DIALS, Turn, shipped_weights, ways
from numpy.typing import NDArray
from torch import Tensor

from notclip.recaption.absences.detector import COCO_CLASSES
from notclip.recaption.concepts.lexicon import Lexicon, load_lexicon
from notclip.remote.composition_notclip import (
    FEEDBACK,
    SPREAD_OF_A_LOGIT,
    CaptionParts,
    ImageStatistics,
    compose,
    image_statistics,
)

Flags = NDArray[np.bool_]
Photos = Sequence[frozenset[str]]  # the concepts of each
GROUPS, THIRDS, REDRAWS = 5, 3, 1000
LOGIT_SCALE = 100.0  # CLIP's


@dataclass(frozen=True)
class Pairs:
    """P searches for A without B over I photos: names, parts, and which photos fit and which show B, shape (P, I)."""

    names: list[tuple[str, str]]
    parts: CaptionParts
    fits: Flags
    shows: Flags


def unit(rows: NDArray[np.float32]) -> Tensor:
    """Rows of unit norm."""
    return torch.nn.functional.normalize(torch.from_numpy(rows.astype(np.float32)), dim=-1)


def pair_sets(folder: Path) -> dict[str, Pairs]:
    """The four sets of the module's docstring."""
    lexicon = load_lexicon()
    captions = [photo["captions"] for photo in json.loads((folder / "photos.json").read_text())]
    lvis = json.loads((folder / "class_names.json").read_text())["lvis"]
    texts = {
        "LVIS": _concepts(lexicon, lvis, unit(np.load(folder / "class_names_vit_b32.npy"))),
        "COCO": _concepts(lexicon, COCO_CLASSES, unit(np.load(folder / "coco_names_vit_b32.npy"))),
    }
    named = [frozenset().union(*map(lexicon.find, own)) for own in captions]
    affirmed = [lexicon.closure(own) for own in named]
    hinted = [frozenset().union(*map(lexicon.hinted, own)) for own in captions]
    chosen = partial(_pairs, lexicon)
    return {
        "LVIS, affirmed": chosen(texts["LVIS"], affirmed, affirmed, least=30),
        "LVIS, mentioned": chosen(texts["LVIS"], named, named, least=15),
        "LVIS, hinted": chosen(texts["LVIS"], affirmed, hinted, least=30),
        "COCO, hinted": chosen(texts["COCO"], affirmed, hinted, least=10),
    }


def _concepts(lexicon: Lexicon, names: Sequence[str], texts: Tensor) -> dict[str, Tensor]:
    """The embedding of each concept that a class name means."""
    found: dict[str, Tensor] = {}
    for name, embedding in zip(names, texts, strict=True):
        concept = lexicon.resolve(re.sub(r" \(.*\)", "", name))
        if concept is not None:
            found.setdefault(concept, embedding)
    return found


def _pairs(lexicon: Lexicon, texts: dict[str, Tensor], showing_a: Photos, showing_b: Photos, *, least: int) -> Pairs:
    shows_a, shows_b = (
        {concept: np.array([concept in own for own in photos]) for concept in sorted(texts)}
        for photos in (showing_a, showing_b)
    )
    often = [concept for concept in sorted(texts) if shows_a[concept].sum() >= least]
    names = [
        (a, b)
        for a in often
        for b in often
        if lexicon.compatible(a, b) and (shows_a[a] & shows_b[b]).sum() >= 4 and (shows_a[a] & ~shows_b[b]).sum() >= 5
    ]
    affirmed = torch.stack([texts[a] for a, _ in names])
    parts = CaptionParts(
        whole=affirmed,
        affirmed=affirmed,
        affirmed_words=torch.ones(len(names)),
        excluded=torch.stack([texts[b] for _, b in names]),
        owner=torch.arange(len(names)),
    )
    return Pairs(
        names, parts, np.stack([shows_a[a] & ~shows_b[b] for a, b in names]), np.stack([shows_b[b] for _, b in names])
    )


def figures(scores: Tensor, fits: Flags, shows: Flags) -> NDArray[np.float64]:
    """Average precision, precision@10 and violation@10 in per cent of each row of scores, shape (P, 3)."""
    order = np.argsort(-scores.numpy(), axis=1, kind="stable")
    hits, wrong = np.take_along_axis(fits, order, 1), np.take_along_axis(shows, order, 1)
    precision = hits.cumsum(1) / np.arange(1, hits.shape[1] + 1)
    average = (precision * hits).sum(1) / np.maximum(hits.sum(1), 1)
    return 100 * np.stack([average, hits[:, :10].mean(1), wrong[:, :10].mean(1)], axis=1)


def afresh(statistics: ImageStatistics) -> dict[tuple[float, float], Turn]:
    """Level 2 by λ and β; the dial multiplies both, so that λ is divided by it."""

    def turn(exclusion: float, dial: float) -> Turn:
        return lambda parts, _: compose(
            parts, shipped_weights(parts.whole, exclusion=exclusion / dial), statistics, strength=dial
        )

    feedback = (0.1, 0.2, 0.4, 0.6, 0.8)
    return {(own, beta): turn(own, beta / FEEDBACK) for own in (0.2, 0.4, 0.6, 0.8, 1.0) for beta in feedback}


def by_setting(pairs: Pairs, photos: Tensor) -> dict[str, dict]:
    """Figures (P, 3) of each way by setting, means over the thirds."""
    found: dict[str, dict] = {}
    for third in range(THIRDS):
        measured = np.arange(len(photos)) % THIRDS == third
        searched = photos[~measured]
        statistics = image_statistics(photos[measured])
        every = ways(statistics, spread=SPREAD_OF_A_LOGIT / LOGIT_SCALE)
        trials = {(name, setting): way.turn for name, way in every.items() for setting in (*way.settings, 0.0)}
        trials |= {("level 2, λ and β afresh", setting): turn for setting, turn in afresh(statistics).items()}
        for (name, setting), turn in trials.items():
            vectors, _ = turn(pairs.parts, setting)
            own = figures(vectors @ searched.T, pairs.fits[:, ~measured], pairs.shows[:, ~measured]) / THIRDS
            settings = found.setdefault(name, {})
            settings[setting] = settings.get(setting, 0.0) + own
    return found


def judged(pairs: Pairs, settings: dict) -> NDArray[np.float64]:
    """Figures (P, 3), each pair at the setting that pairs without its classes' groups choose."""
    classes = sorted({name for pair in pairs.names for name in pair})
    groups = np.array([[classes.index(name) % GROUPS for name in pair] for pair in pairs.names])
    rows = []
    for row, own in enumerate(groups):
        others = ~np.isin(groups, own).any(1)
        best = max(settings, key=lambda setting: settings[setting][others, 0].mean())
        rows.append(settings[best][row])
    return np.stack(rows)


def interval(pairs: Pairs, difference: NDArray[np.float64]) -> str:
    """Mean difference with its 95 % interval, classes A redrawn with all of their pairs."""
    names = sorted({a for a, _ in pairs.names})
    sums = np.array([[difference[[a == name for a, _ in pairs.names]].sum()] for name in names])[:, 0]
    counts = np.array([sum(a == name for a, _ in pairs.names) for name in names])
    drawn = np.random.default_rng(0).integers(0, len(names), (REDRAWS, len(names)))
    low, high = np.quantile(sums[drawn].sum(1) / counts[drawn].sum(1), [0.025, 0.975])
    return f"{difference.mean():+.1f} [{low:+.1f}, {high:+.1f}]"


def means(own: NDArray[np.float64]) -> str:
    """Mean figures of pairs, (P, 3), as a cell."""
    return " / ".join(f"{value:.1f}" for value in own.mean(0))


def print_table(corner: str, columns: Sequence[str], rows: dict[str, list[str]]) -> None:
    """Print Markdown."""
    print(f"\n| {corner} | " + " | ".join(columns) + " |\n" + "|---" * (1 + len(columns)) + "|")
    for name, own in rows.items():
        print(f"| {name} | " + " | ".join(own) + " |")


def main() -> int:
    """Judge every way on every set, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embeddings", required=True, type=Path, help="folder of real_clip")
    options = parser.parse_args()
    photos = unit(np.load(options.embeddings / "photos_vit_b32.npy"))
    sets = pair_sets(options.embeddings)
    cells: dict[str, list[str]] = {}
    differences: dict[str, list[str]] = {}
    dials: dict[str, list[str]] = {}
    for pairs in sets.values():
        found = by_setting(pairs, photos)
        rows = {name: judged(pairs, settings) for name, settings in found.items()}
        rows |= {f"{level}, as shipped": found[level][1.0] for level in ("level 1", "level 2")}
        for name, own in rows.items():
            cells.setdefault(name, []).append(means(own))
            differences.setdefault(name, []).append(interval(pairs, own[:, 0] - rows["subtraction"][:, 0]))
        for dial in (0.0, *DIALS):
            dials.setdefault(f"{dial:g}", []).extend(means(found[level][dial]) for level in ("level 1", "level 2"))
    titles = [f"{title} ({len(pairs.names)} pairs)" for title, pairs in sets.items()]
    print_table("mAP / P@10 / violation@10", titles, cells)
    print_table("mAP, less subtraction's", titles, differences)
    print_table("dial", [f"{title}, level {level}" for title in sets for level in (1, 2)], dials)
    return 0


if __name__ == "__main__":
    sys.exit(main())
