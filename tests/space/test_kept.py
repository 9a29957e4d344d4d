"""What a Space keeps between starts, and when it makes it anew."""

import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from notclip.recaption.drawn_world.encoder_parts import ENCODER_FOLDER
from notclip.remote.modeling_notclip import NotClipModel
from notclip.space import composed
from notclip.space.photo_embeds import embed_photo_set
from notclip.space.photo_set import DRAWN_WORLD, read_photo_set


def encoder() -> NotClipModel:
    return NotClipModel.from_backbone(ENCODER_FOLDER)


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    for colour in ("red", "lime", "blue"):
        Image.new("RGB", (96, 96), colour).save(tmp_path / "photos" / f"{colour}.png")
    read_photo_set.cache_clear()
    return read_photo_set(str(tmp_path / "photos"))


def test_embeddings_of_older_code_are_not_served(photos, tmp_path, change_code):
    model = encoder()
    for files, changed in (
        (1, None),
        (1, None),
        (2, "notclip.scoring.suites.suite"),
        (3, "notclip.space.photo_embeds"),
    ):
        if changed is not None:
            change_code(changed)
        embed_photo_set(model, photos, tmp_path)
        assert len(list(tmp_path.glob("*.npy"))) == files


@pytest.mark.parametrize("damage", [lambda content: content[:-4], lambda content: b"", lambda content: b"no array"])
def test_embeddings_that_were_damaged_are_made_anew(photos, tmp_path, damage):
    whole = np.array(embed_photo_set(encoder(), photos, tmp_path))
    (file,) = tmp_path.glob("*.npy")
    file.write_bytes(damage(file.read_bytes()))
    assert (embed_photo_set(encoder(), photos, tmp_path) == whole).all()


def test_a_photo_replaced_by_one_of_the_same_size_and_time_is_another(photos, tmp_path):
    before = photos.fingerprint()
    red, lime = (tmp_path / "photos" / f"{colour}.png" for colour in ("red", "lime"))
    assert red.stat().st_size == lime.stat().st_size
    times = red.stat().st_atime_ns, red.stat().st_mtime_ns
    red.write_bytes(lime.read_bytes())
    os.utime(red, ns=times)
    assert photos.fingerprint() != before


def test_scalars_of_another_formula_are_not_served(photos, tmp_path, monkeypatch, change_code):
    fitted = []
    monkeypatch.setattr(composed, "fit", lambda model: fitted.append(model))
    drawn = replace(photos, source=DRAWN_WORLD)
    embeds = embed_photo_set(encoder(), photos, tmp_path)
    for times, changed in (
        (1, None),
        (1, None),
        (2, "notclip.remote.composition_notclip"),
        (3, "notclip.training.calibration"),
    ):
        if changed is not None:
            change_code(changed)
        composed.compose_base(encoder(), embeds, drawn, tmp_path)
        assert len(fitted) == times
