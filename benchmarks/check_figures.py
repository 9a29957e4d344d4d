"""Check that the figures of README and docs are those of docs/results, and that these are of the data built today.

    make figures                                          # minutes: draws and builds, Flickr8k where it is there
    make figures ARGS=drawn-world
    python benchmarks/check_figures.py --tables           # the tables alone, a second

A table between `<!-- results NAME -->` and `<!-- end of results -->` in README, or the same with `ablation` in a page
of docs, must show docs/results/NAME. Results name under `provenance.data` the SHA-256 of the files that they were
scored on, and those of the base under `weights_sha256` its weights: they must be what today's code builds from the
same source with the options of `notclip demo`, and what lies in the base's folder. docs/figures.md says how to make
results anew.

Builds are kept in build/figures under a key of source, options and code; those of another key are removed.
Exit status: 0 all as it should be, 1 something differs, 2 bad input.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import ablation

from notclip.errors import BadInputError
from notclip.files.derived import file_digest
from notclip.files.json_files import read_json_object
from notclip.hub_cards.cards.readme_tables import with_tables
from notclip.remote.reading_tagger import WEIGHTS
from notclip.scoring.results import Results

ROOT = Path(__file__).resolve().parents[1]
# Name in docs/results -> source, folder of the base.
MADE_OF = {
    "drawn-world": ("drawn-world", ROOT / "recaption" / "drawn_world" / "encoder"),
    "flickr8k": (
        str(ROOT.parent / "shared" / "data" / "flickr8k"),
        ROOT.parent / "shared" / "models" / "flickr8k-dual-encoder",
    ),
}


def stale_tables(root: Path) -> Iterator[str]:
    """A sentence for each page whose tables are not those of the results.

    Raises:
        BadInputError: results are missing, lack a figure, or were scored on different data.
    """
    results = root / "docs" / "results"
    readme = (root / "README.md").read_text(encoding="utf-8")
    if with_tables(readme, results) != readme:
        again = "python -m notclip.hub_cards.cards.readme_tables README.md"
        yield f"README.md shows other figures than docs/results: {again}"
    for page in sorted((root / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        named = [folder for folder in sorted(results.iterdir()) if f"<!-- ablation {folder.name}" in text]
        if ablation.with_tables(text, ablation.tables_of(named)) != text:
            yield (
                f"{page.name} shows another ablation than docs/results: python benchmarks/ablation.py "
                f"{' '.join(str(folder) for folder in named)} --into {page}"
            )


def stale_results(folder: Path, *, source: str, base: Path, kept: Path) -> Iterator[str]:
    """A sentence for each thing that today's results would be of and these are not.

    Args:
        folder: results of all models on one dataset.
        source: what it was built from.
        base: folder of the base.
        kept: where builds are kept.
    """
    from notclip.loading import load_model
    from notclip.provenance import weights_sha256

    scored = {file.stem: Results.read(file) for file in sorted(folder.glob("*.json"))}
    weights = weights_sha256(load_model(str(base)))
    if scored["base"].provenance.get("weights_sha256") != weights:
        file = f"docs/results/{folder.name}/base.json"
        yield f"{file} was scored with other weights than {base.name} has ({weights[:12]}…)"
    built = digests(build(folder.name, source, kept))
    stale: dict[str, list[str]] = {}
    for name, results in scored.items():
        data = results.provenance.get("data", {})
        changed = [file for file, digest in sorted(data.items()) if built.get(file) != digest]
        if changed or not data:
            commit = str(results.provenance.get("code", {}).get("git_commit"))[:7]
            stale.setdefault(f"{', '.join(changed) or 'none is named'} (scored at commit {commit})", []).append(name)
    for what, names in stale.items():
        yield f"docs/results/{folder.name}: {', '.join(names)} of other data than today's code builds: {what}"


def stale_reading(file: Path) -> Iterator[str]:
    """A sentence where results of the reader of negation are of another one than the package carries."""
    content = read_json_object(file, "The results")
    if content["provenance"]["weights_sha256"] != file_digest(WEIGHTS):
        yield f"{file.relative_to(ROOT)} is of another reader: python benchmarks/reading.py --split test --out {file}"


def build(name: str, source: str, kept: Path) -> Path:
    """The dataset that `notclip demo` would build today; drawn and built only where it was not before."""
    from notclip.command_line import parse
    from notclip.recaption.building.builder import build_dataset, build_key
    from notclip.recaption.building.config import BuildConfig
    from notclip.scripts.demo import build_arguments

    def config(out: Path) -> BuildConfig:
        arguments = build_arguments(source, out, detector=None, limit=None, seed=0)
        return parse(BuildConfig, arguments, prog="notclip build-dataset", description="")

    out = kept / f"{name}-{build_key(config(kept))}"
    for other in kept.glob(f"*{name}-*"):
        if other.name.removeprefix(".").removesuffix(".unfinished") != out.name:
            shutil.rmtree(other)
    if not (out / "build.json").is_file():
        kept.mkdir(parents=True, exist_ok=True)
        build_dataset(config(out))
    return out


def digests(dataset: Path) -> dict[str, str]:
    """SHA-256 of each test file of a built dataset."""
    return {f"{file.parent.name}/{file.name}": file_digest(file) for file in dataset.glob("*/test*.parquet")}


def main(argv: list[str] | None = None) -> int:
    """Print what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{' or '.join(MADE_OF)}; both when absent")
    parser.add_argument("--tables", action="store_true", help="check the tables alone")
    parser.add_argument("--keep", type=Path, default=ROOT / "build" / "figures", help="folder of what is built")
    options = parser.parse_args(argv)
    if unknown := set(options.names) - set(MADE_OF):
        parser.error(f"NAME must be {' or '.join(MADE_OF)}, got {min(unknown)}")
    wrong = []
    try:
        wrong += stale_tables(ROOT)
        wrong += [] if options.tables else stale_reading(ROOT / "docs" / "results" / "reading" / "test.json")
        for name in () if options.tables else options.names or MADE_OF:
            source, base = MADE_OF[name]
            if base.is_dir() and (source == "drawn-world" or Path(source).is_dir()):
                wrong += stale_results(ROOT / "docs" / "results" / name, source=source, base=base, kept=options.keep)
            else:
                print(f"Not checked: docs/results/{name}, since {source} is not here.")
    except BadInputError as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(wrong) + "\ndocs/figures.md says how to make them anew." if wrong else "All figures are current.")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
