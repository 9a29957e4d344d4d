"""What a Space keeps between starts, and when it makes it anew."""

import pytest
from PIL import Image

from notclip.modeling_notclip import NotClipModel
from notclip.recaption.drawn_world.encoder_parts import ENCODER_FOLDER
from notclip.space import composed
from notclip.space.drawn_photos import draw_photos
from notclip.space.photo_embeds import embed_photo_set
from notclip.space.photo_set import read_photo_set


@pytest.fixture(scope="module")
def encoder():
    return NotClipModel.from_backbone(ENCODER_FOLDER)


def test_embeddings_of_older_code_are_not_served(encoder, tmp_path, change_code):
    photos = draw_photos(40)
    embed_photo_set(encoder, photos, tmp_path)
    embed_photo_set(encoder, photos, tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == 1
    change_code("notclip.recaption.suite")
    embed_photo_set(encoder, photos, tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == 2


def test_a_photo_replaced_by_one_of_the_same_size_and_time_is_another(tmp_path):
    import os

    prints = set()
    for colour in ("red", "lime"):
        Image.new("RGB", (8, 8), colour).save(tmp_path / "photo.bmp")
        (tmp_path / "photo.bmp").rename(tmp_path / "photo.png")
        os.utime(tmp_path / "photo.png", (0, 0))
        read_photo_set.cache_clear()
        prints.add(read_photo_set(str(tmp_path)).fingerprint())
    assert len(prints) == 2


def test_scalars_of_another_formula_are_not_served(encoder, tmp_path, monkeypatch, change_code):
    fitted = []
    monkeypatch.setattr(composed, "_fit", lambda model: fitted.append(model))
    photos = draw_photos(40)
    embeds = embed_photo_set(encoder, photos, tmp_path)
    for times, changed in ((1, None), (1, None), (2, "notclip.composition_notclip"), (3, "notclip.calibration")):
        if changed is not None:
            change_code(changed)
        composed.compose_base(encoder, embeds, photos, tmp_path)
        assert len(fitted) == times
