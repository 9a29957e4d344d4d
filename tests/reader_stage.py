"""notclip-reader in small: three labelled texts a split, and made-up results of the reader of this package."""

import hashlib
import json

from notclip.hub_cards.staging.config import StageReaderConfig
from notclip.remote import reading_tagger

CARD = """---
license:
- mit # of the texts
- apache-2.0 # of the labels
---

| source | what | licence of the texts |
|---|---|---|
| streets | what people said | MIT |
| secret | captions | research only: **no text here** |

## How it was labelled

By two passes.

<!-- figures -->
| source | train | development | test |
|---|---:|---:|---:|
| streets | 2 | 2 | 2 |

| source | texts | F1 of denied words |
|---|---:|---:|
| streets | 6 | 97.3 % |
<!-- end of figures -->

## Limits

- English only.
"""
# Text, what it denies, what it affirms.
TEXTS = (("a street with no parked cars", "parked cars", "street"), ("a red t-shirt, not a hat", "hat", "shirt"))


def labelled(split):
    for number, (text, *marked) in enumerate(TEXTS):
        spans = [[[text.index(words), text.index(words) + len(words)]] for words in marked]
        row = {"id": f"streets-{split}-{number}", "source": "streets", "text": text, "split": split, "sha256": None}
        row |= dict(zip(("denied", "affirmed"), spans, strict=True))
        yield row
    yield row | {"id": f"secret-{split}", "source": "secret", "text": None, "sha256": "0" * 64}


def write_labels(folder):
    folder.mkdir()
    (folder / "README.md").write_text(CARD)
    for split in ("train", "development", "test"):
        lines = (json.dumps(row) for row in labelled(split))
        (folder / f"{split}.jsonl").write_text("".join(f"{line}\n" for line in lines))


def results_of(labels, level=0.8125):
    def share(value):
        return {"texts": 1234, "right": 1000, "value": value, "low": value - 0.0511, "high": value + 0.0511}

    rightly = {"ours": share(level), "labels alone": share(level - 0.1)}
    return {
        "split": "test",
        "rightly_read": {title: rightly for title in ("streets", "all that may be passed on", "all")},
        "reports": {},
        "languages": {name: {"left_whole": share(0.9), "rightly_named": share(0.9)} for name in ("pt", "all")},
        "random_strings": {"texts": 5678, "broken_promises": 0},
        "provenance": {
            "weights_sha256": hashlib.sha256(reading_tagger.WEIGHTS.read_bytes()).hexdigest(),
            "data": {"test.jsonl": hashlib.sha256((labels / "test.jsonl").read_bytes()).hexdigest()},
        },
    }


def write_inputs(folder):
    """Write labels and results into a folder; gives the config of a stage of them, with changes."""
    write_labels(folder / "labels")
    (folder / "results.json").write_text(json.dumps(results_of(folder / "labels")))

    def config(**changes):
        given = {"namespace": "ann", "out": folder / "hub", "labels": folder / "labels"}
        return StageReaderConfig(**(given | {"results": folder / "results.json"} | changes))

    return config
