import dataclasses
import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerState, masking_utils

from notclip.dataset.splits import SPLITS
from notclip.errors import BadInputError
from notclip.loading import load_model
from notclip.remote.composition_notclip import image_statistics
from notclip.training import interpolation, run
from notclip.training import trainer as negation_trainer
from notclip.training.batches import GroupBatchSampler, NegationDataset
from notclip.training.data import read_training_split
from notclip.training.learner import Learner
from notclip.training.lora import add_lora
from notclip.training.reference_scores import reference_images
from notclip.training.run import run_training


@pytest.fixture(autouse=True)
def the_last_epoch_is_chosen(monkeypatch):
    """On towers of random weights an adapter rarely beats the composition alone; these tests are about adapters."""
    gains = iter(range(1, 100))
    monkeypatch.setattr(negation_trainer, "gain", lambda *_, **__: float(next(gains)))
    monkeypatch.setattr(interpolation, "SHARES", (1.0,))


def adapter_weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter" / "adapter_model.safetensors")


class KilledError(Exception):
    pass


def killed_after(monkeypatch, steps: int) -> None:
    """Kill the run in the middle of the step after so many."""
    real, done = Learner.forward, 0

    def forward_until_killed(learner, **batch):
        nonlocal done
        done += 1
        if done > steps:
            raise KilledError
        return real(learner, **batch)

    monkeypatch.setattr(Learner, "forward", forward_until_killed)


def ends_alike(one: Path, other: Path) -> bool:
    undisturbed, resumed = adapter_weights(one), adapter_weights(other)
    configs = [(folder / "model" / "config.json").read_text() for folder in (one, other)]
    same = undisturbed.keys() == resumed.keys() and configs[0] == configs[1]
    return same and all(torch.equal(undisturbed[name], resumed[name]) for name in undisturbed)


@pytest.mark.parametrize("steps_before", [1, 3, 4])
def test_a_run_killed_and_resumed_ends_at_the_same_weights(config, tmp_path, monkeypatch, steps_before):
    record = run_training(config)
    assert record["chosen_epoch"] > 0
    broken = dataclasses.replace(config, out=tmp_path / "broken")
    with monkeypatch.context() as killing:
        killed_after(killing, steps_before)
        with pytest.raises(KilledError):
            run_training(broken)
    assert not (tmp_path / "broken" / "adapter").exists()
    resumed = run_training(dataclasses.replace(broken, resume=True))
    assert ends_alike(config.out, broken.out)
    # In the same order too, since training.json is to have the same bytes.
    assert json.dumps(resumed["history"]) == json.dumps(record["history"])


