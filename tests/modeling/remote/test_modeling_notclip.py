import json

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoTokenizer

from notclip import NotClipModel
from notclip.remote.composition_notclip import GENERIC_TEXTS
from notclip.remote.configuration_notclip import NotClipConfig
from notclip.remote.reading_tagger import Tagger

TEXTS = ["a dog on the beach", "a street with no cars", "there is no dog", "neither a dog nor a cat", "a ball"]


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)) for _ in range(3)]


@pytest.fixture
def model(backbone, processor):
    return NotClipModel.from_backbone(backbone, processor=processor)


def unit_rows(rows, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(rows, width, generator=generator) + 0.5, dim=-1)


def pixels(model, images):
    return model.processor.image_processor(images=images, return_tensors="pt")["pixel_values"]


def test_a_text_without_negation_scores_exactly_as_the_backbone_scores_it(model, images):
    tokens = model.tokenize(["a dog on the beach", "there is no dog"])
    composed = model(**tokens, pixel_values=pixels(model, images)).logits_per_image
    plain = model.backbone(**tokens, pixel_values=pixels(model, images)).logits_per_image
    assert torch.equal(composed[:, 0], plain[:, 0])
    assert not torch.allclose(composed[:, 1], plain[:, 1])


def test_with_composition_none_the_model_is_the_plain_dual_encoder(model, images):
    model.config.composition = "none"
    tokens = model.tokenize(TEXTS)
    outputs = model(**tokens, pixel_values=pixels(model, images))
    plain = model.backbone(**tokens, pixel_values=pixels(model, images))
    assert torch.equal(outputs.logits_per_image, plain.logits_per_image)


def test_forward_on_tokens_and_score_on_strings_agree(model, images):
    tokens = model.tokenize(TEXTS)
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


def test_of_two_images_alike_in_all_else_the_one_that_shows_what_is_excluded_falls_behind(model):
    excluded = model.encode_texts(["dog"])[0]
    affirmed = model.embed_texts(["there is no dog"]).parts.affirmed[0]
    rest = excluded - (excluded @ affirmed) * affirmed
    vectors, biases = model.encode_queries(["there is no dog"])
    more, less = ((affirmed + sign * rest) @ vectors[0] + biases[0] for sign in (1, -1))
    assert more < less


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
    model.config.whole_share = -0.2
    vectors, biases = model.encode_queries(["a street with no cars"])
    torch.testing.assert_close(vectors, model.encode_texts(["a street"]), atol=1e-5, rtol=1e-4)
    assert abs(biases.item()) < 1e-6


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
    model.config.negation_strength = 1.0
    torch.testing.assert_close(
        model.score(images, TEXTS, strength=2.5), model.encode_images(images) @ dialled[0].T + dialled[1]
    )
    torch.testing.assert_close(model.encode_query(TEXTS[1], strength=2.5)[1], dialled[1][1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("strength", [-1.0, float("nan"), float("inf")])
def test_a_dial_that_would_turn_exclusion_round_or_scores_to_nan_is_refused(model, strength):
    with pytest.raises(ValueError, match=f"`strength` .*got {strength}"):
        model.encode_queries(TEXTS, strength=strength)


def test_saved_and_loaded_the_model_is_the_same(model, images, tmp_path):
    model.config.negation_strength = 0.5
    model.calibrate(unit_rows(120, model.config.embedding_dim))
    model.save_pretrained(tmp_path)
    loaded, info = NotClipModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    loaded.processor = model.processor
    torch.testing.assert_close(loaded.score(images, TEXTS), model.score(images, TEXTS))


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
def test_a_model_of_half_precision_scores_as_the_whole_one_and_gives_an_index_single_precision(
    model, images, precision
):
    model.config.only_exclusion, model.config.level = 2.0, 2.5  # as large as they are fitted
    expected, tokens = model.score(images, TEXTS), model.tokenize(TEXTS)
    logits = model(**tokens, pixel_values=pixels(model, images)).logits_per_image
    model.to(precision)
    vectors, biases = model.encode_queries(TEXTS)
    assert vectors.dtype == biases.dtype == model.encode_images(images).dtype == torch.float32
    torch.testing.assert_close(model.score(images, TEXTS), expected, atol=0.02, rtol=0.0)
    halved = model(**tokens, pixel_values=pixels(model, images).to(precision)).logits_per_image
    torch.testing.assert_close(halved.float(), logits, atol=0.02 * model.logit_scale.exp().item(), rtol=0.01)


def test_under_autocast_strings_and_tokens_are_scored_alike(model, images):
    tokens, scale = model.tokenize(TEXTS), model.logit_scale.exp()
    bias = getattr(model.backbone, "logit_bias", torch.zeros(()))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(**tokens, pixel_values=pixels(model, images)).logits_per_image
        scores = model.score(images, TEXTS)
    torch.testing.assert_close(logits.float(), scores.float() * scale + bias, atol=0.02 * scale.item(), rtol=0.01)
    torch.testing.assert_close(scores.float(), model.score(images, TEXTS), atol=0.02, rtol=0.0)


def test_a_saved_processor_warns_nobody_of_how_the_model_called_its_tokenizer(clip, processor, tmp_path, recwarn):
    model = NotClipModel.from_backbone(clip, processor=processor)
    model.encode_texts(TEXTS)
    assert model.processor.tokenizer.backend_tokenizer.truncation is not None
    model.processor.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "tokenizer.json").read_text())
    assert saved["truncation"] is saved["padding"] is None
    recwarn.clear()
    AutoTokenizer.from_pretrained(tmp_path, config=clip.config)(TEXTS, padding=True)
    assert not [str(warning.message) for warning in recwarn if "max_length" in str(warning.message)]


