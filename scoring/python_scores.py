"""A model that scores pairs, brought into the form of one that embeds: the rest of the scoring knows one form only.

Each photo gets an axis of its own, so that a text's vector is the list of its scores with every photo.
"""

import hashlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from tqdm import tqdm

from notclip.dataset.photos import decode_photo
from notclip.embedding_store import EmbeddingStore
from notclip.errors import BadInputError
from notclip.scoring.embed import TextVectors
from notclip.scoring.python_model import CallableScorer
from notclip.scoring.suites.suite import Suite, frames_to_encode

MOST_SCORES = 100_000_000  # 400 MB; a model without encoders that is asked more takes days as well


def score_pairs(
    model: CallableScorer,
    suite: Suite,
    wanted: Mapping[str, Sequence[str]],
    store: EmbeddingStore,
    *,
    batch_size: int,
    progress: bool,
) -> tuple[TextVectors, Tensor]:
    """Score the pairs that a suite needs.

    Args:
        model: the model.
        suite: the photos.
        wanted: photo -> the texts that it is scored with.
        store: scores by SHA-256 of photo and text; gets what it lacks.
        batch_size: texts scored at once.
        progress: show a bar.

    Returns:
        Vectors of all texts, 0 where a pair was not wanted, shape (T, I), and the photos' axes, shape (I, I).

    Raises:
        BadInputError: a photo cannot be decoded, the scores are no numbers, or there are too many of them.
    """
    texts = list(dict.fromkeys(text for asked in wanted.values() for text in asked))
    row = {text: number for number, text in enumerate(texts)}
    if max(len(texts), len(suite.photos)) * len(suite.photos) > MOST_SCORES:
        raise BadInputError(
            f"`model` {model.name} scores pairs, and {suite.name} has {len(texts):,} texts and {len(suite.photos):,} "
            f"photos: more than {MOST_SCORES:,} pairs. Give it `encode_images` and `encode_texts`, or a `limit`."
        )
    vectors = torch.zeros(len(texts), len(suite.photos))
    with tqdm(total=len(suite.photos), desc="score photos", unit="photo", disable=not progress) as bar:
        try:
            for column, (name, photo) in enumerate(suite.photos.items()):
                asked = list(dict.fromkeys(wanted.get(name, ())))
                frames = frames_to_encode(photo)
                for frame in frames:
                    encoded = frame.read_bytes()
                    digest = hashlib.sha256(encoded).digest()
                    keys = {text: hashlib.sha256(digest + text.encode()).digest() for text in asked}
                    missing = [text for text in asked if keys[text] not in store]
                    if missing:
                        image = decode_photo(encoded, frame.where)
                    for start in range(0, len(missing), batch_size):
                        batch = missing[start : start + batch_size]
                        store.add([keys[text] for text in batch], model.score(image, batch)[:, None])
                    if asked:
                        scores = store.vectors([keys[text] for text in asked])[:, 0]
                        vectors[[row[text] for text in asked], column] += scores / len(frames)
                bar.update()
        finally:
            store.flush()
    return TextVectors(row, vectors, torch.zeros(len(texts))), torch.eye(len(suite.photos))