class Trap:
    """What runs code where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def test_a_checkpoint_that_is_damaged_or_a_trap_is_refused_by_name_and_runs_nothing(config, tmp_path, monkeypatch):
    with monkeypatch.context() as killing:
        killed_after(killing, 3)
        with pytest.raises(KilledError):
            run_training(config)
    checkpoint = Path(negation_trainer.last_checkpoint(config.out / "state"))
    mark, zipped = tmp_path / "ran", io.BytesIO()
    torch.save(Trap(mark), zipped)
    state = json.loads((checkpoint / "trainer_state.json").read_text())
    elsewhere = json.dumps(state | {"best_model_checkpoint": str(tmp_path)}).encode()
    traps = [pickle.dumps(Trap(mark)), zipped.getvalue(), b""]
    damaged = {name: traps for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "model.safetensors")}
    for name, contents in (damaged | {"trainer_state.json": [b"{", b"[" * 100_000, elsewhere]}).items():
        good = (checkpoint / name).read_bytes()
        for content in contents:
            (checkpoint / name).write_bytes(content)
            with pytest.raises(BadInputError, match=r"^the checkpoint .*checkpoint-\d+ cannot be read .*: remove it"):
                run_training(dataclasses.replace(config, resume=True))
        (checkpoint / name).write_bytes(good)
    (checkpoint / "training_args.bin").write_bytes(traps[1])  # which nobody reads
    run_training(dataclasses.replace(config, resume=True))
    assert not mark.exists()


def test_a_run_killed_within_an_accumulation_ends_at_the_same_weights(config, tmp_path, monkeypatch):
    config = dataclasses.replace(config, trainer=("gradient_accumulation_steps=2",))
    assert run_training(config)["steps"] == 4  # of two batches and of one, twice
    broken = dataclasses.replace(config, out=tmp_path / "broken")
    with monkeypatch.context() as killing:
        killed_after(killing, 4)
        with pytest.raises(KilledError):
            run_training(broken)
    run_training(dataclasses.replace(broken, resume=True))
    assert ends_alike(config.out, broken.out)


def test_activations_that_are_computed_again_give_the_same_weights(config, tmp_path):
    run_training(config)
    again = dataclasses.replace(config, out=tmp_path / "again", trainer=("activation_checkpointing=true",))
    run_training(again)
    assert ends_alike(config.out, again.out)


def test_a_checkpoint_that_was_not_finished_is_passed_over(config, tmp_path, monkeypatch):
    run_training(config)
    broken = dataclasses.replace(config, out=tmp_path / "broken")
    with monkeypatch.context() as killing:
        killing.setattr(negation_trainer.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
        killing.setattr(TrainerState, "save_to_json", full_disk_from_the_second_time())
        with pytest.raises(OSError, match="No space left"):
            run_training(broken)
    left = broken.out / "state"
    assert (left / "checkpoint-2" / "model.safetensors").is_file()
    assert negation_trainer.last_checkpoint(left) == str(left / "checkpoint-1")
    run_training(dataclasses.replace(broken, resume=True))
    assert ends_alike(config.out, broken.out)


def full_disk_from_the_second_time():
    times, real = iter(range(100)), TrainerState.save_to_json

    def save(state, path):
        if next(times):
            raise RuntimeError("[enforce fail at inline_container.cc:869] . PytorchStreamWriter failed writing file")
        real(state, path)

    return save


def test_an_epoch_that_ends_in_nan_stops_and_names_its_batch(config):
    with pytest.raises(BadInputError, match=r"the loss of step \d of 6 \(batch \d of epoch \d\) is (nan|inf): lower"):
        run_training(dataclasses.replace(config, learning_rate=1e30))
    assert not (config.out / "adapter").exists()


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
            "batch_questions",
        ),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), "batch_questions"),
        (MemoryError(), "batch_questions"),
    ],
)
def test_memory_that_is_used_up_says_what_to_lower(config, monkeypatch, error, advice):
    def forward(*_, **__):
        raise error

    monkeypatch.setattr(Learner, "forward", forward)
    with pytest.raises(
        BadInputError, match=r"used up by step 1: lower `batch_questions` or `batch_images` \(.* 8 and 4"
    ):
        run_training(config)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("bf61=true", r"got 'bf61=true'\. Did you mean bf16\?"),
        ("bf16", "takes NAME=VALUE"),
        ("learning_rate=1", "may not set learning_rate: give --learning-rate"),
        ("save_strategy=no", "choice of the epoch"),
        ("fsdp=full_shard", "not set fsdp: .*torchrun"),
        ("deepspeed=zero2.json", r"deepspeed .*pip install deepspeed"),
        ("report_to=trackio", r"report_to=trackio: .*pip install trackio"),
        ("push_to_hub=true", "`notclip push-release`"),
        ("lr_scheduler_type=square", r"`trainer` lr_scheduler_type=square: .*square.* is not a valid SchedulerType"),
    ],
)
def test_an_option_of_the_trainer_that_there_is_not_is_refused(config, option, said):
    with pytest.raises(BadInputError, match=said):
        run_training(dataclasses.replace(config, trainer=(option,)))


def test_half_precision_learns_what_single_precision_learns(config, tmp_path):
    config = dataclasses.replace(config, learning_rate=5e-3)
    outs = {"single": (), "half": ("bf16=true",)}
    for name, trainer in outs.items():
        run_training(dataclasses.replace(config, out=tmp_path / name, trainer=trainer))
    single, half = (json.loads((tmp_path / name / "model" / "reference_scores.json").read_text()) for name in outs)
    for scores, near in (("plain_scores", {"atol": 1e-2, "rtol": 0}), ("scores", {"atol": 1e-2, "rtol": 1e-2})):
        torch.testing.assert_close(torch.tensor(half[scores]), torch.tensor(single[scores]), **near)
    assert half["scores"] != single["scores"]


def test_a_step_leaves_no_tensor_behind_and_waits_for_no_device(config, data, monkeypatch):
    """On the device `meta`, which holds no numbers: whoever asks for one, or mixes in one of the CPU's, fails."""
    monkeypatch.setattr(masking_utils, "fast_all", lambda mask: False)  # transformers asks whether a mask is all ones
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # which knows no such device
    model = load_model(config.base, composition="scope")
    split = read_training_split(data, "train")
    embeds = torch.nn.functional.normalize(torch.randn(len(split.digests), 16), dim=-1)
    model.set_statistics(image_statistics(embeds))
    assert model.statistics is not None
    model.backbone = add_lora(model.backbone, rank=2, alpha=4)
    batch = NegationDataset(split, embeds.to("meta")).__getitems__(next(iter(draws(data)[1])))
    model.read(["a dog"])  # The tagger is made of the model's bytes, which a device of no numbers lacks.
    learner = Learner(model.to("meta")).to("meta")
    loss = learner(**batch)["loss"]
    assert loss.device.type == "meta" and batch["text_images"].device.type == "meta"
    loss.backward()
    learning = [parameter for parameter in learner.parameters() if parameter.requires_grad]
    assert all(parameter.grad is not None and parameter.grad.device.type == "meta" for parameter in learning)


