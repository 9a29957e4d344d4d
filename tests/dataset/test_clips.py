"""Clips: frames in one file, from the source to a score that only all frames together can reach."""

import csv
import io
import json
from pathlib import Path
from random import Random

import datasets
import numpy as np
from PIL import Image

from notclip.command_line import main
from notclip.dataset.clips import pack_clip, photos_in, spread_frames, unpack_clip
from notclip.recaption.absences.detector import EveryFrame

NAMES = ("dog", "cat", "car", "chair")
CLIPS = 320
# Frame k of a clip tells of NAMES[k] alone, bright where it is there; a text wants what it says, not what it denies.
MODEL = """
import re
import numpy as np
from notclip.remote.negation_scope import read_scope

NAMES = ("dog", "cat", "car", "chair")

class Encoder:
    def encode_images(self, images):
        vectors = np.zeros((len(images), 4))
        for row, image in enumerate(images):
            frame, level = np.array(image)[7, 0, 0], int(np.array(image)[4, 4, 0])
            vectors[row, frame] = 1 if level > 128 else -1
        return vectors

    def encode_texts(self, texts):
        vectors = np.full((len(texts), 4), 1e-6)
        for row, text in enumerate(texts):
            denied = read_scope(text).spans
            for place, name in enumerate(NAMES):
                for found in re.finditer(rf"\\b{name}s?\\b", text, re.IGNORECASE):
                    inside = any(start <= found.start() < stop for start, stop in denied)
                    vectors[row, place] = -1 if inside else 1
        return vectors
"""


def encoded(image: Image.Image, form: str = "PNG") -> bytes:
    stream = io.BytesIO()
    image.save(stream, form)
    return stream.getvalue()


def shown(number: int) -> list[str]:
    return [name for place, name in enumerate(NAMES) if Random(number).getrandbits(4) >> place & 1]


def frame_of(number: int, place: int) -> Image.Image:
    """Frame `place` of a clip: grey 200 or 50, the clip's number in the first pixel, the place in the last row."""
    image = Image.new("RGB", (8, 8), (200 if NAMES[place] in shown(number) else 50,) * 3)
    image.putpixel((0, 0), (number // 256, number % 256, 0))
    image.putpixel((0, 7), (place,) * 3)
    return image


def write_clips(folder: Path) -> Path:
    """clips.csv names videos/0.mp4, …, each of which stands as a folder of frames."""
    for number in range(CLIPS):
        (folder / "videos" / f"{number}").mkdir(parents=True)
        for place in range(4):
            frame_of(number, place).save(folder / "videos" / f"{number}" / f"frame{place + 9}.png")
    with (folder / "clips.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["video", "caption", *NAMES])
        for number in range(CLIPS):
            caption = f"A film with {' and '.join(f'a {name}' for name in shown(number)) or 'grass'} ."
            rows.writerow([f"videos/{number}.mp4", caption, *(int(name in shown(number)) for name in NAMES)])
    return folder / "clips.csv"


def test_a_clip_gives_its_frames_back_pixel_for_pixel_in_their_order():
    frames = [frame_of(7, place) for place in range(4)]
    found = unpack_clip(pack_clip([encoded(frame) for frame in frames]))
    assert [frame.tobytes() for frame in found] == [frame.tobytes() for frame in frames]


def test_frames_that_are_alike_or_differ_in_size_are_all_kept():
    frames = [Image.new("RGB", size, "red") for size in ((8, 8), (8, 8), (5, 9))]
    found = unpack_clip(pack_clip([encoded(frame) for frame in frames]))
    assert [frame.size for frame in found] == [(8, 8), (8, 8), (5, 9)]


def test_photos_and_animations_are_no_clips():
    photo = Image.new("RGB", (4, 4))
    animation = io.BytesIO()
    photo.save(animation, "GIF", save_all=True, append_images=[Image.new("RGB", (4, 4), "red")])
    assert (
        unpack_clip(encoded(photo)) == unpack_clip(encoded(photo, "TIFF")) == unpack_clip(animation.getvalue()) == []
    )


def test_four_of_many_frames_are_taken_at_even_distances():
    assert [spread_frames(count) for count in (1, 4, 8, 16)] == [[0], [0, 1, 2, 3], [1, 3, 5, 7], [2, 6, 10, 14]]
    found = unpack_clip(pack_clip([encoded(Image.new("RGB", (2, 2), (number,) * 3)) for number in range(8)]))
    assert [frame.getpixel((0, 0))[0] for frame in found] == [1, 3, 5, 7]


def test_a_detector_sees_in_a_clip_what_it_sees_in_any_frame():
    class Brightness:
        labels, fingerprint, batch_size = ("bright",), "", 2

        def scores(self, images: list[bytes]) -> np.ndarray:
            assert len(images) <= 2
            return np.array([[Image.open(io.BytesIO(image)).convert("L").getpixel((0, 0)) / 255] for image in images])

    dark, bright, photo = (encoded(Image.new("L", (3, 3), level)) for level in (0, 255, 51))
    found = EveryFrame(Brightness()).scores([pack_clip([dark, bright, dark]), photo])
    assert found.tolist() == [[1.0], [0.2]]


def test_clips_become_a_dataset_whose_questions_take_all_frames(tmp_path: Path):
    out, results = tmp_path / "out", tmp_path / "results.json"
    source = write_clips(tmp_path / "source")
    (tmp_path / "model.py").write_text(MODEL)
    assert main(["build-dataset", "--source", str(source), "--out", str(out), "--no-progress"]) == 0
    loaded = datasets.load_dataset(str(out), "captions", split="train", cache_dir=str(tmp_path / "kept"))
    assert loaded[0]["image"].n_frames == 4  # What users of `load_dataset` see.
    arguments = ["--suite", str(out), "--split", "train", "--out", str(results), "--cache", str(tmp_path / "cache")]
    assert main(["score-model", "--model", f"{tmp_path / 'model.py'}:Encoder", *arguments]) == 0
    # Each frame tells of one of four things, so that no single frame does better than chance by much.
    assert json.loads(results.read_text())["metrics"]["accuracy"] > 0.9


def test_a_name_with_digits_that_no_number_is_written_in_is_a_name(tmp_path):
    for name in ("1²2.jpg", "1²10.jpg", "٣.jpg"):
        (tmp_path / name).touch()
    assert len(photos_in(tmp_path)) == 3
