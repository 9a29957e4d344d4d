"""OpenCLIP's checkpoints both ways, against open_clip itself on random weights.

open_clip is installed without its dependencies (tests/openclip_requirements.txt), since it would bring torchvision;
the tests that run it skip where it is absent.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import CLIPModel, SiglipConfig, SiglipModel

from notclip.errors import BadInputError
from notclip.loading import load_model
from notclip.openclip import architectures as openclip_architectures
from notclip.openclip.architectures import (
    ARCHITECTURES,
    TIMM_TOWERS,
    TimmTower,
    describe_architecture,
    openclip_description,
    transformers_config,
)
from notclip.openclip.convert import clip_tokenizer, installed_vocabulary, load_openclip, save_openclip
from notclip.openclip.files import read_weights

needs_open_clip = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("open_clip", "timm", "ftfy")),
    reason="needs open_clip: pip install --no-deps -r tests/openclip_requirements.txt",
)
TEXTS = ["a street, no cars", "A Dog's  ball isn't here!!", "naïve café 123 — 日本", "photo of\na beach w/o people"]
TEXT = {"context_length": 12, "vocab_size": 60, "width": 32, "heads": 4, "layers": 2}
TINY_TOWERS = {
    "vit_tiny_exact_siglip_32": TimmTower(16, 32, 2, 4, 2.0, "gelu"),
    "vit_tiny_tanh_siglip_32": TimmTower(16, 32, 2, 2, 2.0, "gelu_pytorch_tanh"),
}


def clip_description(**more):
    vision = {"image_size": 32, "layers": 2, "width": 32, "patch_size": 16, "head_width": 8}
    return {"embed_dim": 16, "vision_cfg": vision, "text_cfg": TEXT, **more}


def siglip_description(tower, **text):
    text_cfg = TEXT | text
    text_cfg |= {"no_causal_mask": True, "proj_bias": True, "pool_type": "last", "norm_kwargs": {"eps": 1e-6}}
    return openclip_architectures.siglip_description(32, tower, 32, text_cfg)


DESCRIPTIONS = {
    "clip": clip_description(),
    "clip-quickgelu": clip_description(quick_gelu=True),
    "clip-custom-text": clip_description(custom_text=True),
    "clip-vocabulary": clip_description(text_cfg=TEXT | {"vocab_size": 49408}),
    "clip-eos": clip_description(text_cfg=TEXT | {"pool_type": "eos", "eos_id": 59}),
    "siglip": siglip_description("vit_tiny_exact_siglip_32"),
    "siglip2": siglip_description("vit_tiny_tanh_siglip_32", act_kwargs={"approximate": "tanh"}),
}


@pytest.fixture(scope="module")
def small_towers():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openclip_architectures, "TIMM_TOWERS", {**TIMM_TOWERS, **TINY_TOWERS})
        yield


def inputs(vocabulary=60):
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(1, 58, (3, 12), generator=generator)
    for row, length in enumerate((4, 12, 7)):  # the end of text is the largest id, then come zeros
        tokens[row, length - 1], tokens[row, length:] = vocabulary - 1, 0
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
        vocabulary = DESCRIPTIONS.get(name, DESCRIPTIONS["clip"])["text_cfg"]["vocab_size"]
        torch.save(inputs(vocabulary), folder / name / "inputs.pt")
    sizes = {
        name: {"patch_size": tower.patch, "embed_dim": tower.width, "depth": tower.layers, "num_heads": tower.heads}
        | {
            "img_size": 32,
            "mlp_ratio": tower.mlp_ratio,
            "act_layer": {"gelu": "gelu"}.get(tower.activation, "gelu_tanh"),
        }
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
    computed, given = (torch.load(folder / name, weights_only=True) for name in ("computed.pt", "inputs.pt"))
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
    tokenizer = clip_tokenizer(installed_vocabulary())
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
    save_openclip(backbone, processor, tmp_path / "openclip")
    back, read = load_openclip(tmp_path / "openclip")
    assert back.config.to_diff_dict()["text_config"] == backbone.config.to_diff_dict()["text_config"]
    assert back.config.to_diff_dict()["vision_config"] == backbone.config.to_diff_dict()["vision_config"]
    for weight, tensor in backbone.state_dict().items():
        assert torch.equal(back.state_dict()[weight], tensor), weight
    assert read.tokenizer("a dog")["input_ids"] == processor.tokenizer("a dog")["input_ids"]
    assert read.image_processor.image_mean == processor.image_processor.image_mean


def test_siglip_keeps_its_bias_and_its_scale(small_towers, processor, tmp_path):
    backbone = SiglipModel(transformers_config(DESCRIPTIONS["siglip"]))
    torch.nn.init.constant_(backbone.logit_bias, -12.5)
    torch.nn.init.constant_(backbone.logit_scale, 4.25)
    save_openclip(backbone, processor, tmp_path / "openclip")
    written = load_file(tmp_path / "openclip" / "open_clip_model.safetensors")
    assert (written["logit_bias"].shape, written["logit_bias"].item()) == ((), -12.5)
    model = load_model(str(tmp_path / "openclip"))
    assert (model.backbone.logit_bias.item(), model.logit_scale.item()) == (-12.5, 4.25)


def test_a_siglip_whose_gelu_timm_lacks_is_written_and_the_difference_said(small_towers, processor, tmp_path):
    config = transformers_config(DESCRIPTIONS["siglip"])
    config.vision_config.hidden_act = "gelu_pytorch_tanh"
    (said,) = save_openclip(SiglipModel(config), processor, tmp_path / "openclip")
    assert "gelu_pytorch_tanh" in said and "vit_tiny_exact_siglip_32" in said


@pytest.fixture
def weights(tmp_path, processor, monkeypatch):
    """A file of weights alone, of an architecture known by name, beside the tokenizer."""
    monkeypatch.setitem(ARCHITECTURES, "ViT-tiny", DESCRIPTIONS["clip"])
    monkeypatch.setitem(ARCHITECTURES, "ViT-tiny-quickgelu", DESCRIPTIONS["clip-quickgelu"])
    other = clip_description()
    other["vision_cfg"] = other["vision_cfg"] | {"patch_size": 8}
    monkeypatch.setitem(ARCHITECTURES, "ViT-other", other)
    folder = tmp_path / "written"
    save_openclip(CLIPModel(transformers_config(DESCRIPTIONS["clip-quickgelu"])), processor, folder)
    (folder / "open_clip_config.json").unlink()
    return folder / "open_clip_model.safetensors"


def test_the_name_of_the_architecture_decides_the_gelu(weights):
    for name, activation in (("ViT-tiny", "gelu"), ("ViT-tiny-quickgelu", "quick_gelu")):
        backbone, _ = load_openclip(weights, architecture=name)
        assert {backbone.config.text_config.hidden_act, backbone.config.vision_config.hidden_act} == {activation}


def test_pixels_are_normalised_as_asked_for(weights):
    for normalization, mean in ((None, 0.48145466), ("openai", 0.48145466), ("inception", 0.5)):
        _, read = load_openclip(weights, architecture="ViT-tiny", normalization=normalization)
        assert read.image_processor.image_mean[0] == mean


class Payload:
    def __reduce__(self):
        return (Path.touch, (Path("was-run"),))


@pytest.mark.parametrize(
    ("what", "architecture", "message"),
    [
        ("weights", None, "name their `architecture`"),
        ("weights", "ViT-tiny-quickgel", "Did you mean ViT-tiny-quickgelu"),
        ("weights", "ViT-other", r"`visual.conv1.weight`.*of shape \(32, 3, 16, 16\), not \(32, 3, 8, 8\)|of shape"),
        ("pickle", "ViT-tiny", "as plain tensors"),
        ("torchscript", "ViT-tiny", "as plain tensors"),
        ("damaged", "ViT-tiny", "as plain tensors"),
        ("transformers", "ViT-tiny", "weights of transformers, .*the folder"),
        ("more", "ViT-tiny", "'visual.attn_pool.query', .*no place"),
        ("absent", "ViT-tiny", "does not exist"),
    ],
)
def test_what_cannot_be_loaded_is_refused_and_nothing_is_run(
    weights, tmp_path, monkeypatch, what, architecture, message
):
    monkeypatch.chdir(tmp_path)
    file = weights.with_name(f"{what}.pt")
    state = load_file(weights)
    if what == "weights":
        file = weights
    elif what == "pickle":
        torch.save({"state_dict": state, "args": Payload()}, file)
    elif what == "torchscript":
        torch.jit.script(torch.nn.Linear(2, 2)).save(file)
    elif what == "damaged":
        file.write_bytes(b"\x80\x02no checkpoint")
    elif what == "transformers":
        torch.save(CLIPModel(transformers_config(DESCRIPTIONS["clip"])).state_dict(), file)
    elif what == "more":
        torch.save(state | {"visual.attn_pool.query": torch.zeros(2)}, file)
    with pytest.raises(BadInputError, match=message):
        load_model(str(file), architecture=architecture)
    assert not Path("was-run").exists()


@pytest.mark.parametrize(
    ("inside", "wrapped"),
    [
        ((), ""),
        (("state_dict",), "module."),  # OpenCLIP's own, of several processes
        (("model",), ""),
        (("model",), "_orig_mod."),  # torch.compile
        (("state_dict",), "model._orig_mod.module."),  # Lightning, of all three
        (("module", "model_state_dict"), "clip."),
    ],
)
def test_a_trainers_checkpoint_is_read_wherever_it_keeps_the_weights(weights, inside, wrapped):
    state = load_file(weights)
    content = {f"{wrapped}{name}": tensor for name, tensor in state.items()}
    if wrapped:
        content["criterion.margin"] = torch.zeros(1)
    for name in inside:
        content = {"epoch": 3, "optimizer": {"lr": 0.1}, name: content}
    file = weights.with_name("epoch=3.ckpt")
    torch.save(content, file)
    read = read_weights(file)
    assert read.keys() == state.keys()
    assert all(torch.equal(read[name], state[name]) for name in state)
    load_model(str(file), architecture="ViT-tiny")


def test_a_checkpoint_of_two_models_is_refused_by_their_names(weights):
    state = load_file(weights)
    both = {f"{model}.{name}": tensor for model in ("student", "teacher") for name, tensor in state.items()}
    torch.save({"state_dict": both}, weights.with_name("both.ckpt"))
    with pytest.raises(BadInputError, match=r"holds 2 models \(student\., teacher\.\)"):
        load_model(str(weights.with_name("both.ckpt")), architecture="ViT-tiny")


@pytest.mark.parametrize("wrong", [{"embed_dim": "wide"}, {"vision_cfg": 3}, {"text_cfg": {"width": 10**12}}])
def test_a_description_that_no_model_has_is_refused_before_it_takes_memory(weights, wrong):
    content = {"model_cfg": clip_description() | wrong}
    weights.with_name("open_clip_config.json").write_text(json.dumps(content))
    with pytest.raises(BadInputError):
        load_model(str(weights.parent))


def test_what_transformers_cannot_compute_is_refused():
    coca = clip_description()
    coca["vision_cfg"] = coca["vision_cfg"] | {"attentional_pool": True}
    with pytest.raises(BadInputError, match=r"`attentional_pool`.* True"):
        transformers_config(coca)
    with pytest.raises(BadInputError, match=r"'vit_medium' .* none of SigLIP's"):
        transformers_config(siglip_description("vit_medium"))


def test_a_model_of_another_kind_does_not_go_to_openclip(vision_text, processor, tmp_path):
    with pytest.raises(BadInputError, match="'vision-text-dual-encoder' does not convert"):
        save_openclip(vision_text, processor, tmp_path / "openclip")
    assert list(tmp_path.iterdir()) == []


def test_an_architecture_is_not_taken_for_a_model_that_says_itself_what_it_is(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(BadInputError, match="`architecture` is for OpenCLIP checkpoints"):
        load_model(str(tmp_path), architecture="ViT-B-32")