def test_the_three_release_forms_score_as_the_training_run_did(config):
    run_training(config)
    probe = json.loads((config.out / "model" / "reference_scores.json").read_text())
    texts, expected = probe["texts"], torch.tensor(probe["plain_scores"])
    images = reference_images()
    notclip = load_model(str(config.out / "model"))
    merged = load_model(str(config.out / "backbone"))
    adapted = load_model(config.base, adapter=config.out / "adapter")
    torch.testing.assert_close(notclip.score(images, texts), torch.tensor(probe["scores"]), atol=1e-5, rtol=1e-6)
    for model in (merged, adapted):
        torch.testing.assert_close(model.score(images, texts), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("towers", "variant"), [("image", "lora"), ("both", "dora"), ("both", "full")])
def test_an_image_tower_learns_resumes_and_is_released_as_the_text_tower_is(
    config, tmp_path, monkeypatch, towers, variant
):
    config = dataclasses.replace(config, towers=towers, variant=variant, epochs=1, learning_rate=0.01, dropout=0.0)
    record = run_training(config)
    assert record["trained_towers"] == (["image"] if towers == "image" else ["text", "image"])
    broken = dataclasses.replace(config, out=tmp_path / "broken")
    with monkeypatch.context() as killing:
        killed_after(killing, 2)
        with pytest.raises(KilledError):
            run_training(broken)
    run_training(dataclasses.replace(broken, resume=True))
    assert ends_alike(config.out, broken.out)

    base, notclip, merged = (
        load_model(str(at)) for at in (config.base, config.out / "model", config.out / "backbone")
    )
    adapted = load_model(config.base, adapter=config.out / "adapter")
    assert notclip.config.trained_towers == record["trained_towers"]
    probe, images = json.loads((config.out / "model" / "reference_scores.json").read_text()), reference_images()
    for model in (notclip, merged, adapted):
        plain = model.score(images, probe["texts"], composition="none")
        torch.testing.assert_close(plain, torch.tensor(probe["plain_scores"]), atol=1e-5, rtol=0)
    assert not torch.allclose(merged.encode_images(images), base.encode_images(images), atol=1e-3)
    moved = not torch.allclose(merged.encode_texts(["a dog"]), base.encode_texts(["a dog"]), atol=1e-3)
    assert moved == (towers == "both")
    photos = read_training_split(config.data, "train").image_bytes
    now = image_statistics(notclip.encode_images(list(photos)))
    torch.testing.assert_close(notclip.image_mean, now.mean, atol=1e-5, rtol=0)


