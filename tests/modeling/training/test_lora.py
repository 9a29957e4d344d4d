import re

import pytest
import torch
from transformers import CLIPConfig, CLIPModel

from notclip.training.lora import add_full_copies, add_lora, learning_towers, lora_targets


def test_only_the_text_tower_learns(backbone):
    adapted = add_lora(backbone, rank=2, alpha=4)
    learning = {name for name, parameter in adapted.named_parameters() if parameter.requires_grad}
    assert learning
    assert all(".text_model." in name or ".text_projection." in name for name in learning)


@pytest.mark.parametrize("towers", ["text", "image", "both"])
@pytest.mark.parametrize("add", [add_lora, add_full_copies])
def test_the_towers_that_are_named_learn_and_no_other(backbone, towers, add):
    learning = learning_towers(add(backbone, towers=towers))
    assert learning == (("text", "image") if towers == "both" else (towers,))


def test_full_weights_are_merged_and_taken_away_as_an_adapter_is(backbone):
    tokens = torch.tensor([[1, 5, 9, 2]])
    before = backbone.get_text_features(input_ids=tokens).pooler_output
    adapted = add_full_copies(backbone, towers="both").eval()
    texts = sum(p.numel() for name, p in adapted.named_parameters() if p.requires_grad and ".text_model." in name)
    assert texts == sum(p.numel() for p in adapted.base_model.model.text_model.original_module.parameters())
    with torch.no_grad():
        for parameter in adapted.parameters():
            if parameter.requires_grad:
                parameter.mul_(1.1)
    after = adapted.get_text_features(input_ids=tokens).pooler_output
    assert not torch.allclose(after, before, atol=1e-3)
    with adapted.disable_adapter():
        assert torch.equal(adapted.get_text_features(input_ids=tokens).pooler_output, before)
    merged = adapted.merge_and_unload()
    assert torch.equal(merged.get_text_features(input_ids=tokens).pooler_output, after)


def test_a_convolution_of_one_pixel_is_a_linear_layer():
    from transformers import BertConfig, MobileNetV2Config, VisionTextDualEncoderConfig, VisionTextDualEncoderModel

    text = BertConfig(vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2)
    vision = MobileNetV2Config(depth_multiplier=0.25, image_size=32)
    vision.hidden_size = 1280  # of its last layer, which the dual encoder asks for
    config = VisionTextDualEncoderConfig.from_vision_text_configs(vision, text, projection_dim=16)
    targets = lora_targets(VisionTextDualEncoderModel(config), towers="image")
    assert "visual_projection" in targets and "vision_model.conv_stem.reduce_1x1.convolution" in targets
    assert not any("3x3" in name or name.startswith("text") for name in targets)


def test_an_untrained_adapter_changes_nothing(backbone):
    tokens = torch.tensor([[1, 5, 9, 2]])
    before = backbone.get_text_features(input_ids=tokens).pooler_output
    after = add_lora(backbone, rank=2, alpha=4).eval().get_text_features(input_ids=tokens).pooler_output
    torch.testing.assert_close(after, before)


@pytest.mark.parametrize("variant", ["lora", "dora", "rslora"])
def test_merged_weights_score_as_the_adapter_does(clip, variant):
    adapted = add_lora(clip, rank=2, alpha=4, variant=variant).eval()
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    tokens = torch.tensor([[1, 5, 9, 2]])
    before = adapted.get_text_features(input_ids=tokens).pooler_output
    after = adapted.merge_and_unload().get_text_features(input_ids=tokens).pooler_output
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-4)


def test_rank_zero_is_refused(clip):
    with pytest.raises(ValueError, match="`rank` must be at least 1, got 0"):
        add_lora(clip, rank=0)


def test_a_backbone_without_a_text_tower_is_refused(clip):
    with pytest.raises(ValueError, match=r"`text_model`, got Linear"):
        lora_targets(torch.nn.Linear(2, 2))


def test_attention_alone_leaves_the_layers_behind_it_frozen(backbone):
    everything, attention = lora_targets(backbone), lora_targets(backbone, "attention")
    left_out = set(everything) - set(attention)
    assert left_out and all("mlp" in name or "dense" in name for name in left_out)
    assert not any("attention" in name or "attn" in name for name in left_out)


def test_the_upper_half_leaves_the_first_blocks_frozen(backbone):
    left_out = set(lora_targets(backbone)) - set(lora_targets(backbone, "upper_half"))
    assert left_out and all(".0." in name for name in left_out)  # of two blocks


@pytest.mark.parametrize(("layers", "first"), [("upper_half", 6), ("upper_quarter", 9)])
def test_of_twelve_blocks_the_last_ones_learn(layers, first):
    with torch.device("meta"):
        model = CLIPModel(CLIPConfig())
    learnt = {int(match[1]) for name in lora_targets(model, layers) if (match := re.search(r"layers\.(\d+)\.", name))}
    assert learnt == set(range(first, 12))
