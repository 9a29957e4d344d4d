import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from notclip.errors import BadInputError
from notclip.loading import load_model
from notclip.training import trainer as training
from notclip.training.config import TrainConfig
from notclip.training.data import read_training_split
from notclip.training.run import run_training
from notclip.training.trainer import BatchPlan, choose_epoch


@pytest.fixture
def base(clip, processor, tmp_path):
    clip.save_pretrained(tmp_path / "base")
    processor.tokenizer.save_pretrained(tmp_path / "base")
    processor.image_processor.save_pretrained(tmp_path / "base")
    return str(tmp_path / "base")


@pytest.fixture
def config(base, data, tmp_path):
    return TrainConfig(
        base=base,
        data=data,
        out=tmp_path / "out",
        epochs=2,
        batch_images=4,
        batch_questions=8,
        rank=2,
        alpha=4,
        dropout=0.1,
        learning_rate=0.05,
        contrastive_weight=0.02,
        anchor_weight=0.0,
        checkpoint_every=1,
        recall_tolerance=1.0,
        cache=tmp_path / "cache",
    )


@pytest.fixture(autouse=True)
def the_last_epoch_is_chosen(monkeypatch):
    """On towers of random weights an adapter rarely beats the composition alone; these tests are about adapters."""
    monkeypatch.setattr(training, "choose_epoch", lambda history, **_: history[-1]["epoch"])


def adapter_weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter" / "adapter_model.safetensors")


class KilledError(Exception):
    pass


@pytest.mark.parametrize("steps_before", [1, 3, 4])
def test_a_run_killed_and_resumed_ends_at_the_same_weights(config, tmp_path, monkeypatch, steps_before):
    assert run_training(config)["chosen_epoch"] > 0
    broken = dataclasses.replace(config, out=tmp_path / "broken")
    real_loss, steps = training.training_loss, 0

    def loss_until_killed(*arguments):
        nonlocal steps
        steps += 1
        if steps > steps_before:
            raise KilledError
        return real_loss(*arguments)

    monkeypatch.setattr(training, "training_loss", loss_until_killed)
    with pytest.raises(KilledError):
        run_training(broken)
    assert not (tmp_path / "broken" / "adapter").exists()
    monkeypatch.setattr(training, "training_loss", real_loss)
    run_training(dataclasses.replace(broken, resume=True))

    undisturbed, resumed = adapter_weights(config.out), adapter_weights(tmp_path / "broken")
    assert undisturbed.keys() == resumed.keys()
    assert all(torch.equal(undisturbed[name], resumed[name]) for name in undisturbed)
    assert (config.out / "model" / "config.json").read_text() == (
        tmp_path / "broken" / "model" / "config.json"
    ).read_text()


def test_the_three_release_forms_score_as_the_training_run_did(config):
    run_training(config)
    probe = json.loads((config.out / "model" / "release_probe.json").read_text())
    texts, expected = probe["texts"], torch.tensor(probe["plain_scores"])
    from notclip.training.release_probe import probe_images

    images = probe_images()
    notclip = load_model(str(config.out / "model"))
    merged = load_model(str(config.out / "backbone"))
    adapted = load_model(config.base, adapter=config.out / "adapter")
    torch.testing.assert_close(notclip.score(images, texts), torch.tensor(probe["scores"]), atol=1e-5, rtol=1e-6)
    for model in (merged, adapted):
        torch.testing.assert_close(model.score(images, texts), expected, atol=1e-5, rtol=0)


def test_the_record_says_what_was_trained_and_how(config):
    record = run_training(config)
    assert record == json.loads((config.out / "training.json").read_text())
    assert record["steps"] == 6 and [entry["epoch"] for entry in record["history"]] == [0, 1, 2]
    assert record["config"]["rank"] == 2
    assert not (config.out / "state").exists()


def test_every_step_of_an_epoch_takes_other_images(config, data):
    plan = BatchPlan(read_training_split(data, "train"), config)
    first_epoch = [batch for batch, _ in zip(plan.batches(0), range(plan.steps_per_epoch), strict=False)]
    images = [caption.image for batch in first_epoch for caption in batch.captions]
    assert len(images) == len(set(images)) == 12


def test_the_plan_from_a_later_step_is_the_plan_that_went_on(config, data):
    split = read_training_split(data, "train")
    whole = list(BatchPlan(split, config).batches(0))
    assert list(BatchPlan(split, config).batches(4)) == whole[4:]


