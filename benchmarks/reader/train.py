"""Trains the tagger of the reader: from the data beside this file to modeling/reading_tagger.safetensors.

python benchmarks/reader/train.py [--out modeling/remote/reading_tagger.safetensors]
"""

import argparse
import hashlib
import json
import platform
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from examples import Examples  # noqa: E402
from fillers import Labelled  # noqa: E402

from notclip.remote.reading_tagger import LABELS, Tagger, TaggerNetwork  # noqa: E402

SHARED = HERE.parents[2] / "shared"
BASE = SHARED / "models" / "flickr8k-dual-encoder"
MIXTURE = {
    "hand": 0.22,
    "frames_written": 0.43,
    "frames_paraphrases": 0.05,
    "captions": 0.10,
    "phrased": 0.15,
    "plain": 0.02,
    "reports": 0.03,
}
# Of the last steps, which start from the weights of the first, and of the end, which starts from theirs: what was
# still misread oftener.
LAST_MIXTURE = MIXTURE | {"frames_written": 0.24, "frames_last": 0.16, "phrased": 0.20, "captions": 0.08}
END_MIXTURE = MIXTURE | {
    "hand": 0.25,
    "frames_written": 0.18,
    "frames_last": 0.06,
    "frames_end": 0.22,
    "phrased": 0.22,
}


