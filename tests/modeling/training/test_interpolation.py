import torch
from torch import nn

from notclip.training.interpolation import BestShare, keep_share, update_of
from notclip.training.lora import add_full_copies, add_lora


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


def test_half_of_what_full_weights_moved_by_lies_between_them_and_the_base(clip):
    model = add_full_copies(clip).eval()
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    before = [weight.detach().clone() for weight in weights]
    with torch.no_grad():
        for weight in weights:
            weight.add_(0.5)
    with update_of(model, 0.5):
        for weight, start in zip(weights, before, strict=True):
            torch.testing.assert_close(weight, start + 0.25)
    for weight, start in zip(weights, before, strict=True):
        assert torch.equal(weight, start + 0.5)


def test_the_share_that_gains_most_is_told_and_the_model_left_as_it_was(clip):
    model, texts = adapted(clip), {"input_ids": torch.tensor([[0, 5, 7, 1]])}
    whole = moved(model, texts)
    start = {"macro_accuracy": 0.5, "recall_at_5": 0.5}

    def judge(model):
        # The further a text has moved, the more is learnt and forgotten.
        return {"macro_accuracy": 0.5 + moved(model, texts), "recall_at_5": 0.5 - 0.01 * moved(model, texts) / whole}

    told = BestShare(judge, lambda: start, recall_tolerance=0.007)(model)
    assert told["update_share"] == 0.5 and told["macro_accuracy"] < 0.5 + 0.7 * whole
    assert BestShare(judge, lambda: start, recall_tolerance=0.02)(model)["update_share"] == 1.0
    assert BestShare(judge, lambda: None, recall_tolerance=0.0)(model)["update_share"] == 1.0
    assert moved(model, texts) == whole
    keep_share(model, 0.25)
    assert moved(model, texts) < 0.5 * whole
