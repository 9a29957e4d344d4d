"""Model folders of strangers: what runs code is refused, and so is what transformers would make up."""

import io
import json
import os
import shutil
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPProcessor

from notclip.errors import BadInputError
from notclip.loading import load_model, load_processor
from notclip.remote.modeling_notclip import NotClipModel

TEXTS = ["a dog", "a street with no cars"]


@pytest.fixture
def plain(clip, processor, tmp_path):
    """A CLIP as transformers writes it."""
    folder = tmp_path / "plain"
    clip.save_pretrained(folder)
    CLIPProcessor(processor.image_processor, processor.tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture
def notclip(plain, tmp_path):
    """A NotCLIP model as this package writes it, with its code."""
    load_model(str(plain), composition="scope").save_pretrained(tmp_path / "notclip")
    return tmp_path / "notclip"


def change(file, *path, **changes):
    content = json.loads(file.read_text())
    part = content
    for name in path:
        part = part[name]
    part |= changes
    file.write_text(json.dumps(content))


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """Code that says that it ran, and somebody who answers `y` to every question."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n" * 50))
    ran = tmp_path / "ran"
    return ran, f"open({str(ran)!r}, 'w')\nfrom transformers import CLIPConfig\nclass Trap(CLIPConfig):\n    pass\n"


# -- code of others ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["config", "tokenizer", "image processor", "processor"])
@pytest.mark.parametrize("kind", ["plain", "notclip"])
def test_the_code_of_a_folder_is_not_run_even_where_somebody_says_yes(request, trap, kind, part):
    folder, (ran, code) = request.getfixturevalue(kind), trap
    (folder / "trap.py").write_text(code)
    everything = dict.fromkeys(("AutoConfig", "AutoModel", "AutoProcessor", "AutoImageProcessor"), "trap.Trap")
    everything |= {"AutoTokenizer": ["trap.Trap", None], "AutoModelForZeroShotImageClassification": "trap.Trap"}
    if part == "config":
        inner = ("dual_encoder_config",) if kind == "notclip" else ()
        change(folder / "config.json", *inner, model_type="trap", auto_map=everything)
    elif part == "tokenizer":
        change(folder / "tokenizer_config.json", tokenizer_class="Trap", auto_map=everything)
    elif part == "image processor":
        change(folder / "processor_config.json", "image_processor", image_processor_type="Trap", auto_map=everything)
    else:
        change(folder / "processor_config.json", processor_class="Trap", auto_map=everything)
    try:
        load_model(str(folder), argument="base").encode_texts(TEXTS)
    except BadInputError as error:
        assert str(error).startswith(f"`base` {folder}") or str(error).startswith(f"{folder}/config.json")
    assert not ran.exists()
    assert sys.stdin.read() == "y\n" * 50  # nobody was asked


def test_a_model_with_code_of_its_own_is_refused_by_what_would_allow_it(plain, trap):
    (plain / "trap.py").write_text(trap[1])
    change(plain / "config.json", model_type="trap", auto_map={"AutoConfig": "trap.Trap"})
    with pytest.raises(BadInputError, match=r"code of its own.*--trust-remote-code COMMIT"):
        load_model(str(plain))


def test_our_own_folder_loads_by_this_package_whatever_the_code_in_it(notclip, trap):
    ran, code = trap
    expected = load_model(str(notclip)).encode_queries(TEXTS)[0]
    for file in notclip.glob("*.py"):
        file.write_text(code)
    assert torch.equal(load_model(str(notclip)).encode_queries(TEXTS)[0], expected)
    assert not ran.exists()


@pytest.mark.parametrize("commit", ["main", "v1.0", "abc1234", "A" * 40])
def test_code_is_allowed_for_a_commit_alone(commit):
    with pytest.raises(BadInputError, match="40 hexadecimal digits"):
        load_model("somebody/model", trust_remote_code=commit)


def test_code_is_not_allowed_for_a_folder_which_has_no_commits(plain):
    with pytest.raises(BadInputError, match=r"repositories of the Hub.*my_model\.py"):
        load_model(str(plain), trust_remote_code="0" * 40)


def test_pickled_weights_are_read_as_tensors_or_not_at_all(plain, tmp_path):
    expected = load_model(str(plain)).encode_texts(TEXTS)
    weights = load_file(plain / "model.safetensors")
    (plain / "model.safetensors").unlink()
    torch.save(weights, plain / "pytorch_model.bin")
    assert torch.equal(load_model(str(plain)).encode_texts(TEXTS), expected)

    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "ran"),))

    torch.save(weights | {"trap": Trap()}, plain / "pytorch_model.bin")
    with pytest.raises(BadInputError, match=r"pytorch_model\.bin holds more than tensors"):
        load_model(str(plain))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kind", [torch.int8, torch.uint8, torch.float8_e4m3fn])
def test_quantised_weights_are_refused_where_nothing_says_what_their_numbers_mean(plain, kind):
    weights = load_file(plain / "model.safetensors")
    name = "text_projection.weight"
    save_file(weights | {name: weights[name].to(kind)}, plain / "model.safetensors", {"format": "pt"})
    with pytest.raises(BadInputError, match=f"holds '{name}' as .*no `quantization_config`"):
        load_model(str(plain))


@pytest.mark.parametrize(("prefix", "wrapper"), [("_orig_mod.", "torch.compile"), ("module.", "DataParallel")])
def test_weights_saved_inside_what_a_training_wrapped_around_them_are_refused_by_its_name(plain, prefix, wrapper):
    weights = load_file(plain / "model.safetensors")
    renamed = {f"{prefix}{name}": value for name, value in weights.items()}
    save_file(renamed, plain / "model.safetensors", {"format": "pt"})
    with pytest.raises(BadInputError, match=f"begin with `{prefix}`, as {wrapper} leaves them"):
        load_model(str(plain))


def test_a_pipe_in_a_folder_is_refused_and_not_waited_for(plain):
    (plain / "tokenizer.json").unlink()
    os.mkfifo(plain / "tokenizer.json")
    with pytest.raises(BadInputError, match=r"tokenizer\.json is no file"):
        load_model(str(plain))


# -- what is missing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["plain", "notclip"])
def test_a_folder_without_tokenizer_is_refused_and_given_no_vocabulary_of_two_words(request, kind):
    folder = request.getfixturevalue(kind)
    for file in folder.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(BadInputError, match=r"no tokenizer: .*tokenizer\.json.*vocab\.json and merges"):
        load_model(str(folder))


def test_a_tokenizer_without_its_merges_is_refused(plain):
    for file in plain.glob("tokenizer*"):
        file.unlink()
    vocabulary = {word: index for index, word in enumerate(["<|startoftext|>", "<|endoftext|>", "d", "o", "do"])}
    (plain / "vocab.json").write_text(json.dumps(vocabulary))
    with pytest.raises(BadInputError, match=r"no tokenizer .*read"):
        load_model(str(plain))
    (plain / "merges.txt").write_text("#version: 0.2\nd o\n")
    load_model(str(plain))


def test_a_tokenizer_with_more_tokens_than_the_text_tower_is_refused(plain):
    vocabulary = json.loads((plain / "tokenizer.json").read_text())["model"]["vocab"]
    change(plain / "tokenizer.json", "model", vocab=vocabulary | {"zebra": 64})
    with pytest.raises(BadInputError, match=r"tokens up to 64, .*embeds 64"):
        load_model(str(plain))


@pytest.mark.parametrize("content", [None, "{}"])
def test_a_tokenizer_that_reads_but_cannot_be_used_is_refused_before_anything_is_encoded(plain, content):
    (plain / "tokenizer_config.json").unlink()
    if content is not None:
        (plain / "tokenizer_config.json").write_text(content)
    with pytest.raises(BadInputError, match=r"no tokenizer .*tokenizer\.json"):
        load_model(str(plain))


def test_a_folder_without_image_processor_is_refused_by_the_file_that_it_lacks(plain):
    (plain / "processor_config.json").unlink()
    with pytest.raises(BadInputError, match=r"no image processor.*processor_config\.json"):
        load_model(str(plain))
    (plain / "preprocessor_config.json").write_text("{}")
    with pytest.raises(BadInputError, match=r"no image processor .*neither size nor mean"):
        load_model(str(plain))


@pytest.mark.parametrize(("kind", "lost"), [("plain", "text_projection.weight"), ("notclip", "image_mean")])
def test_weights_that_are_missing_are_named_and_not_made_up(request, kind, lost):
    folder = request.getfixturevalue(kind)
    weights = load_file(folder / "model.safetensors")
    del weights[lost]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BadInputError, match=rf"lacks weights .*{lost}"):
        load_model(str(folder))


def test_layers_that_the_config_leaves_out_are_not_left_out(plain):
    change(plain / "config.json", "text_config", num_hidden_layers=1)
    with pytest.raises(BadInputError, match=r"more layers .*text_model\.encoder"):
        load_model(str(plain))


def test_a_plain_backbone_lacks_exactly_what_notclip_adds(plain):
    """All are set when they are not read: no direction is preferred, no centre counts, until images are measured."""
    from transformers import AutoModel

    _, report = AutoModel.from_pretrained(plain, output_loading_info=True)
    assert report["missing_keys"] == set() and report["unexpected_keys"] == set()
    backbone, wrapped = set(AutoModel.from_pretrained(plain).state_dict()), load_model(str(plain)).state_dict()
    added = {"image_mean", "image_covariance", "image_centres", "image_shares", "reader"}
    assert wrapped.keys() - {f"backbone.{name}" for name in backbone} == added
    assert not wrapped["image_shares"].any()
    assert torch.equal(wrapped["image_mean"], torch.zeros(16))
    assert torch.equal(wrapped["image_covariance"], torch.eye(16) / 16)


# -- what is broken ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5])
def test_truncated_weights_are_named(plain, share):
    file = plain / "model.safetensors"
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(BadInputError, match=r"model\.safetensors is damaged"):
        load_model(str(plain))


@pytest.mark.parametrize("content", ["", "{'a': 1}", "[" * 100_000, '{"a": ' * 5000])
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json", "processor_config.json"])
def test_a_file_that_is_no_json_is_named(plain, name, content):
    (plain / name).write_text(content)
    with pytest.raises(BadInputError, match=f"`base` .* {name} is no JSON"):
        load_model(str(plain), argument="base")


@pytest.mark.parametrize("content", ["[]", "null", "3", '{"a": 1}'])
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json", "processor_config.json"])
def test_json_of_another_kind_is_refused_in_one_sentence(plain, name, content):
    (plain / name).write_text(content)
    if (name, content) == ("tokenizer_config.json", '{"a": 1}'):
        return  # an unknown setting, which later versions may have
    with pytest.raises(BadInputError, match=r"(config\.json|tokenizer|image processor|processor_config\.json)"):
        load_model(str(plain))


@pytest.mark.parametrize(
    ("path", "changes", "message"),
    [
        ((), {"projection_dim": "wide"}, r"config\.json .*no model .*projection_dim"),
        ((), {"text_config": "small"}, r"config\.json .*no model .*text_config"),
        (("text_config",), {"num_attention_heads": 0}, r"config\.json describes no model"),
        (("text_config",), {"hidden_size": 30}, "weights .*other shapes"),
        (("text_config",), {"hidden_size": 2 * 10**7, "intermediate_size": 10**7}, "weights .*other shapes"),
        (("text_config",), {"hidden_act": "os.system"}, r"can be built \(KeyError: 'os.system'\)"),
        (("text_config",), {"num_hidden_layers": 10**7}, "`num_hidden_layers` .*at most 1,000, got 10000000"),
        (
            (),
            {"attn_implementation": "evil/kernel"},
            "`attn_implementation` 'evil/kernel' is code",
        ),
        (("vision_config",), {"image_size": 10**12}, "`image_size` must be at most 100,000,000, got 1000000000000"),
        (("vision_config",), {"image_size": 10**400}, "`image_size` must be at most 100,000,000, got 1000"),
    ],
)
def test_a_config_that_no_model_has_is_refused_before_it_takes_memory(plain, path, changes, message):
    change(plain / "config.json", *path, **changes)
    with pytest.raises(BadInputError, match=message):
        load_model(str(plain))


@pytest.mark.parametrize(
    "changes",
    [
        {"hybrid_weights": "abc"},
        {"negation_strength": "x"},
        {"exclusion": float("nan")},
        {"sharing": []},
    ],
)
def test_a_setting_of_notclip_of_another_type_is_refused_by_name(notclip, changes):
    change(notclip / "config.json", **changes)
    with pytest.raises(BadInputError, match=rf"config\.json .*{next(iter(changes))}"):
        load_model(str(notclip))


def test_a_config_of_many_megabytes_is_not_parsed(plain):
    (plain / "config.json").write_text('{"a": "' + "x" * (5 * 2**20) + '"}')
    with pytest.raises(BadInputError, match=r"its config\.json must be at most 4 MB"):
        load_model(str(plain))


# -- what is written -----------------------------------------------------------------------------------------------


def test_what_a_model_writes_is_all_that_its_users_need(notclip):
    written = {path.name for path in notclip.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "processor_config.json"} <= written
    assert {"modules.json", "config_sentence_transformers.json", "sentence_notclip.py"} <= written
    code = {path.name: path.read_text() for path in notclip.glob("*.py")}
    for name, text in code.items():
        for line in text.splitlines():
            if line.startswith("from ."):
                assert f"{line.split()[1].lstrip('.')}.py" in code, f"{name}: {line}"


def test_a_model_without_processor_is_written_without_one(clip, tmp_path):
    NotClipModel.from_backbone(clip).save_pretrained(tmp_path / "model")
    assert not (tmp_path / "model" / "processor_config.json").exists()
    with pytest.raises(BadInputError, match=r"holds no (tokenizer|image processor)"):
        load_model(str(tmp_path / "model"))


def test_a_folder_is_written_over_itself(notclip):
    before = {path.name: path.read_bytes() for path in notclip.iterdir()}
    load_model(str(notclip)).save_pretrained(notclip)
    assert {path.name: path.read_bytes() for path in notclip.iterdir()} == before


def test_only_the_main_process_writes(plain, tmp_path):
    load_model(str(plain), composition="scope").save_pretrained(tmp_path / "other", is_main_process=False)
    assert not (tmp_path / "other").exists() or not list((tmp_path / "other").iterdir())
    shutil.rmtree(tmp_path / "other", ignore_errors=True)


def test_a_processor_that_is_read_and_saved_says_nothing_of_where_it_was_read(plain, tmp_path):
    load_processor(str(plain)).save_pretrained(tmp_path / "saved")
    said = json.loads((tmp_path / "saved" / "tokenizer_config.json").read_text())
    assert not {"is_local", "local_files_only"} & said.keys()
