"""Teach a dual encoder negation with an adapter, on its text tower unless told otherwise.

    notclip train-adapter --base openai/clip-vit-base-patch32 --data build/data --out build/adapter
    notclip train-adapter --base openai/clip-vit-base-patch32 --data build/data --out build/adapter --resume
    torchrun --nproc-per-node 2 -m notclip.scripts.train_adapter --base … --data … --out …

Writes OUT/adapter (PEFT), OUT/backbone (merged, plain format), OUT/model (NotCLIP with its code) and training.json.
"""

import sys
import time

from notclip.command_line import command, parse
from notclip.training.config import TrainConfig


@command(again="The same command with --resume goes on after the last checkpoint, to the same weights.")
def main(argv: list[str] | None = None) -> int:
    """Train, choose the epoch, calibrate, export; 1 when no epoch was better than the backbone, which stays."""
    config = parse(TrainConfig, argv, prog="notclip train-adapter", description="Train a negation adapter.")
    import torch
    from accelerate import PartialState

    from notclip.training.run import run_training

    processes = PartialState(cpu=not torch.accelerator.is_available())  # torchrun or accelerate may start several
    started = time.monotonic()
    try:
        record = run_training(config)
    finally:
        processes.destroy_process_group()
    if record is None:  # another process reports
        return 0
    first, chosen = record["history"][0], record["history"][record["chosen_epoch"]]
    print(f"\nChosen on validation: epoch {chosen['epoch']} of {config.epochs} ({time.monotonic() - started:.0f} s).")
    print(f"  {'':24}{'backbone':>10}{'chosen':>10}")
    for name in first:
        if name != "epoch":
            print(f"  {name.replace('_', ' '):24}{100 * first[name]:z9.1f}%{100 * chosen[name]:z9.1f}%")
    print(f"Written: {config.out}/adapter, {config.out}/backbone, {config.out}/model, {config.out}/training.json")
    if "image" in record["trained_towers"]:
        print(
            "The image tower learnt, too: an index that the base made does not serve these models; embed photos anew."
        )
    if record.get("texts_cut"):
        print(
            f"{record['texts_cut']:,} texts are longer than the {record['text_tokens']} tokens that this text tower "
            f"sees, and their end was not learnt from: build again with --text-tokens {record['text_tokens']}."
        )
    if record["chosen_epoch"] == 0 and config.epochs > 0:
        reason, advice = _why_none(record["history"], config.recall_tolerance)
        print(
            f"{reason}: what was written is the backbone with the composition alone. Try {advice}.",
            file=sys.stderr,
        )
        return 1
    return 0


def _why_none(history: list[dict], recall_tolerance: float) -> tuple[str, str]:
    """Why no epoch was kept, and what to try."""
    start, *epochs = history
    recalls = [name for name in ("recall_at_5", "away_recall_at_5") if name in start]
    keeping = [e for e in epochs if all(e[name] >= start[name] - recall_tolerance for name in recalls)]
    if not keeping:
        reason = f"No epoch kept ordinary recall@5 within {recall_tolerance:.1%} of the backbone's"
        return reason, "a higher --anchor-weight or a lower --learning-rate"
    away = "away_macro_accuracy"
    if away in start and all(entry[away] < start[away] for entry in keeping):
        reason = "What was learnt helps at home alone: of other photos no epoch answered as many questions"
        return reason, "data of more kinds of photos, a detector when it is built, or a lower --learning-rate"
    reason = "No epoch that kept ordinary recall answered more validation questions than the backbone"
    return reason, "more data or --epochs, or another --learning-rate"


if __name__ == "__main__":
    sys.exit(main())