def test_the_weights_of_a_backbone_miss_only_what_notclip_adds(clip, tmp_path):
    model = NotClipModel.from_backbone(clip)
    added = set(model.state_dict()) - {f"backbone.{name}" for name in clip.state_dict()}
    assert added == {"image_mean", "image_covariance", "image_centres", "image_shares", "reader"}


def test_a_model_reads_by_the_tagger_among_its_weights_and_without_one_by_the_packages(clip, processor, monkeypatch):
    model = NotClipModel.from_backbone(clip, processor=processor).to(torch.bfloat16)
    assert model.reader.numpy().tobytes() == Tagger.default_bytes()
    with monkeypatch.context() as absent:
        absent.setattr(Tagger, "default", None)
        assert model.read(["a dog, no cat"])[0].negated == ("cat",)
    earlier = NotClipModel(NotClipConfig(dual_encoder_config=clip.config, embedding_dim=model.config.embedding_dim))
    assert "reader" not in earlier.state_dict()
    assert earlier.read(["a dog, no cat"])[0].negated == ("cat",)


def test_a_model_without_two_towers_is_refused(processor):
    from transformers import BertConfig, BertModel

    bert = BertModel(BertConfig(hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2))
    with pytest.raises(ValueError, match=r"`backbone` .*dual encoder.*BertModel"):
        NotClipModel.from_backbone(bert, processor=processor)


def test_a_model_in_memory_asks_for_its_processor(clip):
    with pytest.raises(ValueError, match=r"set `model\.processor"):
        NotClipModel.from_backbone(clip).score([], ["no dog"])


def test_a_string_in_place_of_a_list_is_not_taken_letter_by_letter(model, images):
    """A query of 14 letters would be 14 columns of scores, and none of the query."""
    for call in (model.encode_queries, model.encode_texts, model.embed_texts, lambda text: model.score(images, text)):
        with pytest.raises(ValueError, match=r"`texts` .*'a dog, no cat'"):
            call("a dog, no cat")
    with pytest.raises(ValueError, match=r"`text` .*list.*`encode_queries`"):
        model.encode_query(["a dog, no cat"])


def test_texts_are_read_once_from_whatever_yields_them(model, images):
    model.score(images, TEXTS)  # from here on concepts are remembered: other batches, which round otherwise
    expected = model.score(images, TEXTS)
    assert torch.equal(model.score(images, (text for text in TEXTS)), expected)
    assert model.score(images, []).shape == (3, 0)
    assert model.score([], TEXTS).shape == (0, 5)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a dog", None], "strings, got NoneType at position 1"),
        ([["a dog"]], "got list at position 0"),
        (3, "got int"),
    ],
)
def test_what_is_no_text_is_named_with_its_position(model, images, texts, message):
    with pytest.raises(ValueError, match=f"`texts` must be .*{message}"):
        model.score(images, texts)


def test_what_is_no_picture_is_named_with_its_position_and_what_makes_it_one(model, images):
    for one in (images[0], "photo.jpg"):
        with pytest.raises(ValueError, match=r"`images` must be a list"):
            model.score(one, TEXTS)
    others = [*images, *images, "photo.jpg"]  # in the second batch
    with pytest.raises(ValueError, match=r"`images` at position 6: .*photo\.jpg"):
        model.score(others, TEXTS)
    with pytest.raises(ValueError, match=r"`images` at position 0: .*Tensor"):
        model.score([torch.zeros(3, 32, 32)], TEXTS)
    with pytest.raises(ValueError, match=r"shape .*\(3, 32, 32\)"):
        model.score(pixels(model, images)[0], TEXTS)


def test_a_caption_of_any_length_scores_on_strings_and_is_refused_on_tokens_by_its_length(model, images):
    long = "a dog on the beach " * 40
    assert model.score(images, [long, long + "with no cat", ""]).isfinite().all()
    limit = model.backbone.config.text_config.max_position_embeddings
    tokens = {"input_ids": torch.ones(1, limit + 3, dtype=torch.long)}
    with pytest.raises(ValueError, match=rf"{limit} tokens .*{limit + 3}.*`truncation=True`"):
        model(**tokens, pixel_values=pixels(model, images))


