"""What a training of a given size needs, on paper: hours, bytes, steps, network; each line says what it is made of.

    python benchmarks/training_plan.py
    python benchmarks/training_plan.py --images 100000000 --captions 300000000 --questions 400000000

Nothing is measured here. The defaults are ViT-B/32 on eight H100s; `--share` is a guess of how much of the peak a step
reaches, `--decode` what one thread of our machine was measured to decode and preprocess, `--texts-a-choice` what
`benchmarks/train_step.py` counts of distinct texts, parts of captions among them.
"""

import argparse
import sys


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=float, default=10e6)
    parser.add_argument("--captions", type=float, default=30e6)
    parser.add_argument("--questions", type=float, default=40e6)
    parser.add_argument("--epochs", type=float, default=1)
    parser.add_argument("--gpus", type=int, default=8)
    parser.add_argument("--peak", type=float, default=989e12, help="FLOPS of one GPU in bf16")
    parser.add_argument("--share", type=float, default=0.3, help="of the peak")
    parser.add_argument("--cores", type=int, default=192)
    parser.add_argument("--decode", type=float, default=190, help="photos a second and core")
    parser.add_argument("--batch-images", type=int, default=4096)
    parser.add_argument("--batch-questions", type=int, default=16384)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--image-flops", type=float, default=8.8e9, help="of one photo through the image tower")
    parser.add_argument("--text-weights", type=float, default=37.8e6, help="in the text tower's blocks")
    parser.add_argument("--adapter-weights", type=float, default=2.4e6)
    parser.add_argument("--tokens", type=float, default=14, help="a text, padding included")
    parser.add_argument("--texts-a-caption", type=float, default=2.0, help="with its parts")
    parser.add_argument("--texts-a-choice", type=float, default=1.5, help="with its parts; groups share choices")
    parser.add_argument("--read", type=float, default=0.56e-3, help="seconds of a core to read what a text denies")
    parser.add_argument("--workers", type=int, default=20, help="of a loader, of each GPU; they read, too")
    o = parser.parse_args(argv)

    compute = o.gpus * o.peak * o.share
    decoding, encoding = o.images / (o.cores * o.decode), o.images * o.image_flops / compute
    steps = o.epochs * o.images / o.batch_images
    texts = o.batch_images * o.texts_a_caption + o.batch_questions * o.texts_a_choice
    # Forward, and backward to activations; frozen weights have no gradient of their own.
    step = 4 * o.text_weights * o.tokens * texts / compute
    gathered = 2 * o.batch_images * (3 * o.width) * 4 * (o.gpus - 1) / o.gpus
    reduced = 2 * o.adapter_weights * 4 * (o.gpus - 1) / o.gpus
    read = o.batch_images * o.width * 4 + o.batch_questions * o.width * 4
    reading = texts / o.gpus * o.read  # of each process
    alone, hours = steps * (step + reading) / 3600, steps * max(step, reading / o.workers) / 3600
    rows = {
        "embedding: decoding": f"{decoding / 60:.0f} minutes on {o.cores} cores",
        "embedding: the image tower": f"{encoding / 60:.1f} minutes on {o.gpus} GPUs",
        "embeddings on disk, single precision": f"{o.images * o.width * 4 / 1e9:.0f} GB",
        "texts in Arrow, 150 bytes a text": f"{(o.captions * 4 + o.questions * 4) * 150 / 1e9:.0f} GB",
        "indices, 8 bytes a row, in memory while they are made": f"{5 * (o.captions + o.questions) * 8 / 1e9:.1f} GB",
        "steps": f"{steps:,.0f}, {o.batch_images:,} images and {o.batch_questions:,} questions each",
        "distinct texts a step": f"{texts:,.0f}",
        "a step on the GPUs": f"{step:.3f} s",
        "a step's texts read by one core a GPU, none known before": f"{reading:.2f} s",
        f"the training, {o.workers} loader workers a GPU": f"{hours:.2f} hours, {hours * o.gpus:.1f} GPU hours",
        "the training without loader workers": f"{alone:.2f} hours, {alone * o.gpus:.1f} GPU hours",
        "network a step and GPU": f"{(gathered + reduced) / 1e6:.0f} MB ({gathered / 1e6:.0f} of them negatives)",
        "read from disk a step": f"{read / 1e6:.0f} MB of embeddings, at random",
        "logits of the contrastive loss": f"{2 * o.batch_images**2 * 4 / 1e6:.0f} MB a GPU",
    }
    size = f"{o.images / 1e6:g} M images, {o.captions / 1e6:g} M captions, {o.questions / 1e6:g} M questions"
    print(f"| {size} | |\n|---|---|")
    print("\n".join(f"| {name} | {value} |" for name, value in rows.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
