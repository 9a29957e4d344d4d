"""OpenCLIP's checkpoints both ways, against open_clip itself on random weights.

open_clip is installed without its dependencies (tests/openclip_requirements.txt), since it would bring torchvision; the
tests that run it skip where it is absent.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPModel, SiglipConfig, SiglipModel

from notclip import openclip_architectures
from notclip.errors import BadInputError
from notclip.loading import load_model
from notclip.openclip import _installed_vocabulary, clip_tokenizer, load_openclip, save_openclip
from notclip.openclip_architectures import (
    ARCHITECTURES,
    TIMM_TOWERS,
    TimmTower,
    describe_architecture,
    openclip_description,
    transformers_config,
)

needs_open_clip = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("open_clip", "timm", "ftfy")),
    reason="needs open_clip: pip install --no-deps -r tests/openclip_requirements.txt",
)
TEXTS = ["a street, no cars", "A Dog's  ball isn't here!!", "naïve café 123 — 日本", "photo of\na beach w/o people"]
TINY_TOWERS = {
    "vit_tiny_exact_siglip_32": TimmTower(16, 32, 2, 4, 2.0, "gelu"),
    "vit_tiny_tanh_siglip_32": TimmTower(16, 32, 2, 2, 2.0, "gelu_pytorch_tanh"),
}


def clip_description(**more):
    vision = {"image_size": 32, "layers": 2, "width": 32, "patch_size": 16, "head_width": 8}
    text = {"context_length": 12, "vocab_size": 60, "width": 32, "heads": 4, "layers": 2}
    return {"embed_dim": 16, "vision_cfg": vision, "text_cfg": text, **more}


def siglip_description(tower, **text):
    text_cfg = {"context_length": 12, "vocab_size": 60, "width": 32, "heads": 4, "layers": 2, **text}
    text_cfg |= {"no_causal_mask": True, "proj_bias": True, "pool_type": "last", "norm_kwargs": {"eps": 1e-6}}
    return openclip_architectures._siglip_description(32, tower, 32, text_cfg)


DESCRIPTIONS = {
    "clip": clip_description(),
    "clip-quickgelu": clip_description(quick_gelu=True),
    "clip-custom-text": clip_description(custom_text=True),
    "siglip": siglip_description("vit_tiny_exact_siglip_32"),
    "siglip2": siglip_description("vit_tiny_tanh_siglip_32", act_kwargs={"approximate": "tanh"}),
}


@pytest.fixture(scope="module")
def small_towers():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openclip_architectures, "TIMM_TOWERS", {**TIMM_TOWERS, **TINY_TOWERS})
        yield


def inputs():
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(1, 58, (3, 12), generator=generator)
    for row, length in enumerate((4, 12, 7)):  # the end of text is the largest id, then come zeros
        tokens[row, length - 1], tokens[row, length:] = 59, 0
    return {"pixels": torch.randn(2, 3, 32, 32, generator=generator), "tokens": tokens}


def written_models(processor):
    """Models of transformers that are written for OpenCLIP to read."""
    torch.manual_seed(2)
    quick = CLIPModel(transformers_config(clip_description(quick_gelu=True)))
    config = transformers_config(DESCRIPTIONS["siglip2"])
    return {"written-clip": quick.eval(), "written-siglip2": SiglipModel(config).eval()}


@pytest.fixture(scope="module")
def asked(tmp_path_factory, small_towers, module_processor):
    """One process of open_clip that answers everything: its folder."""
    folder = tmp_path_factory.mktemp("openclip")
    written = written_models(module_processor)
    for name, description in DESCRIPTIONS.items():
        (folder / name).mkdir()
        (folder / name / "open_clip_config.json").write_text(json.dumps({"model_cfg": description}))
    for name, backbone in written.items():
        assert save_openclip(backbone, module_processor, folder / name) == []
    for name in (*DESCRIPTIONS, *written):
        torch.save(inputs(), folder / name / "inputs.pt")
    sizes = {
        name: {"patch_size": tower.patch, "embed_dim": tower.width, "depth": tower.layers, "num_heads": tower.heads}
        | {"img_size": 32, "mlp_ratio": tower.mlp_ratio, "act_layer": {"gelu": "gelu"}.get(tower.activation, "gelu_tanh")}
        for name, tower in TINY_TOWERS.items()
    }
    request = {"models": [*DESCRIPTIONS, *written], "towers": sizes, "texts": TEXTS}
    request |= {"architectures": list(ARCHITECTURES), "timm": list(TIMM_TOWERS)}
    (folder / "request.json").write_text(json.dumps(request))
    program = Path(__file__).with_name("openclip_reference.py")
    done = subprocess.run([sys.executable, str(program), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def answer(asked):
    return json.loads((asked / "answer.json").read_text())


def assert_computes_what_open_clip_computed(backbone, folder):
    computed, given = torch.load(folder / "computed.pt", weights_only=True), inputs()
    with torch.no_grad():
        text = backbone.get_text_features(input_ids=given["tokens"]).pooler_output
        image = backbone.get_image_features(pixel_values=given["pixels"]).pooler_output
        logits = backbone(input_ids=given["tokens"], pixel_values=given["pixels"]).logits_per_image
    torch.testing.assert_close(text, computed["text"], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(image, computed["image"], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(logits, computed["logits"], atol=1e-4, rtol=1e-5)


@needs_open_clip
@pytest.mark.parametrize("name", sorted(DESCRIPTIONS))
def test_a_converted_checkpoint_computes_what_open_clip_computes(asked, name, processor, tmp_path):
    tokenizer = tmp_path / "tokenizer"
    processor.tokenizer.save_pretrained(tokenizer)
    backbone, _ = load_openclip(asked / name / "epoch_1.pt", tokenizer=str(tokenizer))
    assert_computes_what_open_clip_computed(backbone, asked / name)


@needs_open_clip
@pytest.mark.parametrize("name", ["written-clip", "written-siglip2"])
def test_open_clip_computes_what_the_written_model_computes(asked, name, processor):
    assert_computes_what_open_clip_computed(written_models(processor)[name], asked / name)


@needs_open_clip
def test_quickgelu_is_another_model_than_gelu(asked, processor, tmp_path):
    processor.tokenizer.save_pretrained(tmp_path)
    quick, _ = load_openclip(asked / "clip-quickgelu" / "epoch_1.pt", tokenizer=str(tmp_path))
    for tower in (quick.config.text_config, quick.config.vision_config):
        assert tower.hidden_act == "quick_gelu"
        tower.hidden_act = "gelu"
    plain = CLIPModel(quick.config)
    plain.load_state_dict(quick.state_dict())
    computed = torch.load(asked / "clip-quickgelu" / "computed.pt", weights_only=True)
    text = plain.eval().get_text_features(input_ids=inputs()["tokens"]).pooler_output
    assert (text - computed["text"]).abs().max() > 1e-3


@needs_open_clip
def test_the_architectures_are_described_as_open_clip_describes_them(answer):
    assert answer["architectures"] == ARCHITECTURES


@needs_open_clip
def test_timms_towers_have_the_sizes_and_the_gelu_that_are_written_down(answer):
    for name, tower in TIMM_TOWERS.items():
        activation = {"gelu": "GELU", "gelu_pytorch_tanh": "GELUTanh"}[tower.activation]
        inner = int(tower.width * tower.mlp_ratio)
        assert answer["activations"][name] == [
            tower.patch, tower.width, tower.layers, tower.heads, inner, activation,
        ], name  # fmt: skip


@needs_open_clip
def test_texts_are_split_as_open_clip_splits_them(answer):
    tokenizer = clip_tokenizer(_installed_vocabulary())
    for text, expected in zip(TEXTS, answer["tokens"], strict=True):
        end = expected.index(max(expected)) + 1
        assert tokenizer(text)["input_ids"] == expected[:end], text


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_every_architecture_comes_back_from_transformers_as_it_was(name):
    description = describe_architecture(name)
    back, differences = openclip_description(transformers_config(description))
    assert differences == []
    assert transformers_config(back).to_dict() == transformers_config(description).to_dict()


@pytest.mark.parametrize("name", ["clip-quickgelu", "siglip2"])
def test_there_and_back_every_weight_is_the_same(name, small_towers, processor, tmp_path):
    config = transformers_config(DESCRIPTIONS[name])
    backbone = (SiglipModel if isinstance(config, SiglipConfig) else CLIPModel)(config)
    save_openclip(backbone, processor, tmp_path)
    back, read = load_openclip(tmp_path)
    assert back.config.to_diff_dict()["text_config"] == backbone.config.to_diff_dict()["text_config"]
    assert back.config.to_diff_dict()["vision_config"] == backbone.config.to_diff_dict()["vision_config"]
    for weight, tensor in backbone.state_dict().items():
        assert torch.equal(back.state_dict()[weight], tensor), weight
    assert read.tokenizer("a dog")["input_ids"] == processor.tokenizer("a dog")["input_ids"]
    assert read.image_processor.image_mean == processor.image_processor.image_mean
