"""The whole way on one machine: data, training, scores, a staged release checked as its users use it, and a table.

    notclip demo                                                       # the drawn world, nothing to download
    notclip demo --base openai/clip-vit-base-patch32 --source DATA     # a model of the Hub and your photos
    notclip demo --base FOLDER --source FOLDER --out build/mine

Started again with the same options it goes on where it was broken off; a step whose code, options or input changed
since is done again. Exit status: 0 done, 1 a check of the release failed, 2 bad input.
"""

import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from notclip.command_line import command, parse
from notclip.files.only_writer import only_writer
from notclip.files.whole_files import whole_file
from notclip.recaption.building.config import BuildConfig
from notclip.scripts.demo_steps import DemoSteps, content_of, run_script
from notclip.training.config import STATE

DRAWN_WORLD = "drawn-world"
# Its towers are tiny: a higher rate than the default, more of it through the composition, more passes.
DRAWN_WORLD_EPOCHS = 8
# Nothing is held out, for all of its scenes are of one kind.
DRAWN_WORLD_RECIPE = ("--learning-rate", "4e-3", "--plain-share", "0.1", "--held-out", "0")
# An adapter learns one question an image by heart: 83 % on Flickr8k's own, 68 % on validation (docs/log.md).
QUESTIONS_PER_IMAGE = "3"
# Photos to judge by may be few: enough questions that a point is no noise.
AWAY_QUESTIONS_PER_IMAGE = "6"


@dataclass(frozen=True)
class DemoConfig:
    """Options of `notclip demo`."""

    out: Path = Path("build")
    """Folder for data/, away/, trained/, results/, hub/ and overview.png."""
    base: str = DRAWN_WORLD
    """Hub id or folder of a dual encoder; by default the tiny one that comes with the drawn world."""
    source: str = DRAWN_WORLD
    """Captioned images: a folder of Parquet files or anything that `datasets.load_dataset` loads."""
    detector: Path | None = None
    """ONNX detector that verifies absences in photos; for a source in ../shared, the one beside it."""
    away: str | None = None
    """Other photos, captioned or annotated, that judge what was learnt and from which nothing is learnt; for a source
    in ../shared, the COCO photos beside it."""
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
    with only_writer(config.out, reads={"base": config.base, "source": config.source}):
        return _run_demo(config)


def _run_demo(config: DemoConfig) -> int:
    from notclip.recaption.building.builder import build_key, unfinished_folder

    started = time.monotonic()
    out = config.out
    options = {name: None if value is None else str(value) for name, value in asdict(config).items() if name != "out"}
    steps = DemoSteps(out, options, folders=("data", "away", "trained", "results", "hub"))
    base = str(_drawn_world_encoder()) if config.base == DRAWN_WORLD else config.base
    data, trained, results, hub = out / "data", out / "trained", out / "results", out / "hub"
    seed = ["--seed", str(config.seed)]

    build = build_arguments(config.source, data, detector=config.detector, limit=config.limit, seed=config.seed)
    steps.run(
        "1/6 build the dataset",
        "build_dataset",
        build,
        code="notclip.recaption.building.builder",
        made_of=build_key(parse(BuildConfig, build, prog="notclip build-dataset", description="")),
        makes=data,
        done=data / "build.json",
        work=unfinished_folder(data),
    )

    away = config.away or _away_beside(config.source)
    if away is not None:
        other = [
            "--source",
            away,
            "--out",
            str(out / "away"),
            "--questions-per-image",
            AWAY_QUESTIONS_PER_IMAGE,
            *seed,
        ]
        steps.run(
            "1/6 build what it is judged by on other photos",
            "build_dataset",
            other,
            code="notclip.recaption.building.builder",
            made_of=build_key(parse(BuildConfig, other, prog="notclip build-dataset", description="")),
            makes=out / "away",
            done=out / "away" / "build.json",
            work=unfinished_folder(out / "away"),
        )

    epochs = DRAWN_WORLD_EPOCHS if config.epochs is None and config.base == DRAWN_WORLD else config.epochs
    recipe = [*seed, *([] if epochs is None else ["--epochs", str(epochs)])]
    recipe += DRAWN_WORLD_RECIPE if config.base == DRAWN_WORLD else []
    recipe += [] if away is None else ["--away", str(out / "away")]
    steps.run(
        "2/6 train the adapter",
        "train_adapter",
        ["--base", base, "--data", str(data), "--out", str(trained), *recipe, "--resume"],
        code="notclip.training.run",
        made_of=[recipe, content_of(base), content_of(data), *([] if away is None else [content_of(out / "away")])],
        makes=trained,
        done=trained / "training.json",
        work=trained / STATE,
    )

    scored = {"base": base, "backbone": str(trained / "backbone"), "notclip": str(trained / "model")}
    for number, (name, model) in enumerate(scored.items()):
        compared = [] if name == "base" else ["--compare", str(results / "base.json")]
        result = results / f"{name}.json"
        steps.run(
            f"3/6 score {name} ({number + 1} of {len(scored)})",
            "score_model",
            ["--model", model, "--suite", str(data), "--out", str(result), *seed, *compared],
            code="notclip.scoring.run",
            made_of=[seed, content_of(model), content_of(data), content_of(base)],
            makes=result,
            done=result,
        )

    files = [str(results / f"{name}.json") for name in scored]
    stage = ["--model", str(trained), "--data", str(data), "--results", *files]
    stage += ["--namespace", config.namespace, "--out", str(hub), "--overwrite"]
    stage += ["--name", f"notclip-{DRAWN_WORLD}"] if config.base == DRAWN_WORLD else []
    # Of seconds, and made of files of all folders: always done again.
    print(f"\n== 4/6 stage the release\n$ notclip stage-release {' '.join(stage)}", flush=True)
    if status := run_script("stage_release", stage):
        raise SystemExit(status)

    print("\n== 5/6 use the release as its users will, in a fresh process without this package", flush=True)
    checked = run_script("check_release", [str(hub), "--base", base])

    print("\n== 6/6 draw the overview", flush=True)
    draw(base, config, out / "overview.png")
    print("\n".join(summary(config, time.monotonic() - started)))
    return checked


