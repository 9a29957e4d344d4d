"""Searches that exclude things, answered by FAISS over a folder of photos: what it finds, whether rightly, how fast.

    python benchmarks/search_with_faiss.py --model build/flickr8k/trained/model --photos ../shared/data/flickr8k \
        --query "beach, no people" --query "dog, no grass" --out build/search.png

Each query is a vector and a bias (`encode_queries`), the photos are unit-norm embeddings in an exact inner-product
index (`IndexFlatIP`) and in a graph (`IndexHNSWFlat`). Checked: FAISS ranks all photos as `images @ vector + bias`
does, and its scores of the photos that it shows, encoded afresh, are `model.score`'s. The picture shows the nearest
photos of each query, above as the plain dual encoder finds them (`composition="none"`), below as NotCLIP does,
and then at each `--strength` of exclusion.
"""

import argparse
import hashlib
import sys
import time
from pathlib import Path

import faiss
import numpy as np
import pyarrow.parquet as pq
import torch
from PIL import Image, ImageDraw, ImageFont

from notclip.loading import load_model
from notclip.remote.photo_notclip import open_photo
from notclip.training.embedding_shards import cached_image_embeds

THUMBNAIL = 112
MARGIN = 22


def read_photos(folder: Path) -> list[bytes]:
    """The encoded photos of a folder's Parquet files with an `image` column."""
    tables = [pq.read_table(file, columns=["image"]) for file in sorted(folder.glob("*.parquet"))]
    return [image["bytes"] for table in tables for image in table.column("image").to_pylist()]


def contact_sheet(rows: list[tuple[str, list[bytes]]]) -> Image.Image:
    """Rows of photos, each under its title."""
    width = max(len(photos) for _, photos in rows) * THUMBNAIL
    sheet = Image.new("RGB", (width, len(rows) * (THUMBNAIL + MARGIN)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for row, (title, photos) in enumerate(rows):
        top = row * (THUMBNAIL + MARGIN)
        draw.text((4, top + 3), title, fill="black", font=font)
        for column, photo in enumerate(photos):
            small = open_photo(photo).resize((THUMBNAIL - 4, THUMBNAIL - 4))
            sheet.paste(small, (column * THUMBNAIL + 2, top + MARGIN))
    return sheet


def microseconds(index: faiss.Index, queries: np.ndarray, depth: int) -> float:
    """Processor time of one search, one query at a time."""
    started = time.process_time()
    for query in queries:
        index.search(query[None], depth)
    return 1e6 * (time.process_time() - started) / len(queries)


def main() -> int:
    """Index, search, compare, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a NotCLIP model, or any dual encoder")
    parser.add_argument("--photos", required=True, type=Path, help="folder of Parquet files with an `image` column")
    parser.add_argument("--query", action="append", required=True, help="what to search; may be given several times")
    parser.add_argument("--depth", type=int, default=10, help="photos to show for each query")
    parser.add_argument("--strength", type=float, action="append", default=[], help="also show this one; repeatable")
    parser.add_argument("--cache", type=Path, default=Path("build/cache"), help="folder of image embeddings")
    parser.add_argument("--out", type=Path, default=Path("build/search.png"), help="the picture")
    options = parser.parse_args()
    faiss.omp_set_num_threads(1)
    model = load_model(options.model, composition="scope")
    photos = read_photos(options.photos)
    digests = [hashlib.sha256(photo).digest() for photo in photos]
    images = cached_image_embeds(model, photos, digests, options.cache)

    exact = faiss.IndexFlatIP(images.shape[1])
    exact.add(images.numpy())
    graph = faiss.IndexHNSWFlat(images.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efSearch = 128
    graph.add(images.numpy())

    rows: list[tuple[str, list[bytes]]] = []
    vectors, biases = model.encode_queries(options.query)
    plain, _ = model.encode_queries(options.query, composition="none")
    scores, found = exact.search(vectors.numpy(), len(photos))  # every photo of each query, best first
    scores = scores + biases.numpy()[:, None]
    expected = (images @ vectors.T + biases).T.gather(1, torch.from_numpy(found))
    by_model = expected.sort(dim=1, descending=True).values
    print(
        f"{len(photos)} photos; FAISS's score less the model's, at most: {np.abs(scores - expected.numpy()).max():.1e}"
    )
    print(f"out of the model's order by at most {(by_model - expected).abs().max():.1e}")
    for row, query in enumerate(options.query):
        top = found[row, : options.depth]
        shown = [photos[index] for index in top]
        afresh = model.score(shown, [query])[:, 0].numpy()
        near = graph.search(vectors[row : row + 1].numpy(), options.depth)[1][0]
        off = np.abs(afresh - scores[row, : options.depth]).max()
        shared = len(set(near) & set(top))
        print(f"{query!r}: off model.score by at most {off:.1e}; the graph finds {shared} of {options.depth}")
        before = exact.search(plain[row : row + 1].numpy(), options.depth)[1][0]
        rows.append((f"{query}: plain", [photos[index] for index in before]))
        rows.append((f"{query}: NotCLIP", [photos[index] for index in top]))
        for strength in options.strength:
            stronger, _ = model.encode_queries([query], strength=strength)
            of_strength = exact.search(stronger.numpy(), options.depth)[1][0]
            rows.append((f"{query}: NotCLIP, strength {strength:g}", [photos[index] for index in of_strength]))
    many = vectors.numpy()[np.arange(1000) % len(vectors)]
    print(
        f"a search takes {microseconds(exact, many, 10):.0f} µs exact, {microseconds(graph, many, 10):.0f} µs by graph"
    )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(rows).save(options.out)
    print(f"wrote {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
