r"""Put the pictures back into a dataset that was published without them.

    python join_images.py --images FOLDER_OF_PHOTOS --out joined
    python join_images.py --images photos.parquet --out joined          # columns `image` and `image_id`
    python join_images.py --download --out joined                       # where the rows have an `image_url`

Run it beside the dataset's folders captions/, questions/ and retrieval/. A picture belongs to a row when its name,
with or without ending, is the row's `image_id`, and its SHA-256 is the row's `image_sha256`: another picture is
refused, so that what you score is what was published. Needs `pip install datasets`.
"""

import argparse
import hashlib
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features, Image

ROWS = 100  # a row group: small enough for the Hub's viewer with large photos
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")

Find = Callable[[Mapping[str, Any]], bytes | None]


def main(argv: list[str] | None = None) -> int:
    """Join every Parquet file; status 1 when pictures are missing, and nothing is left half done."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--images", type=Path, help="folder of photos, or of Parquet files, or one Parquet file")
    parser.add_argument("--download", action="store_true", help="fetch each picture from its row's image_url")
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    options = parser.parse_args(argv)
    here = Path(__file__).parent
    files = sorted(file for file in here.glob("*/*.parquet") if options.out.resolve() not in file.resolve().parents)
    if (options.images is None) == (not options.download):
        parser.error("give either --images or --download")
    if options.out.exists():
        parser.error(f"--out {options.out} exists: name another folder")
    if not files:
        parser.error(f"{here} holds no CONFIG/SPLIT.parquet: run the script inside the dataset's repository")
    find = download if options.download else finder(options.images)
    missing = []
    for file in files:
        target = options.out / file.relative_to(here)
        target.parent.mkdir(parents=True, exist_ok=True)
        missing += join(file, target, find)
        print(f"{target}: {pq.ParquetFile(target).metadata.num_rows} rows", flush=True)  # noqa: T201
    if missing:
        some = ", ".join(sorted(set(missing))[:5])
        print(f"{len(set(missing))} pictures were not found, or are others: {some}, …", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def join(source: Path, target: Path, find: Find) -> list[str]:
    """Write a file with its pictures; rows without one are left out, and their ids returned."""
    reader = pq.ParquetFile(source)
    features = Features({"image": Image()} | Features.from_arrow_schema(reader.schema_arrow))
    missing, kept = [], []
    known: tuple[str | None, bytes | None] = (None, None)  # rows of one image stand together
    with pq.ParquetWriter(target, features.arrow_schema, compression="zstd") as writer:
        for batch in reader.iter_batches(batch_size=ROWS):
            for row in batch.to_pylist():
                if known[0] != row["image_id"]:
                    known = (row["image_id"], checked(row, find(row)))
                if known[1] is None:
                    missing.append(row["image_id"])
                else:
                    kept.append({"image": {"bytes": known[1], "path": row["image_id"]}} | row)
            writer.write_table(pa.Table.from_pylist(kept, schema=features.arrow_schema))
            kept = []
    return missing


def checked(row: Mapping[str, Any], data: bytes | None) -> bytes | None:
    """The picture, if it is the one that was published about."""
    return data if data is not None and hashlib.sha256(data).hexdigest() == row["image_sha256"] else None


def download(row: Mapping[str, Any]) -> bytes | None:
    """Fetch a picture from where the dataset says it is."""
    url = row.get("image_url")
    if not url or not url.startswith(("http://", "https://")):
        return None
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.read()
    except OSError:
        return None


def finder(images: Path) -> Find:
    """Look pictures up by name in a folder, or by `image_id` in Parquet files."""
    parquet = [images] if images.suffix == ".parquet" else sorted(images.glob("*.parquet"))
    if parquet:
        places = {name: (file, number) for file in parquet for name, number in _ids(file)}
        groups: dict[tuple[Path, int], dict[str, bytes]] = {}

        def in_parquet(row: Mapping[str, Any]) -> bytes | None:
            place = places.get(row["image_id"])
            if place is None:
                return None
            if place not in groups:
                groups.clear()  # One row group in memory at a time.
                table = pq.ParquetFile(place[0]).read_row_group(place[1], columns=["image_id", "image"])
                groups[place] = {entry["image_id"]: entry["image"]["bytes"] for entry in table.to_pylist()}
            return groups[place].get(row["image_id"])

        return in_parquet
    files: dict[str, Path] = {}
    for file in sorted(images.rglob("*")):
        if file.suffix.lower() in PICTURES:
            name = file.relative_to(images)
            files |= {str(name): file, str(name.with_suffix("")): file, file.name: file, file.stem: file}

    def in_folder(row: Mapping[str, Any]) -> bytes | None:
        return files[row["image_id"]].read_bytes() if row["image_id"] in files else None

    return in_folder


def _ids(file: Path) -> Iterator[tuple[str, int]]:
    reader = pq.ParquetFile(file)
    for number in range(reader.metadata.num_row_groups):
        for name in reader.read_row_group(number, columns=["image_id"]).column("image_id").to_pylist():
            yield name, number


if __name__ == "__main__":
    sys.exit(main())
