"""Rows that are videos: a path beside which frames stand, and lists of frames in a table."""

import io
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from notclip.dataset.clips import unpack_clip


def png(level: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), (level,) * 3).save(stream, "PNG")
    return stream.getvalue()


def test_rows_of_a_parquet_file_may_list_frames(tmp_path: Path, read_source):
    features = datasets.Features(
        {
            "frames": datasets.List(datasets.Image()),
            "caption": datasets.Value("string"),
            "id": datasets.Value("string"),
        }
    )
    rows = [
        {
            "frames": [{"bytes": png(10 * number + place), "path": None} for place in range(4)],
            "caption": "A dog runs .",
            "id": f"clip{number}",
        }
        for number in range(3)
    ]
    rows[1]["frames"][2]["bytes"] = png(1)[:40]
    rows[2]["frames"] = []
    pq.write_table(pa.Table.from_pylist(rows, schema=features.arrow_schema), tmp_path / "train.parquet")
    read = read_source(tmp_path)
    assert list(read.images) == ["clip0"]
    frames = unpack_clip(read.images["clip0"].image)
    assert [frame.getpixel((0, 0))[0] for frame in frames] == [0, 1, 2, 3]
    first, second = (entry.reason for entry in read.skipped)
    assert first.startswith("frame 2 of the clip: the photo cannot be decoded")
    assert second == "the clip has no frame"


def test_a_video_without_frames_is_named_with_what_to_do(tmp_path: Path, read_source):
    (tmp_path / "one.png").write_bytes(png(1))
    (tmp_path / "train.csv").write_text("video,caption\none.png,A dog .\nfilm.mp4,A dog .\n../film.mp4,A dog .\n")
    reasons = [entry.reason for entry in read_source(tmp_path / "train.csv").skipped]
    assert reasons[0] == "the video 'film.mp4' needs the folder 'film' of its frames beside it, as photos"
    assert "leaves the folder" in reasons[1]


def test_a_frame_that_is_a_link_in_the_users_folder_is_read_as_the_users_own(tmp_path: Path, read_source):
    (tmp_path / "elsewhere.png").write_bytes(png(1))
    (tmp_path / "data" / "film").mkdir(parents=True)
    (tmp_path / "data" / "film" / "1.png").symlink_to(tmp_path / "elsewhere.png")
    (tmp_path / "data" / "train.csv").write_text("video,caption\nfilm.mp4,A dog .\n")
    read = read_source(tmp_path / "data" / "train.csv")
    assert read.skipped == []
    assert len(read.images) == 1
