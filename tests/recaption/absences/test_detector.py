import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from notclip.errors import BadInputError
from notclip.recaption.absences import detector
from notclip.recaption.absences.detector import COCO_CLASSES, PresenceDetector, presence_scores

MODEL = Path(__file__).parents[3].parent / "shared" / "models" / "yolox_nano.onnx"


class CountingDetector:
    """Stands in for the network: the score of every class is the photo's first byte over 255; "broken" fails."""

    labels = COCO_CLASSES
    fingerprint = "f" * 64

    def __init__(self, batch_size: int = 1):
        self.asked = []
        self.batch_size = batch_size

    def scores(self, images: Sequence[bytes]) -> np.ndarray:
        self.asked += images
        if b"broken" in images:
            raise OSError("cannot identify image file")
        return np.array([[image[0] / 255] * 80 for image in images], dtype=np.float32)


def scored(detector: CountingDetector, images: dict[str, bytes], cache: Path) -> dict[str, float]:
    found = presence_scores(detector, list(images), iter(images.items()), cache=cache)
    return {key: float(value[0]) for key, value in found.items()}


def test_scored_photos_come_from_the_cache_the_next_time(tmp_path: Path):
    images = {"a": b"\x33", "b": b"\x66"}
    first, second = CountingDetector(), CountingDetector()
    assert scored(first, images, tmp_path) == pytest.approx({"a": 0.2, "b": 0.4})
    assert scored(second, images, tmp_path) == pytest.approx({"a": 0.2, "b": 0.4})
    assert (len(first.asked), second.asked) == (2, [])


def test_a_run_that_was_killed_goes_on_from_what_it_had_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(detector, "SAVE_EVERY", 1)
    monkeypatch.setattr(detector, "WINDOW", 1)
    images = {"a": b"\x33", "b": b"\x66", "c": b"\x99"}

    def killed():
        yield "a", images["a"]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        presence_scores(CountingDetector(), list(images), killed(), cache=tmp_path)
    again = CountingDetector()
    assert scored(again, images, tmp_path) == pytest.approx({"a": 0.2, "b": 0.4, "c": 0.6})
    assert again.asked == [b"\x66", b"\x99"]


def test_another_detector_does_not_read_this_ones_cache(tmp_path: Path):
    scored(CountingDetector(), {"a": b"\x33"}, tmp_path)
    other = CountingDetector()
    other.fingerprint = "e" * 64
    scored(other, {"a": b"\x33"}, tmp_path)
    assert other.asked == [b"\x33"]


def test_a_photo_on_which_the_detector_fails_has_no_scores(tmp_path: Path):
    assert set(scored(CountingDetector(), {"a": b"broken", "b": b"\x33"}, tmp_path)) == {"b"}


def test_a_bad_photo_costs_the_others_of_its_batch_nothing(tmp_path: Path):
    images = {"a": b"\x33", "b": b"broken", "c": b"\x66", "d": b"\x99"}
    found = scored(CountingDetector(batch_size=3), images, tmp_path)
    assert found == pytest.approx({"a": 0.2, "c": 0.4, "d": 0.6})


def test_a_damaged_cache_is_only_a_slower_run(tmp_path: Path):
    scored(CountingDetector(), {"a": b"\x33"}, tmp_path)
    next(tmp_path.glob("presence-*.npz")).write_bytes(b"PK\x03\x04 nothing")
    again = CountingDetector()
    assert set(scored(again, {"a": b"\x33"}, tmp_path)) == {"a"}
    assert again.asked == [b"\x33"]


def test_a_missing_file_and_one_that_is_no_model_are_refused(tmp_path: Path):
    with pytest.raises(BadInputError, match=r"`detector` must be an ONNX file"):
        PresenceDetector(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(BadInputError, match="`detector` must be an ONNX file"):
        PresenceDetector(tmp_path / "text.onnx")


@pytest.mark.shared
@pytest.mark.skipif(not MODEL.is_file(), reason="needs ../shared")
def test_the_network_scores_all_classes_and_sees_nothing_in_grey():
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), (114, 114, 114)).save(buffer, "PNG")
    found = PresenceDetector(MODEL).scores([buffer.getvalue()])
    assert found.shape == (1, len(COCO_CLASSES))
    assert found.max() < 0.1


def test_scores_of_older_code_are_not_served(tmp_path: Path, change_code):
    scored(CountingDetector(), {"a": b"\x33"}, tmp_path)
    change_code("notclip.dataset.clips")
    again = CountingDetector()
    scored(again, {"a": b"\x33"}, tmp_path)
    assert again.asked == [b"\x33"]
