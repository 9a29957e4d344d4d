import hashlib
import os

import pytest
import torch
from safetensors.torch import save_file

from notclip import embedding_store
from notclip.embedding_store import EmbeddingStore
from notclip.errors import BadInputError


def digest(text):
    return hashlib.sha256(text.encode()).digest()


def test_vectors_come_back_by_content_in_any_order_and_from_another_process_too(tmp_path, monkeypatch):
    monkeypatch.setattr(embedding_store, "ROWS_PER_PART", 3)
    store, vectors = EmbeddingStore(tmp_path / "store"), torch.randn(10, 4)
    names = [digest(str(k)) for k in range(10)]
    for start in range(0, 10, 2):
        store.add(names[start : start + 2], vectors[start : start + 2])
    store.flush()
    order = [7, 0, 7, 9, 3]
    for found in (store, EmbeddingStore(tmp_path / "store")):
        assert len(found) == 10
        assert digest("10") not in found
        assert torch.equal(found.vectors([names[k] for k in order]), vectors[order])
    assert len(list((tmp_path / "store").glob("*"))) == 3  # parts of 4, 4 and 2, and nothing half-written


def test_what_was_not_flushed_is_not_written_and_what_was_stays(tmp_path):
    store = EmbeddingStore(tmp_path)
    store.add([digest("a")], torch.ones(1, 2))
    store.flush()
    store.add([digest("b")], torch.ones(1, 2))
    again = EmbeddingStore(tmp_path)
    assert digest("a") in again
    assert digest("b") not in again


def test_a_part_that_is_a_pipe_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "part.safetensors")
    with pytest.raises(BadInputError, match=r"part\.safetensors .*no file"):
        EmbeddingStore(tmp_path)


def test_a_broken_part_is_named(tmp_path):
    (tmp_path / "part.safetensors").write_bytes(b"nothing")
    with pytest.raises(BadInputError, match=r"part\.safetensors .*cannot be read"):
        EmbeddingStore(tmp_path)


@pytest.mark.parametrize(
    "part",
    [
        {"digests": torch.zeros(3, 32, dtype=torch.uint8), "embeds": torch.zeros(2, 4)},
        {"digests": torch.zeros(2, 32), "embeds": torch.zeros(2, 4)},
        {"digests": torch.zeros(2, 32, dtype=torch.uint8), "embeds": torch.zeros(2, 4, dtype=torch.int64)},
        {"digests": torch.zeros(2, 32, dtype=torch.uint8), "embeds": torch.zeros(2, 5)},  # others have 4
    ],
)
def test_a_part_that_no_store_wrote_is_refused_by_name(tmp_path, part):
    store = EmbeddingStore(tmp_path)
    store.add([digest("a")], torch.zeros(1, 4))
    store.flush()
    save_file(part, tmp_path / "zz.safetensors")
    with pytest.raises(BadInputError, match=r"zz\.safetensors .*cannot be read"):
        EmbeddingStore(tmp_path)
