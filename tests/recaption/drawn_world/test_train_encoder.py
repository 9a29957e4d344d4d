import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from notclip.recaption.drawn_world import OBJECTS, make_sample
from notclip.recaption.drawn_world import encoder_training as training
from notclip.recaption.drawn_world.encoder_parts import IMAGE_SIZE, build_processor, build_tokenizer
from notclip.recaption.drawn_world.train_encoder import EncoderRecipe
from notclip.recaption.drawn_world.write import draw_many, draw_small


def test_an_encoder_that_cannot_tell_pairs_apart_pays_log_b() -> None:
    same = torch.ones(8, 1)
    assert training.clip_loss(same, same, torch.tensor(10.0)).item() == pytest.approx(math.log(8))


def test_the_loss_is_the_mean_of_both_directions() -> None:
    torch.manual_seed(0)
    images, texts = (functional.normalize(torch.randn(5, 3), dim=-1) for _ in range(2))
    expected = 0.0
    for row in range(5):
        along = [math.exp(7 * float(images[row] @ texts[other])) for other in range(5)]
        across = [math.exp(7 * float(images[other] @ texts[row])) for other in range(5)]
        expected -= (math.log(along[row] / sum(along)) + math.log(across[row] / sum(across))) / 10
    assert training.clip_loss(images, texts, torch.tensor(7.0)).item() == pytest.approx(expected, rel=1e-5)


def test_training_pixels_are_exactly_those_of_the_processor() -> None:
    pixels, captions, objects = draw_small("train", IMAGE_SIZE, None, 3)
    sample = make_sample(0, "train", 3)
    processor = build_processor(build_tokenizer(captions))
    expected = processor(images=sample.picture(128), return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(training.to_inputs(pixels[None]), expected, rtol=0, atol=1e-6)
    assert captions == sample.captions and tuple(objects) == sample.scene.objects


def test_a_shift_moves_the_picture_by_at_most_two_pixels() -> None:
    batch = np.arange(64, dtype=np.uint8).reshape(1, 8, 8, 1)
    for seed in range(20):
        shifted = training.shifted(batch, np.random.default_rng(seed))
        assert shifted.shape == batch.shape
        row, column = divmod(int(shifted[0, 4, 4, 0]), 8)
        assert abs(row - 4) <= 2 and abs(column - 4) <= 2


def test_a_few_scenes_draw_as_arrays_with_exact_presence() -> None:
    drawn = draw_many("validation", 4, size=IMAGE_SIZE, workers=1)
    assert drawn.pixels.shape == (4, IMAGE_SIZE, IMAGE_SIZE, 3)
    for index in range(4):
        shown = tuple(name for name, present in zip(OBJECTS, drawn.present[index], strict=True) if present)
        assert shown == make_sample(0, "validation", index).scene.objects


def test_a_stage_of_another_recipe_or_of_older_code_is_not_gone_on_from(tmp_path, monkeypatch, change_code) -> None:
    trained = []
    monkeypatch.setattr(training, "draw_many", lambda *arguments, **options: None)
    monkeypatch.setattr(training, "train_image_tower", lambda *arguments, epochs, **options: trained.append(epochs))
    recipe = EncoderRecipe(work=tmp_path, scenes=1, coarse_epochs=12, crowded_epochs=3, fine_epochs=6)

    def run(recipe: EncoderRecipe) -> list[int]:
        trained.clear()
        training.image_tower_stages(torch.nn.Linear(1, 1), None, recipe)
        return list(trained)

    assert run(recipe) == [12, 3, 6]
    assert run(recipe) == []
    assert run(replace(recipe, fine_epochs=7)) == [7]  # The stages before it are those of before.
    assert run(replace(recipe, coarse_epochs=2)) == [2, 3, 6]
    assert run(replace(recipe, text_epochs=1)) == []
    change_code("notclip.recaption.drawn_world.pen")
    assert run(recipe) == [12, 3, 6]
