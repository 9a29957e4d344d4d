"""What one training step costs: ours beside full fine-tuning of the same batch, and beside a bare Trainer's step.

    python benchmarks/train_step.py --data build/data
    python benchmarks/train_step.py --data build/data --images 4 --questions 4 --steps 1      # does it work?
    python benchmarks/train_step.py --data build/data --images 64 --questions 128 --steps 5

The model is CLIP ViT-B/32 with random weights, the tokenizer is the drawn world's. Each way runs in a process of its
own, one after another, with one thread:
- `lora`: NegationTrainer's step, LoRA on the text tower, images embedded before;
- `full`: the same losses and texts, all weights of both towers learn, and the photos go through the image tower;
- `bare`: transformers' own Trainer, the same LoRA text tower over the same texts, and a plain contrastive loss;
- `bare_parts`: the same over all that `lora` embeds, the parts of texts that deny something among them: what is left
  between it and `lora` are the losses, the anchor and the reading.
Prints a Markdown table: processor seconds a step, so that other work on the machine does not count, and the memory
that the process grew by after the model was loaded.

A photo of `full` costs about a processor second, a text of the others a tenth of one: by that some 5 minutes with the
defaults, one with 4 images and 4 questions, and half an hour and 15 GB of memory with 64 and 128, on an idle core.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

WAYS = ("lora", "full", "bare", "bare_parts")
ENCODER = Path(__file__).parents[1] / "recaption" / "drawn_world" / "encoder"


def main(argv: list[str] | None = None) -> int:
    """Measure each way in its own process, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--questions", type=int, default=32)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument(
        "--layers", default="all", help="which learn where not all weights do: train-adapter's --layers"
    )
    parser.add_argument("--way", choices=WAYS, help="measure this one here, and print it as JSON")
    options = parser.parse_args(argv)
    if options.way:
        print(json.dumps(measure(options)))
        return 0
    found = {}
    for way in WAYS:
        command = [sys.executable, __file__, *(sys.argv[1:] if argv is None else argv), "--way", way]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            return 1
        found[way] = json.loads(done.stdout.splitlines()[-1])
    texts = f"{found['bare']['texts']} distinct texts a step, {found['bare_parts']['texts']} with their parts"
    print(f"{options.images} images, {options.questions} questions, {texts}\n")
    print("| step | CPU seconds | ÷ ours | memory, GB | ÷ ours |\n|---|---:|---:|---:|---:|")
    ours = found["lora"]
    for way, row in found.items():
        ratios = [row[name] / ours[name] for name in ("seconds", "gigabytes")]
        print(f"| {way} | {row['seconds']:.1f} | {ratios[0]:.1f} | {row['gigabytes']:.2f} | {ratios[1]:.1f} |")
    return 0


