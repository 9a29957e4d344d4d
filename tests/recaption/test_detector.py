import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from notclip.errors import BadInputError
from notclip.recaption.detector import COCO_CLASSES, PresenceDetector, presence_scores

MODEL = Path(__file__).parents[2].parent / "shared" / "models" / "yolox_nano.onnx"


class CountingDetector:
    """Stands in for the network: the score of every class is the photo's first byte over 255; "broken" fails."""

    fingerprint = "f" * 64

    def __init__(self):
        self.asked = []

    def scores(self, image: bytes) -> np.ndarray:
        self.asked.append(image)
        if image == b"broken":
            raise OSError("cannot identify image file")
        return np.full(80, image[0] / 255, dtype=np.float32)


def test_scored_photos_come_from_the_cache_the_next_time(tmp_path: Path):
    images = {"a": b"\x33", "b": b"\x66"}
    first, second = CountingDetector(), CountingDetector()
    scored = presence_scores(first, images, cache=tmp_path, progress=False)
    assert scored["a"][0] == pytest.approx(0.2)
    again = presence_scores(second, {**images, "c": b"\x99"}, cache=tmp_path, progress=False)
    assert second.asked == [b"\x99"]
    assert {key: value[0] for key, value in again.items()} == pytest.approx({"a": 0.2, "b": 0.4, "c": 0.6})


def test_another_detector_does_not_read_this_ones_cache(tmp_path: Path):
    presence_scores(CountingDetector(), {"a": b"\x33"}, cache=tmp_path, progress=False)
    other = CountingDetector()
    other.fingerprint = "e" * 64
    presence_scores(other, {"a": b"\x33"}, cache=tmp_path, progress=False)
    assert other.asked == [b"\x33"]


def test_a_photo_on_which_the_detector_fails_has_no_scores(tmp_path: Path):
    scored = presence_scores(CountingDetector(), {"a": b"broken", "b": b"\x33"}, cache=tmp_path, progress=False)
    assert set(scored) == {"b"}


def test_a_damaged_cache_is_only_a_slower_run(tmp_path: Path):
    presence_scores(CountingDetector(), {"a": b"\x33"}, cache=tmp_path, progress=False)
    next(tmp_path.glob("presence-*.npz")).write_bytes(b"PK\x03\x04 nothing")
    again = CountingDetector()
    assert set(presence_scores(again, {"a": b"\x33"}, cache=tmp_path, progress=False)) == {"a"}
    assert again.asked == [b"\x33"]


def test_a_missing_file_and_one_that_is_no_model_are_refused(tmp_path: Path):
    with pytest.raises(BadInputError, match=r"`detector` must be an ONNX file.*does not exist"):
        PresenceDetector(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(BadInputError, match="`detector` must be an ONNX file that onnxruntime loads"):
        PresenceDetector(tmp_path / "text.onnx")


@pytest.mark.shared
@pytest.mark.skipif(not MODEL.is_file(), reason="needs ../shared")
def test_the_network_scores_all_classes_and_sees_nothing_in_grey():
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), (114, 114, 114)).save(buffer, "PNG")
    found = PresenceDetector(MODEL).scores(buffer.getvalue())
    assert found.shape == (len(COCO_CLASSES),)
    assert found.max() < 0.1
