r"""What photos' embeddings know of classes and prompts do not: presence AUC on photos that nothing was fitted to.

    python benchmarks/what_photos_know.py --base ../shared/models/flickr8k-dual-encoder --data build/flickr8k/data \\
        --away ../shared/data/coco128 --model build/flickr8k/trained/model

DATA was built with a detector, whose scores of the train photos (`seen/train.parquet`) are read out of the photos'
embeddings by ridge regression; AWAY is annotated in YOLO's form. AUC is the chance that a photo which shows a class is
scored above one which does not, averaged over the classes that at least three photos show and three do not.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch

from notclip.loading import load_model
from notclip.remote.modeling_notclip import NotClipModel
from notclip.training.data import read_training_split
from notclip.training.embedding_shards import cached_image_embeds
from notclip.training.seen_classes import FILE

LEAST = 3  # photos that show a class, and that do not
RIDGE = 0.1  # times the mean variance of an embedding's coordinate
READ_OUTS = {
    "its score": lambda scores: scores,
    "whether it is over 0.3": lambda scores: (scores > 0.3).astype(float),
    "the logarithm of its score": lambda scores: np.log(scores + 1e-3),
}


def auc(scores: np.ndarray, shown: np.ndarray) -> float:
    """Mean over classes of the chance that a photo which shows it is scored higher; both of shape (I, K).

    >>> auc(np.array([[0.9], [0.8], [0.7], [0.1], [0.2], [0.75]]), np.array([[1], [1], [1], [0], [0], [0]]) == 1)
    0.8888888888888888
    """
    values = []
    for column, present in zip(scores.T, shown.T, strict=True):
        if LEAST <= present.sum() <= len(present) - LEAST:
            high, low = column[present][:, None], column[~present][None]
            values.append(float((high > low).mean() + 0.5 * (high == low).mean()))
    return float(np.mean(values))


def read_yolo(folder: Path) -> tuple[list[str], list[bytes], np.ndarray]:
    """Class names, photos, and which class each shows, bool (I, K)."""
    import yaml

    names = yaml.safe_load((folder / "data.yaml").read_text(encoding="utf-8"))["names"]
    names = list(names.values()) if isinstance(names, dict) else list(names)
    labels = {file.stem: file for file in (folder / "labels").rglob("*.txt")}
    photos = sorted((folder / "images").rglob("*.jpg"))
    shown = np.zeros((len(photos), len(names)), dtype=bool)
    for row, photo in enumerate(photos):
        lines = labels[photo.stem].read_text().splitlines() if photo.stem in labels else []
        shown[row, [int(line.split()[0]) for line in lines if line.strip()]] = True
    return names, [photo.read_bytes() for photo in photos], shown


def prompt_scores(model: NotClipModel, names: list[str], embeds: torch.Tensor) -> np.ndarray:
    """Similarity of each photo with "a CLASS", shape (I, K)."""
    with torch.inference_mode():
        texts = model.encode_texts([f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in names])
    return (embeds @ texts.T).numpy()


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--away", type=Path, required=True)
    parser.add_argument("--model", action="append", default=[], help="a trained model; may be given again")
    parser.add_argument("--cache", type=Path, default=Path("build/cache"))
    arguments = parser.parse_args()
    base = load_model(arguments.base)
    names, photos, shown = read_yolo(arguments.away)
    away = cached_image_embeds(base, photos, [hashlib.sha256(p).digest() for p in photos], arguments.cache)
    rows = {"prompts of the base": auc(prompt_scores(base, names, away), shown)}
    for model in arguments.model:
        rows[f"prompts of {model}"] = auc(prompt_scores(load_model(model), names, away), shown)

    split = read_training_split(arguments.data, "train")
    train = cached_image_embeds(base, split.image_bytes, split.digests, arguments.cache).double().numpy()
    table = pq.read_table(arguments.data / FILE)
    row_of = {digest: row for row, digest in enumerate(table["digest"].to_pylist())}
    order = [row_of[digest.hex()] for digest in split.digests]
    known = [name for name in names if name in table.column_names]
    scores = np.stack([table[name].to_numpy()[order] for name in known], axis=1).astype(float)
    columns = [names.index(name) for name in known]
    centred = train - train.mean(0)
    covariance = centred.T @ centred
    covariance += RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    for what, of in READ_OUTS.items():
        wanted = of(scores)
        weights = np.linalg.solve(covariance, centred.T @ (wanted - wanted.mean(0)))
        rows[f"read out of embeddings: {what}"] = auc(away.double().numpy() @ weights, shown[:, columns])
    print(f"| {len(photos)} photos of {arguments.away.name} | presence AUC |\n|---|---:|")
    for name, value in rows.items():
        print(f"| {name} | {value:.3f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
