"""`score-model`'s encoding beside the reference's, question by question: same model, same machine, same questions.

    python benchmarks/score_model_speed.py ../shared/models/flickr8k-dual-encoder ../shared/data/flickr8k/train.parquet
    python benchmarks/score_model_speed.py MODEL TRAIN.parquet --questions 200 --photos 160 --reference-questions 64

5,000 questions of four captions over 4,000 photos. A question's captions are one of its own photo and three of
others, and none of Flickr8k's captions is asked twice, so that nothing is saved by encoding a caption once. (It is on
NegBench's VOC2007 questions: 4,894 of their 20,124 captions are distinct.) The reference way is that of NegBench's
scorer: batches of 64 questions, their captions padded to 77 tokens, each photo decoded and encoded again for each of
its questions. Ours is `score_suite` with an empty cache, all figures without intervals included; then once more, with
the cache that the first run filled. All must answer alike. Each way runs in a process of its own, one thread, whose
peak of memory the system tells; `base` loads the model and the suite and does nothing. The reference way costs the
same for every batch, so that `--reference-questions` may time the first so many alone and say what all would take.
Seconds are of the processor, which a busy machine does not lengthen much.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WAYS = ("base", "ours", "ours, from the cache", "question by question")


def read_suite(file: Path, photos: int, questions: int):
    """A suite from captioned photos in Parquet."""
    import random

    import pyarrow.parquet as pq

    from notclip.scoring.suites.suite import Suite, SuiteQuestion

    class Bytes:
        def __init__(self, encoded: bytes, where: str) -> None:
            self.encoded, self.where = encoded, where

        def read_bytes(self) -> bytes:
            return self.encoded

    table = pq.ParquetFile(file)
    names = table.schema_arrow.names
    caption = "captions" if "captions" in names else next(name for name in names if name.startswith("caption"))
    rows = next(table.iter_batches(batch_size=photos, columns=["image", caption])).to_pylist()
    captions = [row[caption] if isinstance(row[caption], list) else [row[caption]] for row in rows]
    # Own captions are taken from the front, one for each question of a photo, and the rest is dealt as wrong choices.
    own_count = [len(range(row, questions, len(rows))) for row in range(len(rows))]
    wrong = [(row, text) for row, texts in enumerate(captions) for text in texts[own_count[row] :]]
    random.Random(0).shuffle(wrong)
    asked = []
    for number in range(questions):
        own = number % len(rows)
        dealt = [wrong.pop() for _ in range(3)]
        while any(row == own for row, _ in dealt):
            wrong[:0] = dealt  # to the far end
            dealt = [wrong.pop() for _ in range(3)]
        choices = (captions[own][number // len(rows)], *(text for _, text in dealt))
        asked.append(SuiteQuestion(str(own), choices, 0, ("affirmation",) * 4))
    found = {str(row): Bytes(content["image"]["bytes"], f"row {row}") for row, content in enumerate(rows)}
    return Suite("benchmark", found, asked)


def by_the_reference(model, suite, count):
    """Scores of the choices of the first so many questions, question by question."""
    import torch
    from torch.nn.functional import normalize
    from tqdm import tqdm

    from notclip.scoring.suites.suite import open_suite_photo

    scores = []
    processor, backbone = model.processor, model.backbone
    with torch.inference_mode():
        for start in tqdm(range(0, count, 64), desc="question by question"):
            batch = suite.questions[start : min(start + 64, count)]
            images = [open_suite_photo(suite.photos[question.image_id]) for question in batch]
            pixels = processor.image_processor(images=images, return_tensors="pt")["pixel_values"]
            texts = [choice for question in batch for choice in question.choices]
            tokens = processor.tokenizer(
                texts, padding="max_length", truncation=True, max_length=77, return_tensors="pt"
            )
            image_embeds = normalize(backbone.get_image_features(pixel_values=pixels).pooler_output, dim=-1)
            text_embeds = normalize(backbone.get_text_features(**tokens).pooler_output, dim=-1)
            scores.append(torch.einsum("bd,bcd->bc", image_embeds, text_embeds.view(len(batch), 4, -1)))
    return torch.cat(scores).tolist()


def by_ours(model, suite, folder: Path):
    """Scores of the choices of all questions, and every other figure on the way."""
    from notclip.embedding_store import EmbeddingStore
    from notclip.scoring.cache import EmbeddingCache
    from notclip.scoring.score import score_suite

    cache = EmbeddingCache(EmbeddingStore(folder / "photos"), EmbeddingStore(folder / "texts"))
    return score_suite(model, suite, cache=cache, n_resamples=0).predictions.scores


def measure(way: str, options: argparse.Namespace, count: int) -> None:
    """One way, in this process; prints JSON."""
    import torch

    from notclip.loading import load_model

    torch.set_num_threads(1)
    model = load_model(options.model)
    suite = read_suite(options.parquet, options.photos, options.questions)
    started = time.process_time()
    scores = []
    if way == "question by question":
        scores = by_the_reference(model, suite, count)
    elif way != "base":
        scores = by_ours(model, suite, options.cache)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    distinct = len({choice for question in suite.questions for choice in question.choices})
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "scores": scores, "distinct": distinct}))


def main() -> int:
    """Time all ways, each in a fresh process, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("parquet", type=Path)
    parser.add_argument("--questions", type=int, default=5000)
    parser.add_argument("--photos", type=int, default=4000)
    parser.add_argument("--reference-questions", type=int, help="time the reference way on the first so many")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    count = min(options.reference_questions or options.questions, options.questions)
    if options.way:
        measure(options.way, options, count)
        return 0
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        print(f"{options.questions:,} questions over {options.photos:,} photos, one thread")
        print(f"{'':24}{'seconds':>10}{'peak MB':>10}", flush=True)
        for way in WAYS:
            command = [sys.executable, __file__, *sys.argv[1:], "--cache", folder, "--way", way]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            found[way] = json.loads(done.stdout)
            print(f"{way:24}{found[way]['seconds']:10.2f}{found[way]['peak_mb']:10,.0f}", flush=True)
    base, ours, again, reference = found.values()
    whole = reference["seconds"] * options.questions / count
    pairs = zip(ours["scores"], reference["scores"], strict=False)  # the reference may have answered fewer
    apart = max(abs(a - b) for own, other in pairs for a, b in zip(own, other, strict=True))
    print(f"{base['distinct']:,} distinct captions; the reference, timed on {count:,} questions, takes {whole:.0f} s")
    print(f"ours is {whole / ours['seconds']:.1f} times as fast, ", end="")
    print(f"from the cache {whole / again['seconds']:.0f} times; scores differ by at most {apart:.1e}")
    return 0 if apart < 1e-3 and again["scores"] == ours["scores"] else 1


if __name__ == "__main__":
    sys.exit(main())
