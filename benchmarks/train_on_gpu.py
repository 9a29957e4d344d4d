"""A training step on a GPU: steps a second, peak memory, share of the bf16 peak, and bf16 against single precision.

    python benchmarks/train_on_gpu.py                      # ViT-B/32 at 1,024 and 4,096 images a step
    python benchmarks/train_on_gpu.py --batches 1024 --steps 30 --peak-tflops 989

The model is CLIP ViT-B/32 with random weights, texts and image embeddings are made up. Written on a machine without a
GPU and not yet run on one. Exit status 2 where there is none.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

ENCODER = Path(__file__).parents[1] / "recaption" / "drawn_world" / "encoder"


def main(argv: list[str] | None = None) -> int:
    """Measure each batch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, nargs="+", default=[1024, 4096], help="images of the contrastive loss")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--peak-tflops", type=float, default=989.0, help="of the GPU in bf16; 989 is an H100 SXM")
    parser.add_argument("--cpu", action="store_true", help="try the script without a GPU, with small --batches")
    options = parser.parse_args(argv)
    import torch
    from transformers import CLIPConfig, CLIPModel

    from notclip.loading import load_model
    from notclip.remote.composition_notclip import image_statistics
    from notclip.remote.modeling_notclip import NotClipModel
    from notclip.training.arguments import NegationTrainingArguments
    from notclip.training.batches import NegationDataset
    from notclip.training.data import Caption, TrainingQuestion, TrainingSplit
    from notclip.training.lora import add_lora
    from notclip.training.trainer import NegationTrainer

    if not (options.cpu or torch.cuda.is_available()):
        print("train_on_gpu: there is no GPU here.", file=sys.stderr)
        return 2
    synchronize = (lambda: None) if options.cpu else torch.cuda.synchronize
    things = ("dog", "cat", "car", "ball", "boat", "chair", "tree", "hat")

    def split_of(count: int) -> TrainingSplit:
        captions, groups = [], []
        for image in range(count):
            present, absent = things[image % 8], things[(image + 3) % 8]
            text = f"a {present} near sign {image}"
            captions.append(Caption(image, text, (f"{text} with no {absent}",)))
            choices = tuple(f"a {thing} at {image // 4} but no {absent}" for thing in things[:4])
            if image % 4 == 0:
                groups.append([])
            groups[-1].append(TrainingQuestion(image, choices, image % 4, "hybrid"))
        return TrainingSplit([b""] * count, [b""] * count, captions, groups, [])

    print("| images | precision | steps a second | peak, GB | TFLOPS | share of the peak | loss after |")
    print("|---:|---|---:|---:|---:|---:|---:|")
    for batch in options.batches:
        split = split_of(4 * batch)
        for precision in ("bf16", "single"):
            torch.manual_seed(0)
            processor = load_model(str(ENCODER)).processor
            clip = CLIPModel(CLIPConfig(text_config={"eos_token_id": processor.tokenizer.sep_token_id or 2}))
            model = NotClipModel.from_backbone(clip, processor=processor)
            embeds = torch.nn.functional.normalize(torch.randn(4 * batch, model.config.embedding_dim), dim=-1)
            model.set_statistics(image_statistics(embeds))
            model.backbone = add_lora(model.backbone, rank=32, alpha=64)
            arguments = NegationTrainingArguments(
                output_dir=tempfile.mkdtemp(),
                per_device_train_batch_size=batch,
                per_device_train_questions=2 * batch,
                texts_at_once=1024,
                use_cpu=options.cpu,
                bf16=precision == "bf16",
                max_steps=options.steps,
                eval_strategy="no",
                save_strategy="no",
                eval_on_start=False,
                load_best_model_at_end=False,
                disable_tqdm=True,
                logging_steps=1,
            )
            dataset = NegationDataset(split, embeds)
            trainer = NegationTrainer(model, arguments, train_dataset=dataset, eval_dataset=dataset)
            first = dataset.__getitems__(next(iter(trainer.sampler)))
            texts = set(first["texts"]) | {choice for question in first["questions"] for choice in question.choices}
            tokens = int(processor.tokenizer(sorted(texts), return_tensors="pt", padding=True)["input_ids"].numel())
            # Forward and the gradient of activations; the frozen weights have none: 4 flops a weight and token.
            flops = 4 * tokens * sum(p.numel() for name, p in clip.named_parameters() if "text_model.encoder" in name)
            if not options.cpu:
                torch.cuda.reset_peak_memory_stats()
            synchronize()
            began = time.monotonic()
            trainer.train()
            synchronize()
            rate = options.steps / (time.monotonic() - began)
            peak = float("nan") if options.cpu else torch.cuda.max_memory_allocated() / 1e9
            loss = next(entry["loss"] for entry in reversed(trainer.state.log_history) if "loss" in entry)
            tera = flops * rate / 1e12
            share = tera / options.peak_tflops if precision == "bf16" else float("nan")
            print(
                f"| {batch} | {precision} | {rate:.2f} | {peak:.1f} | {tera:.1f} | {share:.1%} | {loss:.4f} |",
                flush=True,
            )
            del trainer, model, clip
            if not options.cpu:
                torch.cuda.empty_cache()
    return 0


if __name__ == "__main__":
    sys.exit(main())
