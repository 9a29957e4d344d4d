"""The three splits, and what sources call them."""

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