def base_vocabulary(embedding_size: int) -> tuple[list[str], Tensor]:
    """The base's word pieces that are ASCII, and the main components of its embeddings of them, (V, E)."""
    from safetensors import safe_open

    ids = json.loads((BASE / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    kept = [
        (piece, place)
        for piece, place in sorted(ids.items(), key=lambda item: item[1])
        if piece.isascii() and not piece.startswith("[unused") and piece not in ("[CLS]", "[SEP]", "[MASK]")
    ]
    kept.sort(key=lambda item: item[0] != "[PAD]")
    with safe_open(BASE / "model.safetensors", "pt") as file:
        name = next(name for name in file.keys() if name.endswith("word_embeddings.weight"))
        embeddings = file.get_tensor(name).float()[[place for _, place in kept]]
    centred = embeddings - embeddings.mean(0)
    _, axes = torch.linalg.eigh(centred.T @ centred)
    reduced = centred @ axes[:, -embedding_size:]
    reduced = reduced / reduced.std()
    reduced[0] = 0
    return [piece for piece, _ in kept], reduced


class Learned(nn.Module):
    """The network while it learns: the base's embeddings stay, and frequent pieces learn what to add to theirs."""

    def __init__(self, network: TaggerNetwork, embeddings: Tensor, frequent: list[int]) -> None:
        super().__init__()
        self.network = network
        self.network.embeddings.weight.data.copy_(embeddings)
        self.network.embeddings.weight.requires_grad_(False)
        self.added = nn.Embedding(len(frequent) + 1, embeddings.shape[1])
        nn.init.zeros_(self.added.weight)
        place = torch.zeros(len(embeddings), dtype=torch.long)
        place[frequent] = torch.arange(1, len(frequent) + 1)
        self.register_buffer("place", place)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Scores of the labels, shape (B, L, 6)."""
        places = self.place[input_ids]
        embedded = self.network.embeddings(input_ids) + self.added(places) * (places != 0).unsqueeze(-1)
        return self.network.from_embeddings(embedded, (input_ids != 0).unsqueeze(-1))

    def merged(self) -> TaggerNetwork:
        """The network with what was learned added to its embeddings."""
        with torch.no_grad():
            frequent = self.place != 0
            self.network.embeddings.weight[frequent] += self.added.weight[self.place[frequent]]
            self.added.weight.zero_()
        return self.network


def tensors_of(texts: list[Labelled], tagger: Tagger) -> tuple[Tensor, Tensor]:
    """Pieces (B, L), and which labels each may have, (B, L, 6)."""
    rows, sets = [], []
    for text in texts:
        ids, places = tagger.pieces([word for word, _ in text])
        rows.append(ids)
        # A word's further pieces have its label.
        sets.append([[float(label in text[place][1]) for label in LABELS] for place in places])
    length = max(map(len, rows))
    input_ids = torch.tensor([ids + [0] * (length - len(ids)) for ids in rows])
    allowed = torch.tensor([of_text + [[1.0] * len(LABELS)] * (length - len(of_text)) for of_text in sets])
    return input_ids, allowed


def allowed_loss(scores: Tensor, allowed: Tensor, there: Tensor) -> Tensor:
    """Mean of -log of the probability of all labels that a piece may have."""
    of_pieces = scores.logsumexp(-1) - scores.masked_fill(allowed == 0, -1e4).logsumexp(-1)
    return (of_pieces * there).sum() / there.sum()


def write_weights(network: TaggerNetwork, vocabulary: list[str], path: Path) -> None:
    """Write a file of safetensors that `Tagger.from_bytes` reads."""
    settings = {
        "vocabulary": "\n".join(vocabulary),
        "embedding_size": network.embeddings.embedding_dim,
        "hidden_size": network.inner.out_features,
        "dilations": list(network.dilations),
    }
    header: dict = {"__metadata__": {"format": "pt", "settings": json.dumps(settings)}}
    data = b""
    for name, tensor in network.state_dict().items():
        content = tensor.half().numpy().tobytes()
        header[f"tagger.{name}"] = {
            "dtype": "F16",
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + data)


def write_record(options: argparse.Namespace, examples: Examples, losses: list[float], seconds: float) -> None:
    """Write beside the weights how they came about."""
    sources = [*sorted(HERE.glob("*.txt")), *sorted(HERE.glob("*.py")), HERE.parent / "reading_data" / "train.jsonl"]
    record = {
        "command": "python benchmarks/reader/train.py",
        "options": {name: value for name, value in vars(options).items() if name != "out"},
        "mixture": MIXTURE,
        "last_mixture": LAST_MIXTURE,
        "end_mixture": END_MIXTURE,
        "drawn_texts": (options.steps + options.last_steps + options.end_steps) * options.batch,
        "hand_labelled_texts": len(examples.hand),
        "frames": {name: len(frames) for name, (frames, _) in examples.frames.items()},
        "plain_captions": len(examples.captions),
        "report_sentences": len(examples.reports),
        "word_embeddings": "main components of those of ../shared/models/flickr8k-dual-encoder (all-MiniLM-L6-v2)",
        "loss_every_100_steps": losses,
        "processor_seconds": round(seconds),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "sha256_of_sources": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sources},
        "sha256": hashlib.sha256(options.out.read_bytes()).hexdigest(),
    }
    options.out.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def train(
    network: TaggerNetwork, embeddings: Tensor, frequent: list[int], vocabulary: list[str],
    batches: Iterator[list[Labelled]], steps: int, rate: float,
) -> tuple[TaggerNetwork, list[float]]:  # fmt: skip
    """The network after some steps, an average of it over the last ones, and the losses by the hundred steps.

    The rate rises for 100 steps and falls over the last 30 of 100.
    """
    tagger = Tagger(network, vocabulary)
    learned = Learned(network, embeddings, frequent)
    learned.train()
    parameters = [parameter for parameter in learned.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / 100, (steps - step) / (0.3 * steps))
    )
    average = {name: value.clone() for name, value in learned.state_dict().items()}
    started, total, losses = time.time(), 0.0, []
    for step, batch in enumerate(batches, 1):
        input_ids, allowed = tensors_of(batch, tagger)
        loss = allowed_loss(learned(input_ids), allowed, (input_ids != 0).float())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        decay = min(0.998, step / (step + 10))
        for name, value in learned.state_dict().items():
            if value.is_floating_point() and name != "network.embeddings.weight":
                average[name].lerp_(value, 1 - decay)
        total += loss.item()
        if step % 100 == 0:
            losses.append(round(total / 100, 4))
            print(f"step {step}: loss {total / 100:.4f}, {time.time() - started:.0f} s", flush=True)
            total = 0.0
    learned.load_state_dict(average)
    return learned.merged(), losses


def main(argv: list[str] | None = None) -> int:
    """Train, and write weights and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument("--last-steps", type=int, default=1500, help="with LAST_MIXTURE, at a third of the rate")
    parser.add_argument("--end-steps", type=int, default=4000, help="with END_MIXTURE, at a third of the rate")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--hidden", type=int, default=160)
    parser.add_argument("--embedding", type=int, default=64)
    parser.add_argument("--dilations", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--frequent", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--out", type=Path, default=HERE.parents[1] / "modeling" / "remote" / "reading_tagger.safetensors"
    )
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    vocabulary, embeddings = base_vocabulary(options.embedding)
    network = TaggerNetwork(len(vocabulary), options.embedding, options.hidden, options.dilations)
    tagger = Tagger(network, vocabulary)
    words = [piece for piece in vocabulary if piece.isalpha() and len(piece) > 3][500:]
    examples = Examples(SHARED, words)
    counts = Counter[int]()
    for batch in examples.batches(MIXTURE, options.batch, 150, seed=options.seed + 1):
        for text in batch:
            counts.update(tagger.pieces([word for word, _ in text])[0])
    frequent = [piece for piece, _ in counts.most_common(options.frequent)]
    started = time.process_time()
    batches = examples.batches(MIXTURE, options.batch, options.steps, seed=options.seed + 2)
    network, losses = train(network, embeddings, frequent, vocabulary, batches, options.steps, options.rate)
    further = ((LAST_MIXTURE, options.last_steps), (END_MIXTURE, options.end_steps))
    for seed, (mixture, steps) in zip((options.seed + 3, options.seed + 5), further, strict=True):
        # What is written is in half precision: further steps start from what a file of those before says.
        write_weights(network, vocabulary, options.out)
        network = Tagger.from_bytes(options.out.read_bytes()).network
        torch.manual_seed(seed)
        batches = examples.batches(mixture, options.batch, steps, seed=seed + 1)
        embeddings = network.embeddings.weight.detach().clone()
        network, last = train(network, embeddings, frequent, vocabulary, batches, steps, options.rate / 3)
        losses += last
    write_weights(network, vocabulary, options.out)
    write_record(options, examples, losses, time.process_time() - started)
    return 0


if __name__ == "__main__":
    sys.exit(main())
