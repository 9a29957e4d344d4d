"""From captioned scenes to a staged release by the commands, used in fresh processes without our package."""

import json
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from datasets import load_dataset
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPProcessor, PreTrainedTokenizerFast

from notclip.release_probe import TEXTS
from notclip.scripts import build_dataset, check_release, score_model, stage_release, train_adapter

WITHOUT_OUR_PACKAGE = "import sys; sys.modules['notclip'] = None\n"


def write_base(folder, texts):
    """An untrained CLIP whose tokenizer knows just the words that it will meet."""
    pieces = sorted({piece for text in texts for piece in re.findall(r"\w+|[^\w\s]+", text)})
    vocabulary = {word: index for index, word in enumerate(["[PAD]", "[BOS]", "[EOS]", "[UNK]", *pieces])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(
        single="[BOS] $A [EOS]", special_tokens=[("[BOS]", 1), ("[EOS]", 2)]
    )
    names = {"pad_token": "[PAD]", "bos_token": "[BOS]", "eos_token": "[EOS]", "unk_token": "[UNK]"}
    inputs = ["input_ids", "attention_mask"]
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=64, model_input_names=inputs, **names)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    small |= {"projection_dim": 16}
    text = small | {"vocab_size": len(vocabulary), "max_position_embeddings": 64, "eos_token_id": 2}
    vision = small | {"image_size": 32, "patch_size": 16}
    torch.manual_seed(0)
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)).save_pretrained(folder)
    sides = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    CLIPProcessor(CLIPImageProcessorPil(**sides), tokenizer).save_pretrained(folder)


def sentences(data):
    yield from TEXTS
    for config, columns in (("captions", ("caption", "negated_captions")), ("questions", ("choices",))):
        for split in ("train", "validation", "test"):
            rows = load_dataset("parquet", data_files=str(data / config / f"{split}.parquet"), split="train")
            for column in columns:
                for value in rows[column]:
                    yield from [value] if isinstance(value, str) else value
    for split in ("train", "validation", "test"):
        rows = load_dataset("parquet", data_files=str(data / "retrieval" / f"{split}.parquet"), split="train")
        for captions in rows["captions"]:
            yield from captions


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """A release made by the commands, and a folder that holds nothing else, to use it from."""
    folder = tmp_path_factory.mktemp("release")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        build = ["--source", "drawn-world", "--limit", "60", "--out", "data", "--no-progress"]
        assert build_dataset.main(build) == 0
        write_base(folder / "encoder", sentences(folder / "data"))
        train = ["--base", "encoder", "--data", "data", "--out", "trained", "--epochs", "1", "--rank", "2"]
        assert train_adapter.main([*train, "--batch-images", "16", "--batch-questions", "16"]) in (0, 1)
        for name, model in (("base", "encoder"), ("backbone", "trained/backbone"), ("notclip", "trained/model")):
            out = ["--out", f"results/{name}.json", "--resamples", "50"]
            compare = ["--compare", "results/base.json"] if name == "notclip" else []
            assert score_model.main(["--model", model, "--suite", "data", *out, *compare]) == 0
        results = [f"results/{name}.json" for name in ("base", "backbone", "notclip")]
        stage = ["--model", "trained", "--data", "data", "--namespace", "ann", "--name", "tiny", "--out", "hub"]
        assert stage_release.main([*stage, "--results", *results]) == 0
        shutil.rmtree("encoder")  # What was staged must do without it.
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    return SimpleNamespace(folder=folder, stage=folder / "hub", elsewhere=elsewhere)


def run_elsewhere(release, program):
    command = [sys.executable, "-c", WITHOUT_OUR_PACKAGE + program]
    done = subprocess.run(
        command, cwd=release.elsewhere, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_check_of_a_release_passes(release, capfd):
    assert check_release.main([str(release.stage), "--tolerance", "1e-5"]) == 0
    printed = capfd.readouterr().out
    assert "FAILED" not in printed
    assert printed.count("  ok ") == 10


def test_the_staged_model_data_and_metric_give_the_number_on_the_card(release):
    program = f"""
import json, evaluate
from datasets import load_dataset
from transformers import AutoModel

stage = {str(release.stage)!r}
model = AutoModel.from_pretrained(stage + "/model", trust_remote_code=True)
questions = load_dataset(stage + "/dataset", "questions", split="test")
kinds = questions.features["kind"].names
metric = evaluate.load(stage + "/metrics/negated_mcq")
for row in questions:
    scores = model.score([row["image"]], row["choices"])[0].tolist()
    metric.add(prediction=scores, reference=row["answer"], kinds=kinds[row["kind"]])
print(json.dumps(metric.compute(n_resamples=0)))
"""
    computed = json.loads(run_elsewhere(release, program).splitlines()[-1])
    stated = json.loads((release.folder / "results" / "notclip.json").read_text())["metrics"]
    for name in ("accuracy", "macro_accuracy"):
        assert computed[name] == pytest.approx(stated[name], abs=1e-9)
    card = (release.stage / "model" / "README.md").read_text()
    assert f"{100 * computed['macro_accuracy']:.1f} [" in card


@pytest.mark.parametrize("folder", ["model", "backbone", "adapter", "base", "dataset"])
def test_the_code_on_a_card_runs_as_printed(release, folder):
    rows = load_dataset(str(release.stage / "dataset"), "captions", split="test", cache_dir=release.folder / "cache")
    for number, row in ((1, 0), (2, len(rows) - 1)):
        rows[row]["image"].convert("RGB").save(release.elsewhere / f"photo_{number}.jpg")
    code = "".join(re.findall(r"```python\n(.*?)```", (release.stage / folder / "README.md").read_text(), re.DOTALL))
    for repo in json.loads((release.stage / "manifest.json").read_text())["repos"]:
        code = code.replace(f'"{repo["repo_id"]}"', repr(str(release.stage / repo["folder"])))
    assert "ann/" not in code
    assert run_elsewhere(release, code).strip()
