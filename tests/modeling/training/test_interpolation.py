import torch
from torch import nn

from notclip.training.interpolation import best_share, keep_share, update_of
from notclip.training.lora import add_lora


def moved(model, texts) -> float:
    """How far the adapter moves the first of the texts' features."""
    with torch.no_grad():
        own = model.get_text_features(**texts).pooler_output
        with model.disable_adapter():
            base = model.get_text_features(**texts).pooler_output
    return (own - base).norm().item()


def adapted(clip, seed=0):
    torch.manual_seed(seed)
    model = add_lora(clip, rank=2, alpha=2)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.02)
    return model.eval()


def test_half_an_update_moves_a_text_about_half_as_far(clip):
    model, texts = adapted(clip), {"input_ids": torch.tensor([[0, 5, 7, 1]])}
    whole = moved(model, texts)
    with update_of(model, 0.5):
        assert 0.3 * whole < moved(model, texts) < 0.7 * whole
    with update_of(model, 0.0):
        assert moved(model, texts) == 0
    assert moved(model, texts) == whole


def test_the_share_that_is_worth_most_is_found_and_the_model_left_as_it_was(clip):
    model, texts = adapted(clip), {"input_ids": torch.tensor([[0, 5, 7, 1]])}
    whole = moved(model, texts)
    assert best_share(model, lambda: -abs(moved(model, texts) - 0.5 * whole)) == 0.5
    assert best_share(model, lambda: 1.0) == 1.0
    assert moved(model, texts) == whole
    keep_share(model, 0.25)
    assert moved(model, texts) < 0.5 * whole
