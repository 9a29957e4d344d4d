"""Shards of embeddings hold what a build of them wrote, or are refused by name; so are photos that are none."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest

from notclip.errors import BadInputError
from notclip.loading import load_model
from notclip.recaption import drawn_world
from notclip.training.embedding_shards import EmbeddingShards, embed_into_shards


def as_bytes(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


SHARD = np.eye(3, 4, dtype=np.float32)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        as_bytes(SHARD)[:40],
        as_bytes(SHARD)[:-1],
        as_bytes(SHARD.astype(np.float64)),
        as_bytes(SHARD[:, :3]),
        as_bytes(SHARD[:2]),
        as_bytes(SHARD[0]),
        as_bytes(np.float32(1)),
        as_bytes(np.array([print] * 3), allow_pickle=True),
    ],
)
def test_a_shard_that_is_damaged_or_of_other_photos_is_refused_by_name(tmp_path, content):
    (tmp_path / "000000.npy").write_bytes(as_bytes(SHARD))
    assert EmbeddingShards(tmp_path, 3, 4)[[1]].tolist() == [[0, 1, 0, 0]]
    (tmp_path / "000000.npy").write_bytes(content)
    with pytest.raises(BadInputError, match=r"000000.npy in the cache .*: delete it\.$"):
        EmbeddingShards(tmp_path, 3, 4)


def test_no_photos_have_no_shards(tmp_path):
    assert len(EmbeddingShards(tmp_path, 0, 4)) == 0


def test_a_photo_that_is_none_is_refused_by_its_place_and_leaves_no_shard(tmp_path):
    photos = [b"no photo"]
    digests = [hashlib.sha256(photo).digest() for photo in photos]
    model = load_model(str(Path(drawn_world.__file__).parent / "encoder"))
    with pytest.raises(BadInputError, match=r"^train.parquet, row 7: .*cannot be decoded"):
        embed_into_shards(model, photos, digests, tmp_path, place=lambda n: f"train.parquet, row {n + 7}")
    assert not list(tmp_path.rglob("*.npy"))
