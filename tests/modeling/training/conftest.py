"""A tiny CLIP in a folder, and a training of it on a dataset in miniature."""

import pytest

from notclip.training.config import TrainConfig


@pytest.fixture
def base(clip, processor, tmp_path):
    clip.save_pretrained(tmp_path / "base")
    processor.tokenizer.save_pretrained(tmp_path / "base")
    processor.image_processor.save_pretrained(tmp_path / "base")
    return str(tmp_path / "base")


@pytest.fixture
def config(base, data, tmp_path):
    return TrainConfig(
        base=base,
        data=data,
        out=tmp_path / "out",
        epochs=2,
        batch_images=4,
        batch_questions=8,
        rank=2,
        alpha=4,
        dropout=0.1,
        learning_rate=0.05,
        contrastive_weight=0.02,
        anchor_weight=0.0,
        checkpoint_every=1,
        recall_tolerance=1.0,
        cache=tmp_path / "cache",
    )