def test_two_processes_share_a_batch_without_overlap(config, data):
    split = read_training_split(data, "train")
    whole = next(iter(BatchPlan(split, config).batches(0)))
    shares = [next(iter(BatchPlan(split, config, rank=r, world_size=2).batches(0))) for r in (0, 1)]
    assert sorted(shares[0].texts + shares[1].texts) == sorted(whole.texts)
    assert len(shares[0].questions) + len(shares[1].questions) == len(whole.questions)


def test_two_processes_take_the_step_that_one_takes_with_the_whole_batch(base, data, tmp_path):
    program = str(Path(__file__).parent / "gradients_of_one_step.py")
    launchers = {"one": [], "two": ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]}
    for name, launcher in launchers.items():
        command = [sys.executable, *launcher, program, base, str(data), str(tmp_path / name)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )
        assert done.returncode == 0, done.stderr[-2000:]
    one, two = (load_file(tmp_path / name) for name in launchers)
    assert one.keys() == two.keys() and len(one) > 10
    for name in one:
        torch.testing.assert_close(two[name], one[name], atol=1e-10, rtol=1e-8)


def test_an_epoch_that_forgets_is_not_chosen_however_well_it_negates():
    history = [
        {"epoch": 0, "macro_accuracy": 0.30, "recall_at_5": 0.45},
        {"epoch": 1, "macro_accuracy": 0.60, "recall_at_5": 0.441},
        {"epoch": 2, "macro_accuracy": 0.70, "recall_at_5": 0.43},
    ]
    assert choose_epoch(history, recall_tolerance=0.01) == 1
    assert choose_epoch(history[:1] + history[2:], recall_tolerance=0.01) == 0


def test_an_output_in_use_is_refused(config):
    config.out.mkdir()
    (config.out / "mine.txt").write_text("keep")
    with pytest.raises(BadInputError, match=r"`out` .* not empty.*--resume"):
        run_training(config)
    assert (config.out / "mine.txt").read_text() == "keep"


def test_resuming_with_other_options_is_refused_by_name(config):
    run_training(config)
    with pytest.raises(BadInputError, match=r"`learning_rate` was 0.05 and is 0.1"):
        run_training(dataclasses.replace(config, resume=True, learning_rate=0.1))


def test_a_folder_that_is_no_model_is_refused(config, tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(BadInputError, match=r"^`base` .*photos is a folder without config\.json"):
        run_training(dataclasses.replace(config, base=str(tmp_path / "photos")))
    assert not config.out.exists()


def test_a_folder_that_is_no_dataset_is_refused(config, tmp_path):
    with pytest.raises(BadInputError, match=r"has no split 'train' of captions"):
        run_training(dataclasses.replace(config, data=tmp_path))
    assert not config.out.exists()


def test_a_split_in_parts_is_read_as_the_whole_one(data, in_parts):
    whole = read_training_split(data, "train")
    assert read_training_split(in_parts(data, parts=3), "train") == whole


def test_no_epochs_calibrate_the_composition_and_leave_every_plain_score_to_the_backbone(config):
    record = run_training(dataclasses.replace(config, epochs=0))
    assert record["chosen_epoch"] == 0 and record["steps"] == 0
    calibrated, backbone = load_model(str(config.out / "model")), load_model(config.base)
    assert calibrated.config.exclusion != backbone.config.exclusion
    texts = ["a dog", "a dog but no cat"]
    torch.testing.assert_close(calibrated.encode_texts(texts), backbone.encode_texts(texts), atol=1e-6, rtol=0)


def test_resuming_with_other_data_base_or_code_is_refused_by_name(config, tmp_path, change_code):
    run_training(config)
    again = dataclasses.replace(config, resume=True)
    for name, file in (
        ("data", config.data / "retrieval" / "train.parquet"),
        ("base", Path(config.base) / "tokenizer.json"),
    ):
        content = file.read_bytes()
        if name == "data":
            pq.write_table(pq.read_table(file).slice(1), file)
        else:
            rules = json.loads(content)
            rules["normalizer"] = {"type": "Lowercase"} if rules["normalizer"] is None else None
            file.write_text(json.dumps(rules))
        with pytest.raises(BadInputError, match=rf"its {name} has changed since: name another --out"):
            run_training(again)
        file.write_bytes(content)
    change_code("notclip.training.losses")
    with pytest.raises(BadInputError, match="its code has changed since"):
        run_training(again)
