"""Where numbers come from: the role of the scored model in a release, recorded when it is scored."""

import json
from dataclasses import dataclass

import pytest
import torch

from notclip.provenance import provenance_of, weights_sha256
from notclip.remote.composition_notclip import image_statistics
from notclip.remote.modeling_notclip import NotClipModel


@dataclass(frozen=True)
class Options:
    model: str
    adapter: str | None = None
    seed: int = 0


def role(model, named="openai/clip", **options):
    return provenance_of(model, Options(str(named), **options), ["score"])["role"]


@pytest.fixture
def plain(clip, processor):
    return NotClipModel.from_backbone(clip, processor=processor, composition="none")


def test_a_plain_encoder_is_the_base_and_with_an_adapter_the_merged_backbone(plain):
    assert role(plain) == "base"
    assert role(plain, adapter="lora") == "backbone"
    plain.config.composition = "scope"
    assert role(plain) == "composition"


def test_a_model_with_statistics_of_photos_is_notclip_and_with_nothing_composed_its_backbone(clip, processor):
    model = NotClipModel.from_backbone(clip, processor=processor, composition="scope")
    embeds = torch.nn.functional.normalize(torch.randn(200, model.config.embedding_dim), dim=-1)
    model.set_statistics(image_statistics(embeds))
    assert role(model) == "notclip"
    model.config.composition = "none"
    assert role(model) == "backbone"


@pytest.mark.parametrize("beside", [True, False])
def test_weights_that_training_recorded_as_merged_are_the_backbone(plain, tmp_path, beside):
    folder = tmp_path / "backbone"
    folder.mkdir()
    record = (tmp_path if beside else folder) / "training.json"
    record.write_text(json.dumps({"weights_sha256": {"base": "b" * 64, "backbone": weights_sha256(plain)}}))
    assert role(plain, folder) == "backbone"
    record.write_text(json.dumps({"weights_sha256": {"base": "b" * 64, "backbone": "c" * 64}}))
    assert role(plain, folder) == "base"


def test_an_adapter_is_known_by_its_file(plain, tmp_path):
    (tmp_path / "adapter_model.safetensors").write_bytes(b"x")
    made_of = provenance_of(plain, Options("openai/clip", adapter=str(tmp_path)), ["score"])
    assert made_of["adapter_sha256"] == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
