"""What differs between families of backbones, and must not show: activations, biases, padding, inputs of images."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import normalize
from transformers import Siglip2Config, Siglip2ImageProcessorPil, Siglip2Model

from notclip import NotClipModel
from notclip.training.lora import add_lora, lora_targets

TEXTS = ["a dog on the beach", "a street with no cars", "there is no dog", "a ball"]


@pytest.fixture
def photos():
    """Of different shapes, which SigLIP 2 keeps."""
    rng = np.random.default_rng(0)
    sizes = ((40, 40), (32, 64), (64, 16))
    return [Image.fromarray(rng.integers(0, 255, (*size, 3), dtype=np.uint8)) for size in sizes]


@pytest.fixture
def siglip2(processor):
    """SigLIP 2 with native resolution: images come as patches with a mask and their shapes."""
    torch.manual_seed(0)
    text = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    text |= {"num_attention_heads": 2, "max_position_embeddings": 24, "projection_size": 32}
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision |= {"num_patches": 16, "patch_size": 16}
    backbone = Siglip2Model(Siglip2Config(text_config=text, vision_config=vision)).eval()
    torch.nn.init.constant_(backbone.logit_bias, -10.0)
    images = Siglip2ImageProcessorPil(patch_size=16, max_num_patches=16)
    parts = SimpleNamespace(tokenizer=processor.tokenizer, image_processor=images)
    return NotClipModel.from_backbone(backbone, processor=parts)


def test_siglip_2_is_given_the_masks_and_shapes_of_its_patches(siglip2, photos):
    inputs = siglip2.processor.image_processor(images=photos, return_tensors="pt")
    assert {"pixel_values", "pixel_attention_mask", "spatial_shapes"} <= set(inputs)
    with torch.no_grad():
        expected = siglip2.backbone.get_image_features(**inputs).pooler_output
    torch.testing.assert_close(siglip2.encode_images(photos), normalize(expected, dim=-1))
    # In batches of one, as in one batch: padding does not count.
    torch.testing.assert_close(siglip2.encode_images(photos, batch_size=1), siglip2.encode_images(photos))


def test_siglip_2_scores_on_strings_as_on_tokens(siglip2, photos):
    inputs = siglip2.processor.image_processor(images=photos, return_tensors="pt")
    logits = siglip2(**siglip2.tokenize(TEXTS), **inputs).logits_per_image
    expected = siglip2.score(photos, TEXTS) * siglip2.logit_scale.exp() - 10.0
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    plain = siglip2.backbone(**siglip2.tokenize(TEXTS), **inputs).logits_per_image
    assert torch.equal(logits[:, [0, 3]], plain[:, [0, 3]])
    assert not torch.allclose(logits[:, 1], plain[:, 1])


def test_siglip_2_saved_and_loaded_is_the_same(siglip2, photos, tmp_path):
    siglip2.save_pretrained(tmp_path)
    loaded, info = NotClipModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    loaded.processor = siglip2.processor
    torch.testing.assert_close(loaded.score(photos, TEXTS), siglip2.score(photos, TEXTS))


def test_siglip_texts_are_padded_to_full_length_and_their_padding_is_seen(siglip2, photos):
    """Its towers were trained so: one more word must not change how many tokens are pooled over."""
    assert set(siglip2.tokenize(["a dog"])) & {"input_ids", "attention_mask"} == {"input_ids"}
    assert siglip2.tokenize(["a dog"])["input_ids"].shape == (1, 24)
    pixels = siglip2.processor.image_processor(images=photos, return_tensors="pt")
    short = siglip2.processor.tokenizer(["a dog"], return_tensors="pt")
    assert short["input_ids"].shape == (1, 4)
    torch.testing.assert_close(
        siglip2(**short, **pixels).logits_per_image,
        siglip2(**siglip2.tokenize(["a dog"]), **pixels).logits_per_image,
    )


def test_a_tokenizer_that_pads_on_the_left_is_followed(siglip2, photos):
    siglip2.processor.tokenizer.padding_side = "left"
    ids, mask = siglip2.pad_as_trained(torch.tensor([[1, 5, 2]]), torch.ones(1, 3))
    assert mask is None
    assert ids.tolist() == [[0] * 21 + [1, 5, 2]]


def test_the_sigmoid_of_siglip_keeps_its_bias_for_captions_that_negate(siglip2, photos):
    """SigLIP's logits are probabilities of a match one by one: without the bias of -10 all would be near a half."""
    inputs = siglip2.processor.image_processor(images=photos, return_tensors="pt")
    probabilities = siglip2(**siglip2.tokenize(TEXTS), **inputs).logits_per_image.sigmoid()
    assert (probabilities < 0.05).all()


def test_lora_reaches_the_text_tower_of_siglip_2_alone(siglip2):
    names = lora_targets(siglip2.backbone)
    assert names and all(name.startswith("text_model.") for name in names)
    trained = [name for name, weight in add_lora(siglip2.backbone).named_parameters() if weight.requires_grad]
    assert trained and all(".text_model." in name for name in trained)


def test_quickgelu_stays_quickgelu_in_the_wrapped_the_saved_and_the_loaded_model(clip, processor, tmp_path):
    model = NotClipModel.from_backbone(clip, processor=processor)
    model.save_pretrained(tmp_path)
    for config in (model.backbone.config, NotClipModel.from_pretrained(tmp_path).backbone.config):
        assert config.text_config.hidden_act == "quick_gelu"
    loaded = NotClipModel.from_pretrained(tmp_path)
    loaded.processor = processor
    assert torch.equal(loaded.encode_texts(TEXTS), model.encode_texts(TEXTS))
    for layer in loaded.backbone.text_model.encoder.layers:
        layer.mlp.activation_fn = torch.nn.GELU()
    assert (loaded.encode_texts(TEXTS) - model.encode_texts(TEXTS)).abs().max() > 1e-4
