"""What `save_pretrained` and `push_to_hub` write, used in fresh processes: with and without this package."""

import json
import subprocess
import sys

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import CLIPProcessor

from notclip.hub_cards.rehearsal.fresh_process import user_environment
from notclip.loading import load_model
from notclip.loopback_hub.accounts import Account
from notclip.loopback_hub.hub import LoopbackHub
from notclip.loopback_hub.server import serve
from notclip.remote.reading_tagger import Tagger
from notclip.scripts import score_model

TEXTS = ["a dog", "a street with no cars", "there is no dog"]
# What a user without this package does; the last argument is where the model is written once more.
PROGRAM = """
import json, sys
from PIL import Image
from transformers import AutoModel
name, out = sys.argv[1:]
images, texts = [Image.new("RGB", (40, 30), colour) for colour in ("red", "green")], json.load(sys.stdin)
model = AutoModel.from_pretrained(name, trust_remote_code=True)
scores = model.score(images, texts)
from sentence_transformers import SentenceTransformer
encoder = SentenceTransformer(name, trust_remote_code=True)
similarities = encoder.similarity(encoder.encode(images), encoder.encode(texts))
model.save_pretrained(out)
assert not any(module.partition(".")[0] == "notclip" for module in sys.modules)
print(json.dumps([scores.tolist(), similarities.tolist()]))
"""
PUSHES = """
import sys
from notclip import NotClipModel
NotClipModel.from_pretrained(sys.argv[1]).push_to_hub("ann/model")
"""
CODED = """
from transformers import CLIPConfig, CLIPModel
class CodedConfig(CLIPConfig):
    model_type = "coded"
class CodedModel(CLIPModel):
    config_class = CodedConfig
"""
LOADS = """
import sys
from notclip.errors import BadInputError
from notclip.loading import load_model
try:
    print(type(load_model("ann/coded", trust_remote_code=sys.argv[1]).backbone).__name__)
except BadInputError as error:
    print(error)
"""


@pytest.fixture
def hub(tmp_path):
    hub = LoopbackHub(tmp_path / "disk", [Account("ann")])
    with serve(hub):
        yield hub


@pytest.fixture
def plain(clip, processor, tmp_path):
    clip.save_pretrained(tmp_path / "plain")
    CLIPProcessor(processor.image_processor, processor.tokenizer).save_pretrained(tmp_path / "plain")
    return tmp_path / "plain"


@pytest.fixture
def saved(plain, tmp_path):
    load_model(str(plain), composition="scope").save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


def fresh(code, *arguments, home, hub=None, given=""):
    home.mkdir(exist_ok=True)
    environment = user_environment(home, endpoint=None if hub is None else hub.url) | {"OMP_NUM_THREADS": "1"}
    if hub is not None:
        environment |= {"HF_TOKEN": hub.accounts[0].token, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "0"}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, check=False, env=environment, cwd=home, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def expected_scores(folder):
    images = [Image.new("RGB", (40, 30), colour) for colour in ("red", "green")]
    return load_model(str(folder)).score(images, TEXTS)


def test_a_saved_folder_loads_without_the_package_opens_in_sentence_transformers_and_saves_itself(saved, tmp_path):
    printed = fresh(PROGRAM, saved, tmp_path / "again", home=tmp_path / "home", given=json.dumps(TEXTS))
    for scores in json.loads(printed):
        torch.testing.assert_close(torch.tensor(scores), expected_scores(saved), atol=1e-5, rtol=0)
    assert contents(tmp_path / "again") == contents(saved)


def test_a_model_carries_its_reader_and_asks_the_hub_for_nothing_else(saved, hub, tmp_path):
    assert {"negation_scope.py", "reading_tagger.py", "reading_words.py"} <= contents(saved).keys()
    carried = load_file(saved / "model.safetensors")["reader"]
    assert carried.numpy().tobytes() == Tagger.default_bytes()
    fresh(PUSHES, saved, home=tmp_path / "pusher", hub=hub)
    hub.log.clear()
    reads = (
        "from transformers import AutoModel; import sys; "
        "model = AutoModel.from_pretrained('ann/model', trust_remote_code=True); "
        "print(model.read(['a street with no cars'])[0].negated)"
    )
    assert fresh(reads, home=tmp_path / "user", hub=hub) == "('cars',)"
    asked = {path for _, path in hub.log if "agent-harnesses" not in path}
    assert asked and all("ann/model" in path for path in asked)


def test_a_pushed_model_is_the_saved_folder_and_is_used_and_saved_from_the_hub(saved, hub, tmp_path):
    fresh(PUSHES, saved, home=tmp_path / "pusher", hub=hub)
    printed = fresh(PROGRAM, "ann/model", tmp_path / "again", home=tmp_path / "user", hub=hub, given=json.dumps(TEXTS))
    for scores in json.loads(printed):
        torch.testing.assert_close(torch.tensor(scores), expected_scores(saved), atol=1e-5, rtol=0)
    assert contents(tmp_path / "again") == contents(
        saved
    )  # classes by the names of its own files, not of the repository


def test_a_saved_folder_is_scored_by_the_command(saved, tmp_path):
    Image.new("RGB", (32, 32), "red").save(tmp_path / "red.png")
    (tmp_path / "own.csv").write_text("image,correct,wrong_1\nred.png,a dog and no cat,a cat and no dog\n")
    out = tmp_path / "out.json"
    assert score_model.main(["--model", str(saved), "--suite", str(tmp_path / "own.csv"), "--out", str(out)]) == 0
    assert json.loads(out.read_text())["provenance"]["composition"] == "scope"


def test_code_runs_at_the_commit_that_was_allowed_whatever_came_after(plain, hub, tmp_path):
    content = json.loads((plain / "config.json").read_text())
    classes = {"AutoConfig": "coded.CodedConfig", "AutoModel": "coded.CodedModel"}
    content |= {"model_type": "coded", "architectures": ["CodedModel"], "auto_map": classes}
    (plain / "config.json").write_text(json.dumps(content))
    (plain / "coded.py").write_text(CODED)
    code = (
        "import sys; from huggingface_hub import HfApi; api = HfApi(); api.create_repo('ann/coded'); "
        "first = api.upload_folder(folder_path=sys.argv[1], repo_id='ann/coded').oid; "
        "api.upload_file(path_or_fileobj=b'raise SystemExit(9)', path_in_repo='coded.py', repo_id='ann/coded'); "
        "print(first)"
    )
    commit = fresh(code, plain, home=tmp_path / "pusher", hub=hub)
    assert fresh(LOADS, commit, home=tmp_path / "user", hub=hub) == "CodedModel"
    content["auto_map"]["AutoModel"] = "eve/code--coded.CodedModel"
    (plain / "config.json").write_text(json.dumps(content))
    code = "import sys; from huggingface_hub import HfApi; print(HfApi().upload_folder(folder_path=sys.argv[1], "
    later = fresh(code + "repo_id='ann/coded').oid)", plain, home=tmp_path / "pusher", hub=hub)
    assert "runs code of another repository (eve/code--coded.CodedModel)" in fresh(
        LOADS, later, home=tmp_path / "user", hub=hub
    )
