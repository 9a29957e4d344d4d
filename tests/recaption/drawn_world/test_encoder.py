import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    AutoProcessor,
    VisionTextDualEncoderModel,
    VisionTextDualEncoderProcessor,
)

from notclip.recaption.drawn_world import OBJECTS, Sample, make_sample
from notclip.recaption.drawn_world.encoder_checks import affirmation_bias, presence_auc, recall_at_k
from notclip.recaption.drawn_world.encoder_parts import ENCODER_FOLDER, NEGATION_WORDS, build_tokenizer

Encoder = tuple[VisionTextDualEncoderModel, VisionTextDualEncoderProcessor]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return AutoModel.from_pretrained(ENCODER_FOLDER).eval(), AutoProcessor.from_pretrained(ENCODER_FOLDER)


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    # Of a world that neither training nor the choice of the recipe has seen.
    return [make_sample(123, "test", index) for index in range(100)]


@pytest.fixture(scope="module")
def image_embeds(encoder: Encoder, samples: list[Sample]) -> np.ndarray:
    model, processor = encoder
    inputs = processor(images=[sample.picture(128) for sample in samples], return_tensors="pt")
    with torch.no_grad():
        embeds = model.get_image_features(**inputs).pooler_output
    return torch.nn.functional.normalize(embeds, dim=-1).numpy()


@pytest.fixture(scope="module")
def present(samples: list[Sample]) -> np.ndarray:
    return np.array([[name in sample.scene.objects for name in OBJECTS] for sample in samples])


def embed_texts(encoder: Encoder, texts: list[str]) -> np.ndarray:
    model, processor = encoder
    with torch.no_grad():
        embeds = model.get_text_features(**processor(text=texts, padding=True, return_tensors="pt")).pooler_output
    return torch.nn.functional.normalize(embeds, dim=-1).numpy()


def test_the_committed_encoder_loads_by_its_auto_classes(encoder: Encoder) -> None:
    model, processor = encoder
    assert isinstance(model, VisionTextDualEncoderModel)
    assert isinstance(processor, VisionTextDualEncoderProcessor)
    assert model.dtype == torch.float32


def test_loading_finds_every_weight_and_leaves_none_over() -> None:
    _, report = AutoModel.from_pretrained(ENCODER_FOLDER, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"]


def test_the_committed_files_take_at_most_8_megabytes() -> None:
    assert sum(path.stat().st_size for path in ENCODER_FOLDER.iterdir()) <= 8 * 1024**2


def test_a_caption_finds_its_new_picture_far_better_than_chance(
    encoder: Encoder, samples: list[Sample], image_embeds: np.ndarray
) -> None:
    captions = embed_texts(encoder, [sample.captions[0] for sample in samples])
    recall = recall_at_k(image_embeds, captions, owners=np.arange(100), k=5)
    assert recall >= 0.6  # chance: 0.05


def test_the_name_of_an_object_tells_pictures_with_it_from_pictures_without(
    encoder: Encoder, image_embeds: np.ndarray, present: np.ndarray
) -> None:
    prompts = [f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in OBJECTS]
    seen = present.any(axis=0)
    scores = image_embeds @ embed_texts(encoder, prompts).T
    assert presence_auc(scores[:, seen], present[:, seen]).mean() >= 0.75


def test_the_encoder_is_affirmation_biased_as_the_real_ones_are(
    encoder: Encoder, image_embeds: np.ndarray, present: np.ndarray
) -> None:
    denials = image_embeds @ embed_texts(encoder, [f"no {name}" for name in OBJECTS]).T
    assert affirmation_bias(denials, present) >= 0.8  # an encoder that reads "no" comes near 0


def test_words_of_negation_are_tokens_of_their_own(encoder: Encoder) -> None:
    tokenizer = encoder[1].tokenizer
    for word in NEGATION_WORDS:
        if word.isalpha():
            assert tokenizer.tokenize(word) == [word]
    assert tokenizer.tokenize("There isn't a dog.") == ["there", "isn", "'", "t", "a", "dog", "."]


def test_every_word_of_the_captions_is_one_token(encoder: Encoder, samples: list[Sample]) -> None:
    tokenizer = encoder[1].tokenizer
    tokens = {token for sample in samples for caption in sample.captions for token in tokenizer.tokenize(caption)}
    assert not [token for token in tokens if token.startswith("##") or token == "[UNK]"]


def test_a_word_that_the_tokenizer_does_not_know_is_spelt() -> None:
    assert build_tokenizer(["a dog"]).tokenize("A gnu") == ["a", "g", "##n", "##u"]


def test_the_record_of_the_training_stands_beside_the_weights() -> None:
    record = json.loads((Path(ENCODER_FOLDER) / "TRAINING.json").read_text())
    assert record["recipe"]["seed"] == 0
    assert record["validation"]["presence_auc_of_linear_readout"] > 0.85
    assert set(record["validation"]["presence_auc_by_object"]) == set(OBJECTS)