def test_photos_and_texts_that_loader_workers_read_give_the_same_weights(config, tmp_path, monkeypatch):
    config = dataclasses.replace(config, towers="image", epochs=1)
    run_training(config)
    other = dataclasses.replace(config, out=tmp_path / "other", trainer=("dataloader_num_workers=1",))
    told = []
    forward = Learner.forward
    monkeypatch.setattr(
        Learner, "forward", lambda self, **batch: told.append(batch["scopes"]) or forward(self, **batch)
    )
    run_training(other)
    assert len(told) == 3
    assert all(bool(scope.negated) == (" no " in text) for scopes in told for text, scope in scopes.items())
    assert ends_alike(config.out, other.out)


def test_the_record_says_what_was_trained_and_how(config):
    record = run_training(config)
    assert record == json.loads((config.out / "training.json").read_text())
    assert record["steps"] == 6 and [entry["epoch"] for entry in record["history"]] == [0, 1, 2]
    assert record["config"]["rank"] == 2
    assert not (config.out / "state").exists()


def test_the_logs_of_tensorboard_outlive_the_training(config, monkeypatch):
    write = run.write_outputs

    def write_logs_too(*given, **options):
        (config.out / "state" / "runs").mkdir(parents=True)
        (config.out / "state" / "runs" / "events").write_text("loss 0.5")
        write(*given, **options)

    monkeypatch.setattr(run, "write_outputs", write_logs_too)
    run_training(dataclasses.replace(config, epochs=0))
    assert (config.out / "runs" / "events").read_text() == "loss 0.5" and not (config.out / "state").exists()


def draws(data, *, rank=0, world_size=1, epoch=0, batch_images=4, batch_questions=8):
    split = read_training_split(data, "train")
    dataset = NegationDataset(split, torch.zeros(len(split.image_bytes), 2))
    sampler = GroupBatchSampler(
        images=len(dataset),
        groups=len(split.question_groups),
        largest_group=max(map(len, split.question_groups)),
        batch_images=batch_images,
        batch_questions=batch_questions,
        rank=rank,
        world_size=world_size,
    )
    sampler.set_epoch(epoch)
    return dataset, list(sampler)


def test_every_step_of_an_epoch_takes_other_images(data):
    _, epoch = draws(data)
    images = [image for draw in epoch for image in draw.images]
    assert len(images) == len(set(images)) == 12
    _, next_epoch = draws(data, epoch=1)
    assert [image for draw in next_epoch for image in draw.images] != images


def test_a_batch_has_whole_groups_of_questions(data):
    dataset, epoch = draws(data)
    for draw in epoch:
        asked = dataset.__getitems__(draw)["questions"]
        of_these = {tuple(sorted(question.choices)) for question in asked}
        assert len(asked) == sum(tuple(sorted(q.choices)) in of_these for q in dataset.split.questions)


def test_two_processes_share_a_batch_without_overlap(data):
    dataset, (whole, *_) = draws(data)
    shares = [dataset.__getitems__(draws(data, rank=rank, world_size=2)[1][0]) for rank in (0, 1)]
    all_of_it = dataset.__getitems__(whole)
    assert sorted(shares[0]["texts"] + shares[1]["texts"]) == sorted(all_of_it["texts"])
    assert len(shares[0]["questions"]) + len(shares[1]["questions"]) == len(all_of_it["questions"])


def test_more_processes_than_a_batch_can_feed_are_refused(data):
    with pytest.raises(BadInputError, match=r"5 processes .* `batch_images` must be at least 5.* got 4 and 8"):
        draws(data, world_size=5)


