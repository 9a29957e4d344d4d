"""Paths in data files: found below the user's folder however they are written, and never outside."""

from pathlib import Path

import pytest

from notclip.errors import BadInputError
from notclip.recaption.sources.photo_paths import below, longest_end, photo_below
from notclip.recaption.sources.photos import read_photo


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a photo in it, and a secret beside it."""
    (tmp_path / "set" / "train" / "images").mkdir(parents=True)
    (tmp_path / "set" / "train" / "images" / "1.jpg").write_bytes(b"photo")
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    return tmp_path / "set"


@pytest.mark.parametrize(
    "named",
    [
        *("train/images/1.jpg", "./train/images/1.jpg", "train/../train/images/1.jpg", " train/images/1.jpg "),
        *("../train/images/1.jpg", "../../set/train/images/1.jpg", "/content/set/train/images/1.jpg"),
        *("train\\images\\1.jpg", "C:\\data\\set\\train\\images\\1.jpg", "D:/train/images/1.jpg"),
        *("file:///home/ann/train/images/1.jpg", "/images/../train/images/1.jpg"),
    ],
)
def test_a_photo_is_found_as_any_machine_names_it(root: Path, named: str):
    assert read_photo(root, named) == b"photo"


def test_the_absolute_path_of_a_photo_inside_is_that_photo_also_through_a_link(root: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to(root)
    assert read_photo(root, str(root / "train/images/1.jpg")) == b"photo"
    assert read_photo(tmp_path / "link", str(root / "train/images/1.jpg")) == b"photo"


@pytest.mark.parametrize(
    "named",
    [
        *("../secret.jpg", "train/../../secret.jpg", "/etc/passwd", "..", "../../secret.jpg", "C:\\secret.jpg"),
        *("..\\secret.jpg", "a\0b", "//secret.jpg", "file:///etc/passwd"),
    ],
)
def test_no_path_leads_out_of_the_folder(root: Path, named: str):
    with pytest.raises(BadInputError, match="leaves the folder"):
        photo_below(root, named)
    assert below(root, named) is None


def test_an_end_of_a_path_never_climbs(root: Path):
    assert longest_end(root, ["..", "secret.jpg"]) is None
    assert longest_end(root, ["x", "..", "train"]) == root / "train"


def test_a_relative_path_is_taken_as_it_is_written_and_no_other_photo_for_it(root: Path):
    (root / "1.jpg").write_bytes(b"another")
    with pytest.raises(BadInputError, match="cannot be read"):
        read_photo(root, "valid/images/1.jpg")
