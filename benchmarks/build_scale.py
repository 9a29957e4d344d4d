"""Memory and speed of `notclip build-dataset` as the source grows, and whether a killed build ends in the same bytes.

    python benchmarks/build_scale.py --rows 100000 --out build/scale
    python benchmarks/build_scale.py --rows 1000000 --out build/scale
    python benchmarks/build_scale.py --rows 20000 --kills 3 --out build/scale
    python benchmarks/build_scale.py --rows 1000000 --seconds 230 --out build/scale     # goes on where it was

The source is made up: one caption and one tiny photo a row, so that what is measured is the builder and not the
decoding of photos. Prints one line of JSON: rows, CPU seconds of all processes, the largest memory of one process and
of all together, and with --kills whether the bytes are those of a build that was not disturbed. Of a build in several
goes it adds up what each of them took, the work that it broke off included. Each minute stderr hears how far it is.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from notclip.recaption.concepts.lexicon import load_lexicon

_ROW_GROUP = 10_000
_TELL_SECONDS = 60  # How often the log hears how far a build is.
_VERBS = ("stands near", "is beside", "is in front of", "is behind", "can be seen with", "rests by", "is next to")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=Path("build/scale"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--shard-images", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=0, help="kill the build so often at random moments, and compare")
    parser.add_argument("--seconds", type=float, default=None, help="kill it after so long and stop; a rerun goes on")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    source = options.out / f"rows-{options.rows}"
    if not (source / "train.parquet").is_file():
        write_rows(source, options.rows)
    made = options.out / f"built-{options.rows}"
    shutil.rmtree(made, ignore_errors=True)
    measured = build(source, made, options, limit=options.seconds)
    if measured is None:
        print(json.dumps({"rows": options.rows, "finished": False}))
        return 1
    report = {"rows": options.rows, "workers": options.workers, **measured}
    if options.kills:
        again = options.out / f"killed-{options.rows}"
        shutil.rmtree(again, ignore_errors=True)
        rng = random.Random()
        killed: list[float] = []
        finished = None
        while finished is None:
            # Past the start; all of them together shorter than the build, so that each strikes.
            moment = rng.uniform(0.15, 0.3) * measured["wall_seconds"] if len(killed) < options.kills else None
            finished = build(source, again, options, limit=moment)
            if finished is None and moment is not None:
                killed.append(round(moment, 1))
        report |= {"killed_after_seconds": killed, "same_bytes": hashes(made) == hashes(again)}
    print(json.dumps(report))
    return 0


def write_rows(folder: Path, rows: int) -> None:
    """Write made-up rows: "A dog is beside a red car.", and a photo of four pixels of its own."""
    rng = random.Random(0)
    lexicon = load_lexicon()
    nouns = [concept.indefinite for concept in lexicon.values() if not concept.mass and not concept.ambiguous][:200]
    weights = [1 / (place + 3) for place in range(len(nouns))]
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / ".train.parquet"
    schema = pa.schema({"image": pa.binary(), "image_id": pa.string(), "caption": pa.string()})
    with pq.ParquetWriter(unfinished, schema, compression="zstd") as writer:
        for start in range(0, rows, _ROW_GROUP):
            numbers = range(start, min(rows, start + _ROW_GROUP))
            captions = []
            for _ in numbers:
                first, second, third = rng.choices(nouns, weights, k=3)
                captions.append(f"{first.capitalize()} {rng.choice(_VERBS)} {second} and {third} .")
            table = {"image": [tiny_png(n) for n in numbers], "image_id": [f"row{n}" for n in numbers]}
            writer.write_table(pa.table({**table, "caption": captions}, schema=schema))
    unfinished.rename(folder / "train.parquet")


def tiny_png(number: int) -> bytes:
    """A PNG of 2x2 pixels, another one for each number below 2^24."""
    pixels = b"".join(b"\0" + struct.pack(">I", number)[1:] * 2 for _ in range(2))
    header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


def build(source: Path, out: Path, options: argparse.Namespace, *, limit: float | None = None) -> dict | None:
    """Run the command and watch it; None where it was killed."""
    command = [sys.executable, "-m", "notclip.command_line", "build-dataset", "--source", str(source)]
    command += ["--out", str(out), "--cache", str(options.out / "cache"), "--images", "referenced", "--no-progress"]
    command += ["--workers", str(options.workers), "--shard-images", str(options.shard_images)]
    kept = options.out / f"measured-{out.name}.json"
    nothing = dict.fromkeys(("wall", "cpu", "largest", "together"), 0.0)
    before = json.loads(kept.read_text()) if kept.is_file() else nothing
    began = time.monotonic()
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    largest, together = before["largest"], before["together"]
    seen: dict[int, float] = {}
    told = began
    while process.poll() is None:
        if limit is not None and time.monotonic() - began > limit:
            print("killed at", _so_far(out, [], sum(seen.values()), limit), file=sys.stderr, flush=True)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            so_far = {"wall": before["wall"] + time.monotonic() - began, "cpu": before["cpu"] + sum(seen.values())}
            kept.write_text(json.dumps(so_far | {"largest": largest, "together": together}))
            return None
        sizes = []
        for one in [process, *_children(process)]:
            try:
                sizes.append(one.memory_info().rss)
                seen[one.pid] = sum(one.cpu_times()[:2])
            except psutil.Error:
                continue
        largest, together = max(largest, *sizes, 0), max(together, sum(sizes))
        if time.monotonic() - told > _TELL_SECONDS:
            told = time.monotonic()
            print(_so_far(out, sizes, sum(seen.values()), told - began), file=sys.stderr, flush=True)
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(f"the build ended with status {process.returncode}")
    kept.unlink(missing_ok=True)
    cpu = before["cpu"] + sum(seen.values())
    return {
        "wall_seconds": round(before["wall"] + time.monotonic() - began, 1),
        "cpu_seconds": round(cpu, 1),
        "rows_per_cpu_second": round(options.rows / cpu, 1),
        "largest_process_mb": round(largest / 2**20),
        "all_processes_mb": round(together / 2**20),
        "dataset_mb": round(sum(file.stat().st_size for file in out.rglob("*") if file.is_file()) / 2**20, 1),
    }


def _so_far(out: Path, sizes: list[int], cpu: float, seconds: float) -> str:
    """One line for the log: the stage, shards written, time, and memory at this moment."""
    work = out.with_name(f".{out.name}.unfinished")
    stages = sorted((work / "logs").glob("*"), key=lambda folder: folder.stat().st_mtime)
    written = len(list((work / "shards").glob("*.json")))
    largest, together = max(sizes, default=0) / 2**20, sum(sizes) / 2**20
    line = f"{seconds:.0f} s, {cpu:.0f} CPU s: {stages[-1].name if stages else 'start'}, {written} shards written"
    return line + f", {largest:.0f} MB in the largest of {len(sizes)} processes, {together:.0f} MB in all" * bool(
        sizes
    )


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of each file."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


if __name__ == "__main__":
    sys.exit(main())