def build_arguments(source: str, out: Path, *, detector: Path | None, limit: int | None, seed: int) -> list[str]:
    """How a demo calls `notclip build-dataset`."""
    detector = detector or _detector_beside(source)
    build = ["--source", source, "--out", str(out), "--questions-per-image", QUESTIONS_PER_IMAGE]
    build += ["--seed", str(seed)]
    build += [] if detector is None else ["--detector", str(detector)]
    return build if limit is None else [*build, "--limit", str(limit)]


def _drawn_world_encoder() -> Path:
    return Path(__file__).parent.parent / "recaption" / "drawn_world" / "encoder"


def _detector_beside(source: str) -> Path | None:
    candidate = Path(source).parent.parent / "models" / "yolox_nano.onnx"
    return candidate if Path(source).is_dir() and candidate.is_file() else None


def _away_beside(source: str) -> str | None:
    candidate = Path(source).parent / "coco128"
    return str(candidate) if Path(source).is_dir() and candidate.is_dir() else None


def draw(base: str, config: DemoConfig, path: Path) -> None:
    """Draw the overview of data and models."""
    from notclip.hub_cards.cards.overview import draw_overview
    from notclip.loading import load_model
    from notclip.scoring.results import Results

    results = {name: Results.read(config.out / "results" / f"{name}.json") for name in ("base", "notclip")}
    trained = load_model(str(config.out / "trained" / "model"))
    with whole_file(path) as partial:
        draw_overview(load_model(base), trained, config.out / "data", results, partial)


def summary(config: DemoConfig, seconds: float) -> list[str]:
    """What came out and how long it took, line by line."""
    from notclip.scoring.measures import shown_figures
    from notclip.scoring.results import Results

    base, backbone, notclip = (
        Results.read(config.out / "results" / f"{name}.json") for name in ("base", "backbone", "notclip")
    )
    lines = ["", f"{'Test split, %':38}{'base':>8}{'merged':>9}{'NotCLIP':>9}", "-" * 64]
    for name, _, shown in shown_figures():
        if shown.card and not shown.optional:
            values = [100 * results.figure(name).value for results in (base, backbone, notclip)]
            lines.append(f"{shown.card:38}{values[0]:z8.1f}{values[1]:z9.1f}{values[2]:z9.1f}")
    forgotten = 100 * (base.figure("recall@5").value - notclip.figure("recall@5").value)
    lines += [
        "-" * 64,
        f"Forgotten: {forgotten:z.1f} points of ordinary recall@5 (negative: gained). {seconds / 60:.1f} minutes.",
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


if __name__ == "__main__":
    sys.exit(main())
