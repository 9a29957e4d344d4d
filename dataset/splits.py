"""The three splits, and what sources call them."""

from pathlib import Path

SPLITS = ("train", "validation", "test")
# Earlier splits keep an image that later ones repeat, so that what is measured on never depends on what is trained on.
KEEPING_ORDER = ("test", "validation", "train")
_NAMES = {"train": "train", "training": "train", "validation": "validation", "valid": "validation",
          "validate": "validation", "restval": "train",
          "val": "validation", "dev": "validation", "test": "test", "testing": "test", "eval": "test"}  # fmt: skip
_YEARS = "0123456789"


def split_of(name: str) -> str | None:
    """Split that a file, folder or split name stands for.

    >>> split_of("val-00000-of-00001"), split_of("captions_train2017.json"), split_of("photos")
    ('validation', 'train', None)
    """
    words = name.lower().replace(".", "-").replace("_", "-").split("-")
    return next((_NAMES[word.rstrip(_YEARS)] for word in words if word.rstrip(_YEARS) in _NAMES), None)


def split_of_folder(folder: Path) -> str | None:
    """Split that the folder stands for which the user named, or in which the named file lies.

    Its name was given for other reasons, so that of several words none counts.

    >>> split_of_folder(Path("robo/valid")), split_of_folder(Path("coco/val2017")), split_of_folder(Path("my_test"))
    ('validation', 'validation', None)
    """
    alone = not {"-", "_", "."}.intersection(folder.name)
    return split_of(folder.name) if alone else None
