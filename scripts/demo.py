"""The whole way on one machine: data, training, scores, a staged release checked as its users use it, and a table.

    notclip demo                                                       # the drawn world, nothing to download
    notclip demo --base openai/clip-vit-base-patch32 --source DATA     # a model of the Hub and your photos
    notclip demo --base FOLDER --source FOLDER --out build/mine

Started again with the same options it goes on where it was broken off. Exit status: 0 done, 1 a check of the release
failed, 2 bad input.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from notclip.errors import BadInputError
from notclip.only_writer import only_writer
from notclip.scripts.command_line import command, parse
from notclip.whole_files import whole_file, write_whole

DRAWN_WORLD = "drawn-world"
# Its towers are tiny: a higher rate than the default, more of it through the composition, more passes.
DRAWN_WORLD_EPOCHS = 8
DRAWN_WORLD_RECIPE = ("--learning-rate", "4e-3", "--plain-share", "0.1")
# An adapter learns one question an image by heart: 83 % on Flickr8k's own, 68 % on validation (docs/experiments.md).
QUESTIONS_PER_IMAGE = "3"


@dataclass(frozen=True)
class DemoConfig:
    """Options of `notclip demo`."""

    out: Path = Path("build")
    """Folder for data/, trained/, results/, hub/ and overview.png."""
    base: str = DRAWN_WORLD
    """Hub id or folder of a dual encoder; by default the tiny one that comes with the drawn world."""
    source: str = DRAWN_WORLD
    """Captioned images: a folder of Parquet files or anything that `datasets.load_dataset` loads."""
    detector: Path | None = None
    """ONNX detector that verifies absences in photos; for a source in ../shared, the one beside it."""
    namespace: str = "me"
    """User or organisation on the Hub that the staged repositories will belong to."""
    limit: int | None = None
    """At most so many images of each split, for a quick look; all by default."""
    epochs: int | None = None
    """Passes over the training images; 8 on the drawn world, whose towers are tiny, else the training's default."""
    seed: int = 0
    """Seed of data, training and scoring."""


@command(again="The same command goes on where it was broken off.")
def main(argv: list[str] | None = None) -> int:
    """Run each step that is not done yet, then print what came out."""
    config = parse(DemoConfig, argv, prog="notclip demo", description="The whole way on one machine.")
    with only_writer(config.out):
        return _run_demo(config)


def _run_demo(config: DemoConfig) -> int:
    started = time.monotonic()
    _remember(config)
    base = str(_drawn_world_encoder()) if config.base == DRAWN_WORLD else config.base
    out = config.out
    data, trained, results, hub = out / "data", out / "trained", out / "results", out / "hub"
    seed = ["--seed", str(config.seed)]

    detector = config.detector or _detector_beside(config.source)
    build = ["--source", config.source, "--out", str(data), "--questions-per-image", QUESTIONS_PER_IMAGE, *seed]
    build += [] if detector is None else ["--detector", str(detector)]
    build += [] if config.limit is None else ["--limit", str(config.limit)]
    _step("1/6 build the dataset", "build_dataset", build, done=data / "build.json")

    train = ["--base", base, "--data", str(data), "--out", str(trained), *seed]
    epochs = DRAWN_WORLD_EPOCHS if config.epochs is None and config.base == DRAWN_WORLD else config.epochs
    train += [] if epochs is None else ["--epochs", str(epochs)]
    train += DRAWN_WORLD_RECIPE if config.base == DRAWN_WORLD else []
    train += ["--resume"] if (trained / "train_config.json").exists() else []
    _step("2/6 train the adapter", "train_adapter", train, done=trained / "training.json")

    scored = {"base": base, "backbone": str(trained / "backbone"), "notclip": str(trained / "model")}
    for number, (name, model) in enumerate(scored.items()):
        score = ["--model", model, "--suite", str(data), "--out", str(results / f"{name}.json"), *seed]
        score += ["--compare", str(results / "base.json")] if name != "base" else []
        done = results / f"{name}.json"
        _step(f"3/6 score {name} ({number + 1} of {len(scored)})", "score_model", score, done=done)

    files = [str(results / f"{name}.json") for name in scored]
    stage = ["--model", str(trained), "--data", str(data), "--results", *files]
    stage += ["--namespace", config.namespace, "--out", str(hub)]
    stage += ["--name", f"notclip-{DRAWN_WORLD}"] if config.base == DRAWN_WORLD else []
    _step("4/6 stage the release", "stage_release", stage, done=hub / "manifest.json")

    print("\n== 5/6 use the release as its users will, in a fresh process without this package", flush=True)
    checked = _run("check_release", [str(hub), "--base", base])

    print("\n== 6/6 draw the overview", flush=True)
    _draw(base, config, out / "overview.png")
    print("\n".join(_summary(config, time.monotonic() - started)))
    return checked


