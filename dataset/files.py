"""The files of one split of a built dataset: one, or the parts that a build of several shards writes."""

import re
from pathlib import Path

from notclip.errors import BadInputError

_PART = re.compile(r"(?P<split>\w+)-(?P<index>\d{5})-of-(?P<of>\d{5})")


def split_files(folder: Path, config: str, split: str, *, name: str = "data") -> list[Path]:
    """Files of a split in the order of their rows: `SPLIT.parquet`, or `SPLIT-00000-of-00003.parquet` and so on.

    Args:
        folder: the dataset.
        config: captions, questions, pairs or retrieval.
        split: train, validation or test.
        name: what an error calls the dataset.

    Raises:
        BadInputError: there is no such split, a part of it is missing, or it stands there twice.
    """
    whole = folder / config / f"{split}.parquet"
    parts: dict[int, dict[int, Path]] = {}  # Number of parts -> index -> file.
    for file in sorted((folder / config).glob(f"{split}-*.parquet")):
        if (found := _PART.fullmatch(file.stem)) and found["split"] == split:
            parts.setdefault(int(found["of"]), {})[int(found["index"])] = file
    if not whole.is_file() and not parts:
        splits = ", ".join(sorted({path.stem.partition("-")[0] for path in (folder / config).glob("*.parquet")}))
        raise BadInputError(
            f"`{name}` {folder} has no split {split!r} of {config}: neither {config}/{split}.parquet nor parts of it; "
            f"splits there: {splits or 'none'}. Build it with `notclip build-dataset`."
        )
    if len(parts) + whole.is_file() > 1:
        ways = [whole.name] * whole.is_file() + [f"{split}-*-of-{of:05d}.parquet" for of in sorted(parts)]
        raise BadInputError(
            f"`{name}` {folder / config} holds the split {split!r} {len(ways)} times, as {' and '.join(ways)}: "
            "remove those of the other build."
        )
    for of, files in parts.items():
        if lacking := sorted(set(range(of)) - set(files)):
            missing = f"{split}-{lacking[0]:05d}-of-{of:05d}.parquet"
            raise BadInputError(
                f"`{name}` {folder / config} lacks {missing}, one of {of} parts: copy the dataset again, whole."
            )
        return [files[index] for index in sorted(files)]
    return [whole]