def measure(options: argparse.Namespace) -> dict[str, float]:
    """Seconds of a step, after one that is not counted, and the memory that it took."""
    import tempfile

    import torch
    from transformers import CLIPConfig, CLIPModel, Trainer, TrainerCallback, TrainingArguments

    from notclip.loading import load_model
    from notclip.remote.composition_notclip import image_statistics
    from notclip.remote.modeling_notclip import NotClipModel
    from notclip.training.arguments import NegationTrainingArguments
    from notclip.training.batches import GroupBatchSampler, NegationDataset, as_it_is
    from notclip.training.data import read_training_split
    from notclip.training.learner import Learner
    from notclip.training.lora import add_lora
    from notclip.training.losses import contrastive_loss
    from notclip.training.trainer import NegationTrainer

    torch.set_num_threads(1)
    torch.manual_seed(0)
    processor = load_model(str(ENCODER)).processor
    config = CLIPConfig(text_config={"eos_token_id": processor.tokenizer.sep_token_id or 2})
    model = NotClipModel.from_backbone(CLIPModel(config), processor=processor)
    split = read_training_split(options.data, "train")
    embeds = torch.nn.functional.normalize(torch.randn(len(split.digests), model.config.embedding_dim), dim=-1)
    model.set_statistics(image_statistics(embeds[:2000]))
    before = peak()
    if options.way != "full":
        model.backbone = add_lora(model.backbone, rank=32, alpha=64, layers=options.layers)

    class Clock(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            """Start after the first step."""
            if state.global_step == 1:
                self.began = time.process_time()
            self.seconds = (time.process_time() - self.began) / max(1, state.global_step - 1)

    clock, dataset = Clock(), NegationDataset(split, embeds)
    shared = {"output_dir": tempfile.mkdtemp(), "max_steps": options.steps + 1, "use_cpu": True, "disable_tqdm": True}
    shared |= {"save_strategy": "no", "eval_strategy": "no", "report_to": "none"}
    arguments = NegationTrainingArguments(
        per_device_train_batch_size=options.images,
        per_device_train_questions=options.questions,
        eval_on_start=False,
        load_best_model_at_end=False,
        **shared,
    )
    sampler = GroupBatchSampler(
        images=len(dataset),
        groups=len(split.question_groups),
        largest_group=int(split.group_sizes.max()),
        batch_images=options.images,
        batch_questions=options.questions,
    )
    draws = [draw for draw, _ in zip(sampler, range(options.steps + 1), strict=False)]
    batches = [dataset.__getitems__(draw) for draw in draws]
    texts = [
        list(dict.fromkeys([*batch["texts"], *(c for question in batch["questions"] for c in question.choices)]))
        for batch in batches
    ]
    if options.way == "bare_parts":
        texts = [embedded_of(model, own) for own in texts]
    if options.way == "lora":
        NegationTrainer(model, arguments, train_dataset=dataset, eval_dataset=dataset, callbacks=[clock]).train()
        seconds = clock.seconds
    elif options.way != "full":

        class Bare(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.model = model

            def forward(self, texts, images):
                """A contrastive loss of the batch's first texts; all are encoded."""
                found = self.model.encode_texts(texts, batch_size=32)
                return {"loss": contrastive_loss(images, found[: len(images)], torch.tensor(100.0)) + 0 * found.sum()}

        rows = [{"texts": own, "images": batch["text_images"]} for own, batch in zip(texts, batches, strict=True)]
        plain = TrainingArguments(per_device_train_batch_size=1, remove_unused_columns=False, **shared)
        Trainer(
            Bare(), plain, data_collator=lambda rows: as_it_is(rows[0]), train_dataset=rows, callbacks=[clock]
        ).train()
        seconds = clock.seconds
    else:
        learner = Learner(model)
        learner.loss_weights = type(learner.loss_weights)(anchor=0.0)  # the anchor needs an adapter to be taken away
        model.backbone.requires_grad_(True)
        optimizer = torch.optim.AdamW(learner.parameters(), lr=1e-5)
        began = 0.0
        for step, batch in enumerate(batches):
            if step == 1:
                began = time.process_time()
            pixels = torch.randn(options.images + len(batch["questions"]), 3, 224, 224)
            features = model.get_image_features(pixel_values=pixels).pooler_output
            shown = torch.nn.functional.normalize(features, dim=-1)
            batch |= {"text_images": shown[: options.images], "question_images": shown[options.images :]}
            learner(**batch)["loss"].backward()
            optimizer.step()
            optimizer.zero_grad()
        seconds = (time.process_time() - began) / options.steps
    return {"seconds": seconds, "gigabytes": (peak() - before) / 1e9, "texts": sum(map(len, texts)) // len(texts)}


def embedded_of(model, texts: list[str]) -> list[str]:
    """The distinct texts that the model embeds for some: these, and the parts of those that deny something."""
    import torch

    found: dict[str, None] = dict.fromkeys(texts)

    def note(names: list[str], **_) -> torch.Tensor:
        found.update(dict.fromkeys(names))
        return torch.zeros(len(names), model.config.embedding_dim)

    model.encode_texts = note
    model.embed_texts(texts)
    del model.encode_texts
    return list(found)


def peak() -> int:
    """The most bytes that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    sys.exit(main())
