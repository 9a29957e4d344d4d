"""What a change of the recipe does: each row a `notclip train-adapter` command with its validation figures.

    python benchmarks/adapter_recipes.py --base recaption/drawn_world/encoder --data build/data --out build/recipes
    python benchmarks/adapter_recipes.py --base B --data D --out O --seeds 0 1 2 --only "rank 4" "no anchor"
    python benchmarks/adapter_recipes.py --base B --data D --away A --out O --only default "no class prompts"

The first row is what `TrainConfig` does by default; every other row changes what its name says. All runs share OUT's
cache of image embeddings. A run that is done is not done again, one that was broken off goes on. Prints a Markdown
table; figures are of the last epoch, for what the chosen one hides: what the recipe costs in ordinary search.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from notclip.training.config import TrainConfig
from notclip.training.run import run_training

RECIPES: dict[str, dict] = {
    "default": {},
    "composition alone": {"epochs": 0},
    "choice alone": {"contrastive_weight": 0.0},
    "more contrast": {"contrastive_weight": 0.5},
    "nearly all contrast": {"contrastive_weight": 0.99},
    "no anchor": {"anchor_weight": 0.0},
    "half the anchor": {"anchor_weight": TrainConfig.anchor_weight / 2},
    "twice the anchor": {"anchor_weight": 2 * TrainConfig.anchor_weight},
    "composed alone": {"plain_share": 0.0},
    "plain alone": {"plain_share": 1.0},
    "no class prompts": {"class_weight": 0.0},
    "half the class prompts": {"class_weight": TrainConfig.class_weight / 2},
    "twice the class prompts": {"class_weight": 2 * TrainConfig.class_weight},
    "no negated captions": {"negated_share": 0.0},
    "rank 4": {"rank": 4, "alpha": 8},
    "rank 16": {"rank": 16, "alpha": 32},
    "rank 64": {"rank": 64, "alpha": 128},
    "dropout": {"dropout": 0.05},
    "DoRA": {"variant": "dora"},
    "rsLoRA": {"variant": "rslora", "alpha": round(TrainConfig.alpha / TrainConfig.rank**0.5)},
    "image tower": {"towers": "image"},
    "both towers": {"towers": "both"},
    "both towers, DoRA": {"towers": "both", "variant": "dora"},
    **{f"{towers}, all weights": {"towers": towers, "variant": "full"} for towers in ("text", "image", "both")},
    "attention layers": {"layers": "attention"},
    "upper half": {"layers": "upper_half"},
    "a third of the rate": {"learning_rate": 1e-3 / 3},
    "three times the rate": {"learning_rate": 3e-3},
}
FIGURES = ("macro_accuracy", "plain_macro_accuracy", "recall_at_5", "negated_recall_at_5")
AWAY_FIGURES = ("away_macro_accuracy", "away_recall_at_5", "update_share")


def train_once(name: str, seed: int, arguments: argparse.Namespace) -> dict:
    """Train one recipe with one seed, or read what it gave, and return its training record."""
    out = arguments.out / f"{name.replace(' ', '-').lower()}-{seed}"
    if (out / "training.json").is_file():
        return _record(out)
    epochs = {} if arguments.epochs is None else {"epochs": arguments.epochs}
    options = epochs | RECIPES[name]
    kept = {"cache": arguments.out / "cache", "away": arguments.away, "held_out": 0.0}
    config = TrainConfig(arguments.base, arguments.data, out, seed=seed, resume=True, **kept, **options)
    run_training(config)
    return _record(out)


def _record(out: Path) -> dict:
    """What training wrote down, and how long it took."""
    return {**json.loads((out / "training.json").read_text()), **json.loads((out / "timing.json").read_text())}


def row(name: str, records: list[dict]) -> str:
    """One line of the table: mean over seeds, and the standard deviation where there are several."""
    cells = [name, options_text(RECIPES[name])]
    for figure in (*FIGURES, *AWAY_FIGURES):
        if any(figure not in record["history"][-1] for record in records):
            cells.append("")
            continue
        values = [100 * record["history"][-1][figure] for record in records]
        spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
        cells.append(f"{statistics.mean(values):.1f}{spread}")
    cells.append(", ".join(str(record["chosen_epoch"]) for record in records))
    cells.append(str(round(statistics.mean(record["seconds"] for record in records))))
    return f"| {' | '.join(cells)} |"


def options_text(options: dict) -> str:
    """The options as a user types them."""
    typed = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in options.items())
    return f"`{typed}`" if typed else ""


def main() -> int:
    """Train what is not trained yet, one row after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--away", type=Path, help="a built dataset of other photos to judge by")
    parser.add_argument("--epochs", type=int, help=f"of every row that does not say its own; {TrainConfig.epochs}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", choices=list(RECIPES), default=list(RECIPES), metavar="NAME")
    arguments = parser.parse_args()
    rows = [row(name, [train_once(name, seed, arguments) for seed in arguments.seeds]) for name in arguments.only]
    # At the end, since the training says on the same stream how each epoch went.
    heads = ["recipe", "options", "macro, composed", "macro, plain", "recall@5", "negated recall@5"]
    heads += ["away: macro, composed", "away: recall@5", "update kept", "chosen epoch", "s"]
    print(f"| {' | '.join(heads)} |\n|---|---|{'---:|' * (len(heads) - 2)}")
    print("\n".join(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