def _step(title: str, script: str, arguments: list[str], *, done: Path) -> None:
    if done.exists():
        print(f"\n== {title}: done before, {done} is there", flush=True)
        return
    print(f"\n== {title}\n$ notclip {script.replace('_', '-')} {' '.join(arguments)}", flush=True)
    status = _run(script, arguments)
    if status > 1 or not done.exists():
        raise SystemExit(status or 1)


def _run(script: str, arguments: list[str]) -> int:
    from importlib import import_module

    run: Callable[[list[str]], int] = import_module(f"notclip.scripts.{script}").main
    return run(arguments)


def _remember(config: DemoConfig) -> None:
    """Keep the options in OUT, so that steps done under other options are not taken for these."""
    file = config.out / "demo.json"
    now = {name: None if value is None else str(value) for name, value in asdict(config).items() if name != "out"}
    if file.exists():
        before = json.loads(file.read_text(encoding="utf-8"))
        changed = [name for name in now if now[name] != before.get(name)]
        if changed:
            raise BadInputError(
                f"`out` {config.out} holds a demo whose `{changed[0]}` was {before.get(changed[0])}, not "
                f"{now[changed[0]]}: name another folder, or remove this one."
            )
    write_whole(file, json.dumps(now, indent=2) + "\n")


def _drawn_world_encoder() -> Path:
    return Path(__file__).parent.parent / "recaption" / "drawn_world" / "encoder"


def _detector_beside(source: str) -> Path | None:
    candidate = Path(source).parent.parent / "models" / "yolox_nano.onnx"
    return candidate if Path(source).is_dir() and candidate.is_file() else None


def _draw(base: str, config: DemoConfig, path: Path) -> None:
    from notclip.hub_cards.overview import draw_overview
    from notclip.hub_cards.results import Results
    from notclip.loading import load_model

    results = {name: Results.read(config.out / "results" / f"{name}.json") for name in ("base", "notclip")}
    trained = load_model(str(config.out / "trained" / "model"))
    with whole_file(path) as partial:
        draw_overview(load_model(base), trained, config.out / "data", results, partial)


def _summary(config: DemoConfig, seconds: float) -> list[str]:
    contents = {
        name: json.loads((config.out / "results" / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("base", "backbone", "notclip")
    }
    rows = {
        "questions: affirmation": "accuracy_by_kind/affirmation",
        "questions: negation": "accuracy_by_kind/negation",
        "questions: hybrid": "accuracy_by_kind/hybrid",
        "questions: macro accuracy": "macro_accuracy",
        "  of which by looking (vision gain)": "vision_gain",
        "recall@5, ordinary queries": "recall@5",
        "recall@5, negated queries": "negated_recall@5",
        "violation@5 (lower is better)": "violation@5",
    }
    lines = ["", f"{'Test split, %':38}{'base':>8}{'merged':>9}{'NotCLIP':>9}", "-" * 64]
    for label, metric in rows.items():
        values = [_metric(content, metric) for content in contents.values()]
        lines.append(f"{label:38}{values[0]:8.1f}{values[1]:9.1f}{values[2]:9.1f}")
    forgotten = _metric(contents["base"], "recall@5") - _metric(contents["notclip"], "recall@5")
    lines += [
        "-" * 64,
        f"Forgotten: {forgotten:.1f} points of ordinary recall@5 (negative: gained). {seconds / 60:.1f} minutes.",
        "",
        f"{config.out}/data          the dataset: captions, questions, retrieval",
        f"{config.out}/trained       adapter/, backbone/ (merged), model/ (NotCLIP), training.json",
        f"{config.out}/results       every figure with its confidence interval",
        f"{config.out}/hub           the release, as it will stand on the Hub, with cards",
        f"{config.out}/overview.png  what the same queries find before and after: look at it first",
        "",
        "Next, to try the release whole, on a Hub of this machine: pushed, downloaded, used, its Space started:",
        f"$ notclip rehearse {config.out}/hub",
    ]
    return lines


def _metric(content: dict, name: str) -> float:
    value = content["metrics"]
    for key in name.split("/"):
        value = value[key]
    return 100 * value


if __name__ == "__main__":
    sys.exit(main())
