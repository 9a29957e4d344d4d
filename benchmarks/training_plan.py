"""What a training of a given size needs, on paper: hours, bytes, steps, network; each line says what it is made of.

    python benchmarks/training_plan.py
    python benchmarks/training_plan.py --images 100000000 --captions 300000000 --questions 400000000

Nothing is measured here. The defaults are ViT-B/32 on eight H100s. Measured on one thread of our machine: `--decode`
(photos decoded and preprocessed), `--read`, `--take`, `--tokenise`, `--index` and `--activations`; `--texts-a-choice`
is what `benchmarks/train_step.py` counts of distinct texts, parts of captions among them. Guessed: `--share` of the
peak that a step reaches, `--price`, `--reads` of a disk.
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
    parser.add_argument("--weights", type=float, default=151e6, help="of both towers")
    parser.add_argument("--adapter-weights", type=float, default=2.4e6)
    parser.add_argument("--tokens", type=float, default=14, help="a text, padding included")
    parser.add_argument("--texts-a-caption", type=float, default=2.0, help="with its parts")
    parser.add_argument("--texts-a-choice", type=float, default=1.5, help="with its parts; groups share choices")
    parser.add_argument("--read", type=float, default=0.56e-3, help="seconds of a core to read what a text denies")
    parser.add_argument(
        "--index", type=float, default=30e-6, help="seconds of a core for a row to be copied and indexed"
    )
    parser.add_argument("--take", type=float, default=15e-6, help="seconds of a core for a row out of Arrow")
    parser.add_argument("--tokenise", type=float, default=45e-6, help="seconds of a core for the tokens of a text")
    parser.add_argument("--activations", type=float, default=1.1e6, help="bytes a token, single precision")
    parser.add_argument("--reads", type=float, default=500e3, help="random reads of a disk a second")
    parser.add_argument("--price", type=float, default=3.0, help="dollars for a GPU hour, its cores and disk with it")
    parser.add_argument("--workers", type=int, default=20, help="of a loader, of each GPU; they read texts, too")
    o = parser.parse_args(argv)

    indexed = (o.images + o.captions + o.questions) * o.index  # a query an image
    compute = o.gpus * o.peak * o.share
    decoding, encoding = o.images / (o.cores * o.decode), o.images * o.image_flops / compute
    steps = o.epochs * o.images / o.batch_images
    texts = o.batch_images * o.texts_a_caption + o.batch_questions * o.texts_a_choice
    # Forward, and backward to activations; frozen weights have no gradient of their own.
    # Half of the captions go through the tower once more, for the anchor.
    step = (4 * texts + o.batch_images) * o.text_weights * o.tokens / compute
    gathered = 2 * o.batch_images * (3 * o.width) * 4 * (o.gpus - 1) / o.gpus
    reduced = 2 * o.adapter_weights * 4 * (o.gpus - 1) / o.gpus
    rows = o.batch_images + o.batch_questions
    reading = texts / o.gpus * o.read + rows / o.gpus * o.take  # of each process
    tokens = texts / o.gpus * o.tokenise  # cut by the process itself, while its GPU waits
    loaded = max(step + tokens, reading / o.workers, rows / o.reads)
    alone, hours = steps * (step + tokens + reading) / 3600, steps * loaded / 3600
    activations = texts / o.gpus * o.tokens * o.activations
    again = min(32, texts) * o.tokens * o.activations
    weights = (o.weights + o.adapter_weights * 4) * 4  # of the adapter gradients and AdamW's two moments, too
    logits = 2 * o.batch_images**2 * 4
    machine_hours = max(decoding, encoding) / 3600 + hours
    lines = {
        "embedding: decoding": f"{decoding / 60:.0f} minutes on {o.cores} cores",
        "embedding: the image tower": f"{encoding / 60:.1f} minutes on {o.gpus} GPUs",
        "embeddings on disk, single precision": f"{o.images * o.width * 4 / 1e9:.0f} GB",
        "texts in Arrow, 150 bytes a text": f"{(o.captions * 4 + o.questions * 4) * 150 / 1e9:.0f} GB",
        "texts copied and indexed once, by one core": f"{indexed / 3600:.1f} hours",
        "indices, 8 bytes a row, in memory while they are made": f"{5 * (o.captions + o.questions) * 8 / 1e9:.1f} GB",
        "steps": f"{steps:,.0f}, {o.batch_images:,} images and {o.batch_questions:,} questions each",
        "distinct texts a step": f"{texts:,.0f}",
        "a step's arithmetic on the GPUs": f"{step:.3f} s",
        "a step's tokens, cut by the process of each GPU": f"{tokens:.3f} s",
        "a step's texts read by one core a GPU, none known before": f"{reading:.2f} s",
        "a step's embeddings, read from disk at random": f"{rows * o.width * 4 / 1e6:.0f} MB, {rows / o.reads:.3f} s",
        f"the training, {o.workers} loader workers a GPU": f"{hours:.2f} hours, {hours * o.gpus:.1f} GPU hours",
        "the training without loader workers": f"{alone:.2f} hours, {alone * o.gpus:.1f} GPU hours",
        "memory of a GPU: weights, gradients, optimizer": f"{weights / 1e9:.1f} GB",
        "memory of a GPU: activations of a step": f"{activations / 1e9:.0f} GB ({activations / 2e9:.0f} in bf16)",
        "the same with activation_checkpointing": f"{again / 1e9:.1f} GB, and a third more arithmetic",
        "memory of a GPU: logits of the contrastive loss": f"{logits / 1e6:.0f} MB",
        "network a step and GPU": f"{(gathered + reduced) / 1e6:.0f} MB ({gathered / 1e6:.0f} of them negatives)",
        f"cost of both, {o.price:g} dollars a GPU hour": f"{machine_hours * o.gpus * o.price:.0f} dollars",
    }
    size = f"{o.images / 1e6:g} M images, {o.captions / 1e6:g} M captions, {o.questions / 1e6:g} M questions"
    print(f"| {size} | |\n|---|---|")
    print("\n".join(f"| {name} | {value} |" for name, value in lines.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
