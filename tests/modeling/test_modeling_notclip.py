import numpy as np
import pytest
import torch
from PIL import Image

from notclip import NotClipModel

TEXTS = ["a dog on the beach", "a street with no cars", "there is no dog", "neither a dog nor a cat", "a ball"]


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)) for _ in range(3)]


@pytest.fixture
def model(backbone, processor):
    return NotClipModel.from_backbone(backbone, processor=processor)


def pixels(model, images):
    return model.processor.image_processor(images=images, return_tensors="pt")["pixel_values"]


def test_a_text_without_negation_scores_exactly_as_the_backbone_scores_it(model, images):
    tokens = model._tokenize(["a dog on the beach", "there is no dog"])
    composed = model(**tokens, pixel_values=pixels(model, images)).logits_per_image
    plain = model.backbone(**tokens, pixel_values=pixels(model, images)).logits_per_image
    assert torch.equal(composed[:, 0], plain[:, 0])
    assert not torch.allclose(composed[:, 1], plain[:, 1])


def test_with_composition_none_the_model_is_the_plain_dual_encoder(model, images):
    model.config.composition = "none"
    tokens = model._tokenize(TEXTS)
    outputs = model(**tokens, pixel_values=pixels(model, images))
    plain = model.backbone(**tokens, pixel_values=pixels(model, images))
    assert torch.equal(outputs.logits_per_image, plain.logits_per_image)


def test_forward_on_tokens_and_score_on_strings_agree(model, images):
    tokens = model._tokenize(TEXTS)
    logits = model(**tokens, pixel_values=pixels(model, images)).logits_per_image
    bias = getattr(model.backbone, "logit_bias", torch.zeros(()))
    expected = model.score(images, TEXTS) * model.logit_scale.exp() + bias
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)


def test_the_score_is_affine_in_the_image_embedding(model, images):
    vectors, biases = model.encode_queries(TEXTS)
    by_index = model.encode_images(images) @ vectors.T + biases
    torch.testing.assert_close(by_index, model.score(images, TEXTS))
    vector, bias = model.encode_query(TEXTS[1])
    torch.testing.assert_close(vector, vectors[1], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(bias, biases[1], atol=1e-5, rtol=1e-4)


def test_an_image_that_shows_what_is_excluded_falls_behind_one_that_does_not(model):
    excluded = model.encode_texts(["dog"])[0]
    vectors, biases = model.encode_queries(["there is no dog"])
    like_the_dog, unlike_the_dog = excluded, -excluded
    assert (like_the_dog @ vectors[0] + biases[0]) < (unlike_the_dog @ vectors[0] + biases[0])


def test_who_excludes_people_excludes_each_kind_of_person(model):
    excluded = model.embed_texts(["a street with no people", "a street with no dog"]).parts.excluded
    kinds = model.encode_texts(["a man", "a woman", "a boy", "a girl", "a child", "a person", "people"])
    torch.testing.assert_close(excluded[0], torch.nn.functional.normalize(kinds.mean(0), dim=-1))
    torch.testing.assert_close(excluded[1], model.encode_texts(["dog"])[0])
    assert torch.equal(model.embed_texts(["no person"]).parts.excluded[0], excluded[0])


def test_what_is_affirmed_is_embedded_without_its_frame(model):
    parts = model.embed_texts(["This image shows a dog but no car", "There is a dog in the picture, not a car"]).parts
    dog = model.encode_texts(["a dog"])[0]
    torch.testing.assert_close(parts.affirmed, torch.stack([dog, dog]))


def test_strength_zero_excludes_nothing(model):
    model.config.negation_strength = 0.0
    model.config.hybrid_weights = [-0.2, 0.1, 0.1]
    vectors, biases = model.encode_queries(["a street with no cars"])
    torch.testing.assert_close(vectors, model.encode_texts(["a street"]), atol=1e-5, rtol=1e-4)
    assert biases.item() == 0.0


def test_gradients_reach_the_text_tower_through_the_composition(model):
    embedded = model.embed_texts(TEXTS)
    vectors, biases = model.compose(embedded)
    (vectors.sum() + biases.sum()).backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in model.backbone.text_model.parameters())


def test_the_dial_of_one_query_counts_as_the_configurations_own(model, images):
    dialled = model.encode_queries(TEXTS, strength=2.5)
    model.config.negation_strength = 2.5
    torch.testing.assert_close(dialled, model.encode_queries(TEXTS))
    assert not torch.allclose(dialled[0], model.encode_queries(TEXTS, strength=0.0)[0])


def test_saved_and_loaded_the_model_is_the_same(model, images, tmp_path):
    model.config.negation_strength = 0.5
    model.image_mean.fill_(0.25)
    model.save_pretrained(tmp_path)
    loaded, info = NotClipModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    loaded.processor = model.processor
    torch.testing.assert_close(loaded.score(images, TEXTS), model.score(images, TEXTS))


def test_the_weights_of_a_backbone_miss_only_what_notclip_adds(clip, tmp_path):
    model = NotClipModel.from_backbone(clip)
    added = set(model.state_dict()) - {f"backbone.{name}" for name in clip.state_dict()}
    assert added == {"image_mean", "image_covariance"}


def test_a_model_without_two_towers_is_refused(processor):
    from transformers import BertConfig, BertModel

    bert = BertModel(BertConfig(hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2))
    with pytest.raises(ValueError, match=r"`backbone` must be a dual encoder.*BertModel"):
        NotClipModel.from_backbone(bert, processor=processor)


def test_a_model_in_memory_asks_for_its_processor(clip):
    with pytest.raises(ValueError, match=r"set `model\.processor"):
        NotClipModel.from_backbone(clip).score([], ["no dog"])


@pytest.mark.parametrize("setting", [{"composition": "sum"}, {"negation_strength": -1}, {"hybrid_weights": [1.0]}])
def test_settings_outside_their_range_are_refused_by_name(setting):
    from notclip import NotClipConfig

    with pytest.raises(Exception, match=next(iter(setting))):
        NotClipConfig(**setting)
