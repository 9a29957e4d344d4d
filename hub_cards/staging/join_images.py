r"""Put the pictures back into a dataset that was published without them.

    python join_images.py --images FOLDER_OF_PHOTOS --out joined
    python join_images.py --images photos.parquet --out joined          # columns `image` and `image_id`
    python join_images.py --download --out joined                       # where the rows have an `image_url`

Run it beside the dataset's folders captions/, questions/ and so on. A picture belongs to a row when its name, with or
without ending, is the row's `image_id`, and its SHA-256 is the row's `image_sha256`: another picture is refused, so
that what you score is what was published. Needs `pip install datasets`.
"""

import argparse
import hashlib
import http.client
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features, Image

LARGEST = 2**28  # bytes of a picture
ROWS = 100  # a row group: small enough for the Hub's viewer with large photos
# Those of `notclip.remote.photo_notclip.PHOTO_SUFFIXES`, which is not at hand where this file runs.
PICTURES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
    | {".avif", ".heic", ".heif", ".pgm", ".ppm"}
)

# Name of a picture and its address, if there is one -> its bytes.
Find = Callable[[str, str | None], bytes | None]


def main(argv: list[str] | None = None) -> int:
    """Join every Parquet file; status 1 when pictures are missing or others."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--images", type=Path, help="folder of photos, or of Parquet files, or one Parquet file")
    parser.add_argument("--download", action="store_true", help="fetch each picture from its row's image_url")
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    options = parser.parse_args(argv)
    here = Path(__file__).parent
    files = sorted(here.glob("*/*.parquet"))
    if (options.images is None) == (not options.download):
        parser.error("give either --images or --download")
    if options.images is not None and not options.images.exists():
        parser.error(f"--images {options.images} does not exist")
    if options.out.exists():
        parser.error(f"--out {options.out} exists: name another folder")
    if not files:
        parser.error(f"{here} holds no CONFIG/SPLIT.parquet: run the script inside the dataset's repository")
    missing: set[str] = set()
    try:
        find = download if options.download else finder(options.images)
        for file in files:
            target = options.out / file.relative_to(here)
            target.parent.mkdir(parents=True, exist_ok=True)
            missing |= join_pictures(file, target, find)
            print(f"{target}: {pq.ParquetFile(target).metadata.num_rows} rows", flush=True)  # noqa: T201
    except (pa.ArrowException, KeyError, TypeError, OSError) as error:
        parser.error(f"a file cannot be read or written: {error}; remove {options.out} before you try again")
    if missing:
        some = ", ".join(sorted(missing)[:5])
        print(f"{len(missing)} pictures are missing, or are others; their rows are left out: {some}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def join_pictures(source: Path, target: Path, find: Find) -> set[str]:
    """Write a file with its pictures; rows without one are left out, and the pictures' names returned."""
    reader = pq.ParquetFile(source)
    features = Features.from_arrow_schema(reader.schema_arrow)
    # "" for the columns image, image_id, image_sha256; "_0" for image_0, image_id_0, image_sha256_0.
    ends = [name.removeprefix("image_sha256") for name in features if name.startswith("image_sha256")]
    features = Features({f"image{end}": Image() for end in ends} | features)
    missing: set[str] = set()
    known: dict[str, tuple[str, bytes | None]] = {}  # the last picture of each column: rows of one stand together
    with pq.ParquetWriter(target, features.arrow_schema, compression="zstd") as writer:
        for batch in reader.iter_batches(batch_size=ROWS):
            kept = []
            for row in batch.to_pylist():
                pictures = {}
                for end in ends:
                    name = row[f"image_id{end}"]
                    if end not in known or known[end][0] != name:
                        data = find(name, row.get(f"image_url{end}"))
                        known[end] = (name, data if data and is_published(data, row[f"image_sha256{end}"]) else None)
                    if known[end][1] is None:
                        missing.add(name)
                    pictures[f"image{end}"] = {"bytes": known[end][1], "path": name}
                if all(picture["bytes"] for picture in pictures.values()):
                    kept.append(pictures | row)
            writer.write_table(pa.Table.from_pylist(kept, schema=features.arrow_schema))
    return missing


def is_published(data: bytes, sha256: str) -> bool:
    """Whether a picture is the one that the row speaks of."""
    return hashlib.sha256(data).hexdigest() == sha256


def download(name: str, url: str | None) -> bytes | None:
    """Fetch a picture from where the dataset says it is."""
    if not url or not url.startswith(("http://", "https://")):
        return None
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310  # http, as was looked at above
            data: bytes = answer.read(LARGEST + 1)
            return data if len(data) <= LARGEST else None
    except (OSError, ValueError, http.client.HTTPException):  # an address that is none, an answer that is cut off
        return None


def finder(images: Path) -> Find:
    """Look pictures up by name in a folder, or by `image_id` in Parquet files."""
    parquet = [images] if images.suffix == ".parquet" else sorted(images.glob("*.parquet"))
    if parquet:
        places = {name: (file, number) for file in parquet for name, number in _ids(file)}
        groups: dict[tuple[Path, int], dict[str, bytes]] = {}

        def in_parquet(name: str, url: str | None) -> bytes | None:
            place = places.get(name)
            if place is None:
                return None
            if place not in groups:
                groups.clear()  # One row group in memory at a time.
                table = pq.ParquetFile(place[0]).read_row_group(place[1], columns=["image_id", "image"])
                groups[place] = {entry["image_id"]: entry["image"]["bytes"] for entry in table.to_pylist()}
            return groups[place].get(name)

        return in_parquet
    files: dict[str, Path] = {}
    for file in sorted(images.rglob("*")):
        if file.suffix.lower() in PICTURES:
            path = file.relative_to(images)
            files |= {str(path): file, str(path.with_suffix("")): file, file.name: file, file.stem: file}

    def in_folder(name: str, url: str | None) -> bytes | None:
        return files[name].read_bytes() if name in files and files[name].is_file() else None

    return in_folder


def _ids(file: Path) -> Iterator[tuple[str, int]]:
    reader = pq.ParquetFile(file)
    for number in range(reader.metadata.num_row_groups):
        for name in reader.read_row_group(number, columns=["image_id"]).column("image_id").to_pylist():
            yield name, number


if __name__ == "__main__":
    sys.exit(main())
