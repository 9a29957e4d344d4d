"""How strongly a search of a few words should exclude: the first ten photos of "a beach, no people", by strength.

    python benchmarks/exclusion_strength.py --model build/flickr8k/trained/model \
        --photos ../shared/data/flickr8k/validation.parquet

Each scene is searched without each excluded thing, "{scene}, no {thing}". A photo shows a scene that two of its five
captions name, and a thing that any of them names. Pairs with fewer than ten photos that fit, or that do not, are left
out. Prints for each strength the share of the first ten that show the scene and not the thing, that show the scene,
and that show the thing: for "no people", then for all others.
"""

import argparse
import hashlib
import re
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch

from notclip.loading import load_model
from notclip.training.embedding_shards import cached_image_embeds

CHILD = r"child|children|boys?|girls?|kids?|bab(?:y|ies)|toddlers?"
SCENES = {
    "a beach": "beach|shore|sand",
    "a field": "field|grass|grassy",
    "snow": "snow|snowy",
    "water": "water|lake|river|ocean|pool",
    "a street": "street|road|sidewalk",
    "a dog": "dogs?",
    "a child": CHILD,
    "a man": "man|men",
}
THINGS = {
    "people": rf"{CHILD}|man|men|wom[ae]n|people|persons?|someone|guys?|lad(?:y|ies)|players?|\w*surfers?|skiers?|"
    r"\w*boarders?|climbers?|\w*bikers?|riders?|runners?|swimmers?|couple|crowd|group|family|hikers?|adults?|teen\w*|"
    r"fisherm[ae]n|friends?|team|\w*cyclists?|males?|females?|workers?|he|she|his|her",
    "dogs": "dogs?|puppy|puppies",
    "water": r"water|lake|river|ocean|pool|sea|waves?|beach|wet|swim\w*|splash\w*",
    "snow": r"snow\w*",
    "grass": r"grass\w*|field|lawn|meadow",
    "bikes": r"bikes?|bicycles?|biker|motorcycle",
    "balls": "balls?|soccer|football|basketball|tennis|baseball",
    "children": CHILD,
}
# Scenes that show the thing by their name.
CONTAIN = {("a beach", "water"), ("water", "water"), ("a field", "grass"), ("snow", "snow"), ("a dog", "dogs")} | {
    (person, thing) for person in ("a child", "a man") for thing in ("people", "children")
}
FIRST, LEAST = 10, 10


def naming(captions: list[list[str]], words: str, least: int) -> np.ndarray:
    """Which photos have at least so many captions with one of the words."""
    pattern = re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    return np.array([sum(bool(pattern.search(caption)) for caption in five) >= least for five in captions])


def main() -> int:
    """Search each pair at each strength, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a NotCLIP model")
    parser.add_argument("--photos", required=True, type=Path, help="Parquet file with `image` and `captions`")
    parser.add_argument("--cache", type=Path, default=Path("build/cache"), help="folder of image embeddings")
    parser.add_argument("--strengths", type=float, nargs="+", default=[0, 1, 2, 4, 8, 12, 16, 24])
    options = parser.parse_args()
    model = load_model(options.model, composition="scope")
    rows = pq.read_table(options.photos, columns=["image", "captions"]).to_pylist()
    photos, captions = [row["image"]["bytes"] for row in rows], [row["captions"] for row in rows]
    images = cached_image_embeds(model, photos, [hashlib.sha256(photo).digest() for photo in photos], options.cache)
    shown = {scene: naming(captions, words, 2) for scene, words in SCENES.items()}
    named = {thing: naming(captions, words, 1) for thing, words in THINGS.items()}
    pairs = [
        (scene, thing)
        for scene in SCENES
        for thing in THINGS
        if (scene, thing) not in CONTAIN
        and min((shown[scene] & ~named[thing]).sum(), (shown[scene] & named[thing]).sum()) >= LEAST
    ]
    people = np.array([thing == "people" for _, thing in pairs])
    print(
        f"{len(photos)} photos; {people.sum()} searches without people, {(~people).sum()} without other things; λ is"
    )
    print(f"{model.config.exclusion:.4f} beside what is affirmed. Fits / shows the scene / shows the thing, %:")
    print("| strength | no people | no other thing |\n|---:|---:|---:|")
    for strength in options.strengths:
        vectors, _ = model.encode_queries([f"{scene}, no {thing}" for scene, thing in pairs], strength=strength)
        first = (images @ vectors.T).argsort(dim=0, descending=True)[:FIRST].numpy()  # (10, pairs)
        shares = np.array(
            [
                [(shown[scene] & ~named[thing])[top].mean(), shown[scene][top].mean(), named[thing][top].mean()]
                for (scene, thing), top in zip(pairs, first.T, strict=True)
            ]
        )
        cells = [" / ".join(f"{100 * share:.0f}" for share in shares[which].mean(0)) for which in (people, ~people)]
        print(f"| {strength:g} | {' | '.join(cells)} |")
    return 0


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    sys.exit(main())
