"""`score-model`'s encoding beside the reference's, question by question: same model, same machine, same questions.

    python benchmarks/score_model_speed.py ../shared/models/flickr8k-dual-encoder ../shared/data/flickr8k/train.parquet
    python benchmarks/score_model_speed.py MODEL TRAIN.parquet --questions 200 --photos 160 --reference-questions 64

5,000 questions of four captions over 4,000 photos; the captions are those of Flickr8k, four of different photos for a
question, so that few are asked twice. The reference way is that of NegBench's scorer: batches of 64 questions, their
captions padded to 77 tokens, each photo decoded and encoded again for each of its questions. Ours is `score_suite`
with an empty cache, all figures without intervals included; the second time, with the cache that the first one
filled. Both must answer alike. The reference way costs the same for every batch, so that `--reference-questions` may
time the first so many alone and say what all would take. Seconds are of the processor, which a busy machine does not
lengthen much; the peak of memory is that of the process.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path


def read_suite(file: Path, photos: int, questions: int):
    """A suite from captioned photos in Parquet."""
    import random

    import pyarrow.parquet as pq

    from notclip.recaption.suite import Question, Suite

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
    chance = random.Random(0)
    asked = []
    for number in range(questions):
        own = number % len(rows)
        others = chance.sample([row for row in range(len(rows)) if row != own], 3)
        choices = [chance.choice(captions[row]) for row in (own, *others)]
        asked.append(Question(str(own), tuple(choices), 0, ("affirmation",) * 4))
    found = {str(row): Bytes(content["image"]["bytes"], f"row {row}") for row, content in enumerate(rows)}
    return Suite("benchmark", found, asked)


def by_the_reference(model, suite, count):
    """Scores of the choices of the first so many questions, question by question."""
    import torch
    from torch.nn.functional import normalize

    from notclip.recaption.suite import open_photo

    scores = []
    processor, backbone = model.processor, model.backbone
    with torch.inference_mode():
        for start in range(0, count, 64):
            batch = suite.questions[start : min(start + 64, count)]
            images = [open_photo(suite.photos[question.image_id]) for question in batch]
            pixels = processor.image_processor(images=images, return_tensors="pt")["pixel_values"]
            texts = [choice for question in batch for choice in question.choices]
            tokens = processor.tokenizer(
                texts, padding="max_length", truncation=True, max_length=77, return_tensors="pt"
            )
            image_embeds = normalize(backbone.get_image_features(pixel_values=pixels).pooler_output, dim=-1)
            text_embeds = normalize(backbone.get_text_features(**tokens).pooler_output, dim=-1)
            scores.append(torch.einsum("bd,bcd->bc", image_embeds, text_embeds.view(len(batch), 4, -1)))
    return torch.cat(scores)


def main() -> int:
    """Time both, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("parquet", type=Path)
    parser.add_argument("--questions", type=int, default=5000)
    parser.add_argument("--photos", type=int, default=4000)
    parser.add_argument("--reference-questions", type=int, help="time the reference way on the first so many")
    options = parser.parse_args()
    import torch

    from notclip.embedding_shelf import EmbeddingShelf
    from notclip.loading import load_model
    from notclip.scoring import Shelves, score_suite

    torch.set_num_threads(1)
    model = load_model(options.model)
    suite = read_suite(options.parquet, options.photos, options.questions)
    print(f"{len(suite.questions):,} questions over {len(suite.photos):,} photos, one thread")
    timings = {}

    def timed(name: str, run):
        started = time.process_time()
        result = run()
        timings[name] = time.process_time() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{name:24}{timings[name]:10.2f} s   peak of the process so far {peak:,.0f} MB", flush=True)
        return result

    with tempfile.TemporaryDirectory() as folder:

        def ours():
            shelves = Shelves(EmbeddingShelf(Path(folder) / "photos"), EmbeddingShelf(Path(folder) / "texts"))
            return score_suite(model, suite, shelves=shelves, n_resamples=0, progress=False)

        first = timed("ours", ours)
        again = timed("ours, from the cache", ours)
    count = min(options.reference_questions or options.questions, options.questions)
    reference = timed("question by question", lambda: by_the_reference(model, suite, count))
    apart = (torch.tensor(first.predictions.scores[:count]) - reference).abs().max().item()
    whole = timings["question by question"] * options.questions / count
    print(f"timed on {count:,} questions; all {options.questions:,} would take {whole:.0f} s")
    print(f"ours is {whole / timings['ours']:.1f} times as fast, ", end="")
    print(f"from the cache {whole / timings['ours, from the cache']:.0f} times; ", end="")
    print(f"scores differ by at most {apart:.1e}")
    return 0 if apart < 1e-3 and again.predictions.scores == first.predictions.scores else 1


if __name__ == "__main__":
    sys.exit(main())