@pytest.mark.parametrize("towers", ["text", "both"])
def test_two_processes_take_the_steps_that_one_takes_with_the_whole_batch(base, data, tmp_path, towers):
    program = str(Path(__file__).parent / "gradients_of_some_steps.py")
    launchers = {"one": [], "two": ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]}
    for name, launcher in launchers.items():
        command = [sys.executable, *launcher, program, base, str(data), str(tmp_path / name), towers]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )
        assert done.returncode == 0, done.stderr[-2000:]
    one, two = (load_file(tmp_path / name) for name in launchers)
    assert one.keys() == two.keys() and len(one) > 40
    for name in one:
        torch.testing.assert_close(two[name], one[name], atol=1e-10, rtol=1e-8)


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
    with pytest.raises(BadInputError, match=r"^`base` .*photos .*without config\.json"):
        run_training(dataclasses.replace(config, base=str(tmp_path / "photos")))
    assert not config.out.exists()


def test_a_folder_that_is_no_dataset_is_refused(config, tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(BadInputError, match=r"has no split 'train' of captions"):
        run_training(dataclasses.replace(config, data=tmp_path / "photos"))
    assert not config.out.exists()


def test_a_split_in_parts_is_read_as_the_whole_one(data, in_parts):
    def content(split):
        parts = (split.image_bytes, split.digests, split.captions, split.question_groups, split.negated_queries)
        return [list(part) for part in parts]

    whole = content(read_training_split(data, "train"))
    assert content(read_training_split(in_parts(data, parts=3), "train")) == whole
    assert len(whole[0]) == 12 and len(whole[2]) == 24


def test_an_image_has_the_captions_that_stand_beside_it_and_a_group_all_that_share_their_choices(data):
    split = read_training_split(data, "train")
    by_hand: dict[int, list] = {}
    for caption in split.captions:
        by_hand.setdefault(caption.image, []).append(caption)
    assert list(split.captions_by_image()) == [by_hand[image] for image in sorted(by_hand)]
    groups: dict[tuple, list] = {}
    for question in split.question_groups.rows:
        groups.setdefault(tuple(sorted(question.choices)), []).append(question)
    assert list(split.question_groups) == list(groups.values())
    assert split.group_sizes.tolist() == [len(group) for group in groups.values()]


def test_some_rows_of_a_large_set_stand_for_all(data):
    captions = read_training_split(data, "train").captions
    assert list(run.every_nth(captions, 5)) == list(captions)[::5] == captions[::5]
    assert list(run.every_nth(range(2500), 2)) == list(range(0, 2500, 2))
    split = read_training_split(data, "train")
    assert split.captioned_images.tolist() == sorted({caption.image for caption in split.captions})


def referenced(data, folder, *, damage=False):
    """The same dataset, whose rows name photos in a folder, as `--images referenced` writes them."""
    folder.mkdir()
    for file in data.glob("*/*.parquet"):
        table = pq.read_table(file)
        photos = [image["bytes"] for image in table["image"].to_pylist()]
        names = [f"{name}.png" for name in table["image_id"].to_pylist()]
        for name, photo in zip(names, photos, strict=True):
            (folder / name).write_bytes(photo[:-1] if damage else photo)
        digests = [hashlib.sha256(photo).hexdigest() for photo in photos]
        table = table.drop_columns(["image"]).append_column("image_url", [names])
        pq.write_table(table.append_column("image_sha256", [digests]), file)
    return folder


def test_a_dataset_that_refers_to_its_photos_trains_as_the_one_that_holds_them(config, data, tmp_path):
    run_training(config)
    other = dataclasses.replace(config, out=tmp_path / "referenced", images=referenced(data, tmp_path / "photos"))
    assert run_training(dataclasses.replace(other, cache=tmp_path / "other"))["chosen_epoch"] > 0
    assert ends_alike(config.out, other.out)


def test_photos_that_are_missing_or_others_than_those_of_the_build_are_refused_by_row(config, data, tmp_path):
    photos = referenced(data, tmp_path / "photos", damage=True)
    with pytest.raises(BadInputError, match=r"train.parquet, row 1: the photo 'train-0.png' is only .* as `images`"):
        run_training(config)
    with pytest.raises(BadInputError, match=r"train-0\.png .*another photo"):
        run_training(dataclasses.replace(config, images=photos, out=tmp_path / "other"))
    (photos / "train-0.png").unlink()
    with pytest.raises(BadInputError, match=r"row 1: `images` .*photos lacks train-0\.png"):
        run_training(dataclasses.replace(config, images=photos, out=tmp_path / "third"))


def test_a_split_without_questions_is_refused(config, data):
    file = data / "questions" / "validation.parquet"
    pq.write_table(pq.read_table(file).slice(0, 0), file)
    with pytest.raises(BadInputError, match=r"no rows .*'validation'"):
        run_training(config)
    assert not (config.out / "adapter").exists()


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
        with pytest.raises(BadInputError, match=rf"{name} has changed .*--out"):
            run_training(again)
        file.write_bytes(content)
    change_code("notclip.training.losses")
    with pytest.raises(BadInputError, match="code has changed"):
        run_training(again)


def test_other_photos_judge_every_epoch_and_nothing_is_learnt_from_them(config, data, tmp_path):
    alone = run_training(config)
    both = run_training(dataclasses.replace(config, out=tmp_path / "both", away=data))
    assert [entry.keys() >= {"away_macro_accuracy", "away_recall_at_5"} for entry in both["history"]] == [True] * 3
    assert alone["away_build"] is both["away_build"] is None  # no record beside these rows
    weights, same = adapter_weights(config.out), adapter_weights(tmp_path / "both")
    assert all(torch.equal(weights[name], same[name]) for name in weights)


def test_a_model_is_written_with_the_statistics_of_home_and_away_in_equal_parts(config, data, tmp_path):
    run_training(dataclasses.replace(config, out=tmp_path / "both", away=data))
    written = load_model(str(tmp_path / "both" / "model"))
    home, *others = [written.encode_images(list(read_training_split(data, name).image_bytes)) for name in SPLITS]
    away = torch.cat([home, *others])
    both = torch.cat([home.repeat(len(away), 1)[: len(away)], away])
    torch.testing.assert_close(written.statistics.mean, both.mean(0), atol=1e-5, rtol=0)
    assert not torch.allclose(both.mean(0), home.mean(0), atol=1e-4)


def test_what_hurts_away_is_not_kept_however_much_it_helps_at_home(config, data, monkeypatch, tmp_path):
    figures = iter([(0.3, 0.5), *[(0.9, 0.4), (0.95, 0.45)] * 2])  # two shares of each epoch

    def judge(self, model):
        home, away = next(figures)
        names = ("macro_accuracy", "plain_macro_accuracy", "recall_at_5", "negated_recall_at_5")
        return {name: home for name in names} | {f"away_{name}": away for name in names}

    monkeypatch.undo()
    monkeypatch.setattr(run.Judge, "__call__", judge)
    record = run_training(dataclasses.replace(config, away=data))
    assert record["chosen_epoch"] == 0
    assert not any(weights.any() for name, weights in adapter_weights(config.out).items() if "lora_B" in name)


def test_a_trained_update_is_kept_in_the_share_that_was_judged(config, monkeypatch, tmp_path):
    run_training(config)
    monkeypatch.setattr(interpolation, "SHARES", (0.5,))
    halved = dataclasses.replace(config, out=tmp_path / "halved")
    assert run_training(halved)["update_share"] == 0.5
    whole, half = adapter_weights(config.out), adapter_weights(halved.out)
    for name, weights in whole.items():
        torch.testing.assert_close(half[name], weights * (0.5 if "lora_B" in name else 1.0))
