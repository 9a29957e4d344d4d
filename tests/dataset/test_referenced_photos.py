"""Photos of a dataset that only refers to them, and types that `datasets` noted in a file of it."""

import hashlib
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from notclip.dataset.photos import PhotoColumn
from notclip.errors import BadInputError
from notclip.files.parquet_files import parquet_features


def png(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), colour).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def column(tmp_path):
    """A photo that a row calls by its file name alone, `1.png`."""
    file = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"image_url": ["1.png"], "image_sha256": [hashlib.sha256(png("red")).hexdigest()]}), file)
    return lambda folder: PhotoColumn(pq.ParquetFile(file), file, folder=folder).read(0, 0, "row 1")


def test_a_photo_is_found_however_deep_and_told_from_others_of_its_name_by_its_content(column, tmp_path):
    for part, colour in (("a", "blue"), ("b/c", "red")):
        (tmp_path / "photos" / part).mkdir(parents=True)
        (tmp_path / "photos" / part / "1.png").write_bytes(png(colour))
    assert column(tmp_path / "photos") == png("red")


def test_a_photo_that_is_another_or_missing_is_named(column, tmp_path):
    folder = tmp_path / "others" / "deep"
    folder.mkdir(parents=True)
    with pytest.raises(BadInputError, match=r"row 1.*`images`.*1\.png"):
        column(folder.parent)
    (folder / "1.png").write_bytes(png("blue"))
    with pytest.raises(BadInputError, match=r"row 1.*1\.png.*SHA-256"):
        column(folder)


@pytest.mark.parametrize("names", [[1, 2], None])
def test_labels_whose_names_are_no_texts_are_refused_by_file(tmp_path, names):
    file = tmp_path / "rows.parquet"
    feature = {"kind": {"names": names, "_type": "ClassLabel"}}
    noted = {b"huggingface": json.dumps({"info": {"features": feature}}).encode()}
    pq.write_table(pa.table({"kind": [0]}).replace_schema_metadata(noted), file)
    with pytest.raises(BadInputError, match=r"rows\.parquet.*names"):
        parquet_features(pq.ParquetFile(file), file)
