"""`notclip convert-openclip` both ways, and OpenCLIP checkpoints as they are named to the other commands."""

import importlib
import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoModel, CLIPProcessor

from notclip.openclip.architectures import ARCHITECTURES, openclip_description
from notclip.scripts import convert_openclip, score_model, train_adapter

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tiny():
    """The tiny dual encoders and the tiny dataset of the tests of modeling/."""
    return importlib.import_module("tiny_models")


@pytest.fixture(scope="module")
def base(tiny, tmp_path_factory):
    """A CLIP of transformers."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    torch.manual_seed(0)
    tiny.FAMILIES["clip"]().save_pretrained(folder)
    parts = tiny.make_processor()
    CLIPProcessor(parts.image_processor, parts.tokenizer).save_pretrained(folder)
    return folder


def convert(*arguments):
    return convert_openclip.main([str(argument) for argument in arguments])


@pytest.fixture
def openclip(base, tmp_path):
    assert convert("--model", base, "--out", tmp_path / "openclip") == 0
    return tmp_path / "openclip"


def test_to_openclip_and_back_the_weights_and_the_configuration_are_the_same(base, openclip, tmp_path, capsys):
    assert convert("--model", openclip, "--out", tmp_path / "back") == 0
    assert "a CLIPModel of 0.1 M parameters with quick_gelu" in capsys.readouterr().out
    before, after = AutoModel.from_pretrained(base), AutoModel.from_pretrained(tmp_path / "back")
    assert after.config.text_config.hidden_act == before.config.text_config.hidden_act == "quick_gelu"
    for name, tensor in before.state_dict().items():
        assert torch.equal(after.state_dict()[name], tensor), name
    assert sorted(path.name for path in openclip.iterdir()) == [
        "open_clip_config.json",
        "open_clip_model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


@pytest.fixture
def own(tmp_path):
    for name in ("red", "green", "blue"):
        Image.new("RGB", (32, 32), name).save(tmp_path / f"{name}.png")
    rows = ["red.png,a dog and no cat,a cat", "green.png,a cat and no dog,a dog", "blue.png,a car,a street"]
    (tmp_path / "own.csv").write_text("\n".join(["image,correct,wrong_1", *rows]) + "\n")
    return tmp_path / "own.csv"


def figures(model, own, out, *more):
    arguments = ["--model", str(model), "--suite", str(own), "--out", str(out), "--resamples", "0", *more]
    assert score_model.main(arguments) == 0
    return json.loads(out.read_text())


def test_score_model_gives_a_file_of_weights_the_figures_of_the_model(base, openclip, own, tmp_path, monkeypatch):
    config = AutoModel.from_pretrained(base).config
    monkeypatch.setitem(ARCHITECTURES, "ViT-tiny-quickgelu", openclip_description(config)[0])
    alone = tmp_path / "alone"
    alone.mkdir()
    torch.save({"state_dict": load_file(openclip / "open_clip_model.safetensors")}, alone / "epoch_5.pt")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (openclip / name).rename(alone / name)
    expected = figures(base, own, tmp_path / "base.json")
    named = figures(alone / "epoch_5.pt", own, tmp_path / "file.json", "--architecture", "ViT-tiny-quickgelu")
    # Of the same choices; the confidences are of other sums of floats.
    expected["metrics"]["calibration_error"] = pytest.approx(expected["metrics"]["calibration_error"], abs=1e-5)
    assert named["metrics"] == expected["metrics"]
    assert named["provenance"]["weights_sha256"] == expected["provenance"]["weights_sha256"]
    assert named["provenance"]["options"]["architecture"] == "ViT-tiny-quickgelu"


def test_train_adapter_takes_an_openclip_base_and_leaves_it_converted(openclip, tiny, tmp_path):
    data, out = tiny.write_built_dataset(tmp_path / "data"), tmp_path / "out"
    arguments = ["--base", str(openclip), "--data", str(data), "--out", str(out), "--epochs", "1", "--rank", "2"]
    assert train_adapter.main([*arguments, "--batch-images", "4", "--recall-tolerance", "1"]) in (0, 1)
    assert json.loads((out / "training.json").read_text())["base"] == str(out / "base")
    adapter = json.loads((out / "adapter" / "adapter_config.json").read_text())
    assert adapter["base_model_name_or_path"] == str(out / "base")
    assert AutoModel.from_pretrained(out / "base").config.text_config.hidden_act == "quick_gelu"
    # What was trained goes back to OpenCLIP.
    assert convert("--model", out / "model", "--out", tmp_path / "trained") == 0
    assert (tmp_path / "trained" / "open_clip_model.safetensors").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "{openclip}", "--out", "{openclip}"], "which this command reads: name another"),
        (["--model", "{base}", "--out", "{new}", "--architecture", "ViT-B-32"], "`architecture` is for OpenCLIP"),
        (["--model", "{openclip}", "--out", "{new}", "--adapter", "x"], "`adapter` is merged on the way to OpenCLIP"),
        (["--model", "{weights}", "--out", "{new}"], "name their `architecture`"),
        (["--model", "no_such.pt", "--out", "{new}"], "no_such.pt does not exist"),
    ],
)
def test_a_mistake_ends_with_status_2_and_leaves_nothing(base, openclip, tmp_path, capsys, arguments, message):
    places = {"openclip": openclip, "base": base, "new": tmp_path / "new", "weights": tmp_path / "w.safetensors"}
    save_file({"logit_scale": torch.zeros(())}, places["weights"])
    before = sorted(tmp_path.rglob("*"))
    assert convert(*(argument.format(**places) for argument in arguments)) == 2
    assert message in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before