def test_a_tuple_is_what_return_dict_false_asks_for(model, images):
    inputs = model.tokenize(TEXTS) | {"pixel_values": pixels(model, images)}
    as_tuple = model(**inputs, return_dict=False)
    assert isinstance(as_tuple, tuple)
    assert any(torch.equal(part, model(**inputs).logits_per_image) for part in as_tuple if torch.is_tensor(part))


@pytest.mark.parametrize(
    "setting",
    [
        {"composition": "sum"},
        {"negation_strength": -1},
        {"negation_strength": float("nan")},
        {"hybrid_weights": [0.5, 0.1, 0.0]},  # of the earlier composition
        {"exclusion": float("nan")},
    ],
)
def test_settings_outside_their_range_are_refused_by_name(setting):
    from notclip import NotClipConfig

    with pytest.raises(Exception, match=next(iter(setting))):
        NotClipConfig(**setting)


def test_words_and_photos_to_exclude_stand_beside_a_text(model, images):
    said = model.encode_query("a street with no cars")
    torch.testing.assert_close(model.encode_query("a street", exclude=["cars"]), said)
    vector, _ = model.encode_query("a street", exclude=[images[0]])
    plain = model.encode_texts(["a street"])[0]
    shown = model.encode_images(images[:1])[0]
    torch.testing.assert_close(vector, plain - 0.6 * (shown - (plain @ shown) * plain), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("exclude", "message"),
    [
        ("cars", r"texts and photos"),
        ([3], r"`images` at position 0"),
        (["A street "], r"else than the query"),
        ([""], r"else than the query"),
    ],
)
def test_what_cannot_be_excluded_is_refused(model, exclude, message):
    with pytest.raises(ValueError, match=message):
        model.encode_query("a street", exclude=exclude)


def test_photos_that_cannot_be_measured_are_refused(model):
    width = model.config.embedding_dim
    for embeddings, message in (
        (unit_rows(99, width), "at least 100 photos"),
        (unit_rows(120, width) * 2, "unit norm, got 2"),
        (unit_rows(120, width) * float("nan"), "NaN or infinity in row 0"),
        (unit_rows(120, width + 1), rf"\(rows, {width}\), got \(120, {width + 1}\)"),
    ):
        with pytest.raises(ValueError, match=message):
            model.calibrate(embeddings)
    assert model.statistics is None


def test_an_index_made_with_the_plain_base_keeps_serving_at_every_level(model, images):
    index = model.encode_images(images)  # before anything is calibrated or trained
    level_1 = model.encode_query("a street with no cars")
    level_2 = model.calibrate(unit_rows(120, model.config.embedding_dim)).encode_query("a street with no cars")
    model.config.exclusion = 1.0  # as training would
    level_3 = model.encode_query("a street with no cars")
    assert torch.equal(model.encode_images(images), index)
    for vector, bias in (level_1, level_2, level_3):
        assert (index @ vector + bias).isfinite().all()
    torch.testing.assert_close(
        index @ level_3[0] + level_3[1], model.score(images, ["a street with no cars"])[:, 0], atol=1e-5, rtol=1e-4
    )
    assert not torch.allclose(level_1[0], level_2[0]) and not torch.allclose(level_2[0], level_3[0])


def test_a_query_costs_its_affirmed_part_where_concepts_are_remembered(model):
    rows = []
    hook = model.backbone.text_model.register_forward_pre_hook(
        lambda _, __, given: rows.append(len(given["input_ids"])), with_kwargs=True
    )
    queries = ["a canyon with no cars", "a forest with no cars or dogs", "no dogs", "a kite"]
    first = model.encode_queries(queries)
    assert rows == [3 + 2 + len(GENERIC_TEXTS)]  # three affirmed parts, two concepts, and what "no dogs" stands beside
    rows.clear()
    model.encode_query("a lake with no cars and no dogs")
    model.encode_query("no cars")
    assert rows == [1]
    rows.clear()
    model.config.whole_share = 1e-9  # a composition that reads whole texts, if barely
    again = model.encode_queries(queries)
    hook.remove()
    assert rows == [4 + 2]  # four whole texts, and the affirmed parts of two of them
    torch.testing.assert_close(again, first)


def test_one_query_is_one_forward_and_concepts_are_remembered_until_a_weight_changes(model):
    calls = []
    hook = model.backbone.text_model.register_forward_pre_hook(lambda *_: calls.append(1))
    first = model.encode_query("a street with no cars and no dogs")
    assert len(calls) == 1 and {"cars", "dogs"} <= set(model.remembered)
    torch.testing.assert_close(model.encode_query("a street with no cars and no dogs"), first)
    with torch.no_grad():
        for parameter in model.backbone.text_model.parameters():
            parameter.mul_(1.1)
    again = model.encode_query("a street with no cars and no dogs")
    hook.remove()
    assert not torch.allclose(again[0], first[0])
    torch.testing.assert_close(again[0], model.compose(model.embed_texts(["a street with no cars and no dogs"]))[0][0])
