"""Adapters of strangers: LoRA weights are read, expressions and pickles are not."""

import json
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPProcessor

from notclip.errors import BadInputError
from notclip.export import export_adapter
from notclip.loading import load_model
from notclip.training.lora import add_lora


@pytest.fixture
def base(clip, processor, tmp_path):
    clip.save_pretrained(tmp_path / "base")
    CLIPProcessor(processor.image_processor, processor.tokenizer).save_pretrained(tmp_path / "base")
    return str(tmp_path / "base")


@pytest.fixture
def adapter(clip, base, tmp_path):
    adapted = add_lora(clip, rank=2, alpha=6)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    export_adapter(adapted, tmp_path / "adapter", base="base")
    return tmp_path / "adapter"


def said(adapter, **changes):
    file = adapter / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def embeds(base, adapter=None):
    return load_model(base, adapter=adapter).encode_texts(["a dog", "a street with no cars"])


def test_an_adapter_is_put_on_as_peft_puts_it(base, adapter):
    from peft import PeftModel
    from transformers import AutoModel

    expected = PeftModel.from_pretrained(AutoModel.from_pretrained(base), adapter).merge_and_unload().state_dict()
    found = load_model(base, adapter=adapter).backbone.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert not torch.equal(embeds(base), embeds(base, adapter))


def test_which_layers_learnt_is_read_from_the_weights_and_never_from_an_expression(base, adapter):
    before = embeds(base, adapter)
    # On 40 letters this expression takes years.
    said(adapter, target_modules=r"(.*a)*(.*a)*(.*a)*(.*a)*(.*a)*(.*a)*(.*a)*(.*a)*x")
    started = time.process_time()
    assert torch.equal(embeds(base, adapter), before)
    assert time.process_time() - started < 20


def test_each_layer_has_the_rank_of_its_weights_and_the_alpha_of_its_name(base, adapter):
    names = json.loads((adapter / "adapter_config.json").read_text())["target_modules"]
    before = embeds(base, adapter)
    # One layer's update at half the rank and half α has half the columns and the same scale.
    weights = load_file(adapter / "adapter_model.safetensors")
    first = f"base_model.model.{names[0]}"
    weights[f"{first}.lora_A.weight"][1:] = 0
    save_file(weights, adapter / "adapter_model.safetensors")
    expected = embeds(base, adapter)
    assert not torch.equal(expected, before)
    weights[f"{first}.lora_A.weight"] = weights[f"{first}.lora_A.weight"][:1].clone()
    weights[f"{first}.lora_B.weight"] = weights[f"{first}.lora_B.weight"][:, :1].clone()
    save_file(weights, adapter / "adapter_model.safetensors")
    said(adapter, alpha_pattern={names[0]: 3})
    torch.testing.assert_close(embeds(base, adapter), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alpha_pattern": {"(a+)+$": 3}}, "`alpha_pattern` .*names of modules numbers"),
        ({"modules_to_save": "logit_scale"}, "`modules_to_save` .*list of names"),
        ({"megatron_config": {"a": 1}}, "`megatron_config` does more than LoRA"),
        ({"layer_replication": [[0, 2], [0, 2]]}, "`layer_replication` does more than LoRA"),
        ({"invented_later": True}, "`invented_later` does more than LoRA"),
        ({"lora_alpha": "much"}, "`lora_alpha` .*number, got 'much'"),
        ({"lora_alpha": 10**400}, "`lora_alpha` .*number, got 1000"),
        ({"alpha_pattern": {"a": 10**400}}, "`alpha_pattern` .*names of modules numbers"),
        ({"lora_alpha": float("nan")}, "not valid JSON: NaN is no number"),
        ({"use_dora": "yes"}, "`use_dora` .*true or false"),
        ({"bias": "some"}, "`bias` .*none, all or lora_only"),
        ({"peft_type": "LOHA"}, "`peft_type` must be LORA, got 'LOHA'"),
    ],
)
def test_what_is_more_than_lora_is_refused_by_name(base, adapter, changes, message):
    said(adapter, **changes)
    with pytest.raises(BadInputError, match=rf"adapter_config\.json(:| is) {message}"):
        load_model(base, adapter=adapter)


def test_weights_that_are_no_safetensors_are_refused(base, adapter):
    weights = load_file(adapter / "adapter_model.safetensors")
    torch.save(weights, adapter / "adapter_model.bin")
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(BadInputError, match=r"adapter_model\.safetensors"):
        load_model(base, adapter=adapter)


def test_damaged_files_are_named(base, adapter):
    file = adapter / "adapter_model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInputError, match=r"adapter_model\.safetensors is damaged"):
        load_model(base, adapter=adapter)
    file.write_bytes(whole)
    (adapter / "adapter_config.json").write_text("{")
    with pytest.raises(BadInputError, match=r"adapter_config\.json line 1: not valid JSON"):
        load_model(base, adapter=adapter)


def test_an_adapter_of_another_base_is_refused_in_one_sentence(base, adapter):
    weights = load_file(adapter / "adapter_model.safetensors")
    renamed = {name.replace("text_model", "no_such_tower"): tensor for name, tensor in weights.items()}
    save_file(renamed, adapter / "adapter_model.safetensors")
    with pytest.raises(BadInputError, match=r"`adapter` .* does not fit `model` .*no_such_tower"):
        load_model(base, adapter=adapter)
    wider = {name: torch.cat([tensor, tensor]) for name, tensor in weights.items()}
    save_file(wider, adapter / "adapter_model.safetensors")
    with pytest.raises(BadInputError, match=r"`adapter` .* does not fit `model`"):
        load_model(base, adapter=adapter)


def test_an_adapter_is_written_alike_in_every_process(base, tmp_path):
    """The order of a set follows the process's own seed of hashes."""
    code = (
        "import sys, torch; from pathlib import Path; from transformers import AutoModel; "
        "from notclip.training.lora import add_lora; from notclip.export import export_adapter; torch.manual_seed(0); "
        "export_adapter(add_lora(AutoModel.from_pretrained(sys.argv[1]), rank=2), Path(sys.argv[2]), base='base')"
    )
    for seed in ("1", "2"):
        command = [sys.executable, "-c", code, base, str(tmp_path / seed)]
        environment = {"PYTHONHASHSEED": seed, "HF_HUB_OFFLINE": "1", "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
        subprocess.run(command, check=True, capture_output=True, env=environment)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
