"""`notclip embed-images`: what it makes is what training reads."""

import pytest

from notclip.remote.modeling_notclip import NotClipModel
from notclip.scripts import embed_images
from notclip.training import embedding_shards


@pytest.fixture
def arguments(clip, processor, data, tmp_path):
    clip.save_pretrained(tmp_path / "base")
    processor.tokenizer.save_pretrained(tmp_path / "base")
    processor.image_processor.save_pretrained(tmp_path / "base")
    return ["--base", str(tmp_path / "base"), "--data", str(data), "--cache", str(tmp_path / "cache")]


def shards(tmp_path):
    return {file.relative_to(tmp_path): file.read_bytes() for file in tmp_path.glob("cache/*/*/*.npy")}


def test_what_is_embedded_once_is_not_embedded_again(arguments, tmp_path, monkeypatch, capsys):
    assert embed_images.main([*arguments, "--splits", "train"]) == 0
    assert "train: 12 photos, 16 numbers each" in capsys.readouterr().out
    made = shards(tmp_path)
    assert len(made) == 1

    def encode(*_, **__):
        raise AssertionError("embedded again")

    monkeypatch.setattr(NotClipModel, "encode_images", encode)
    assert embed_images.main([*arguments, "--splits", "train"]) == 0
    assert shards(tmp_path) == made


def test_a_run_that_was_killed_goes_on_with_the_shards_that_are_missing(arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(embedding_shards, "ROWS", 5)  # twelve photos are three shards
    assert embed_images.main([*arguments, "--splits", "train"]) == 0
    made = shards(tmp_path)
    assert len(made) == 3
    (tmp_path / sorted(made)[1]).unlink()
    assert embed_images.main([*arguments, "--splits", "train"]) == 0
    assert shards(tmp_path) == made


def test_a_shard_that_is_damaged_is_named(arguments, tmp_path, capsys):
    assert embed_images.main([*arguments, "--splits", "train"]) == 0
    (file,) = tmp_path.glob("cache/*/*/*.npy")
    file.write_bytes(b"no array")
    assert embed_images.main([*arguments, "--splits", "train"]) == 2
    assert "000000.npy in the cache cannot be read" in capsys.readouterr().err
