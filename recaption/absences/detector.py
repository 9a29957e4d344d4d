"""Image-level presence scores of the 80 COCO classes from a YOLOX detector, kept on disk by image content."""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile

import numpy as np
from PIL import Image

from notclip.dataset.clips import frame_bytes, unpack_clip
from notclip.errors import BadInputError
from notclip.files.derived import derived_key
from notclip.files.whole_files import clear_partials, whole_file
from notclip.remote.photo_notclip import open_photo

COCO_CLASSES = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant",
    "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard",
    "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli",
    "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet",
    "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip
_SIDE = 416
_GREY = 114  # YOLOX pads its letterbox with this value.
WINDOW = 64  # Photos that are in memory at a time.
SAVE_EVERY = 1000
_SCORED_BY = (__name__, "notclip.recaption.absences.zero_shot_detector")
_SCORED_WITH = ("numpy", "onnxruntime", "pillow", "torch", "transformers")


class PresenceDetector:
    """A YOLOX network in ONNX form, read as "how surely does this photo show class c anywhere".

    Its output holds, for each of 3,549 anchors, a box, an objectness and 80 class probabilities (sigmoids applied), so
    the score of a class is max over anchors of objectness times class probability; boxes are not needed.

    Args:
        model: the ONNX file; input (1, 3, 416, 416) BGR 0-255, output (1, 3549, 85).

    Raises:
        BadInputError: the file is missing, is no ONNX model, or has other inputs or outputs.
    """

    labels: Sequence[str] = COCO_CLASSES
    batch_size = 1

    def __init__(self, model: Path) -> None:
        import onnxruntime

        if not model.is_file():
            raise BadInputError(f"`detector` must be an ONNX file, got {model}, which does not exist.")
        options = onnxruntime.SessionOptions()
        # One thread a photo, photos side by side: the scores do not depend on the number of workers.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises its own unexported classes.
            reason = " ".join(str(error).split())
            raise BadInputError(
                f"`detector` must be an ONNX file that onnxruntime loads, got {model}: {reason}"
            ) from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        self._input = inputs[0].name
        shapes = (list(inputs[0].shape[1:]), list(outputs[0].shape[1:]))
        if shapes != ([3, _SIDE, _SIDE], [3549, 5 + len(self.labels)]):
            raise BadInputError(
                f"`detector` must be a YOLOX for the 80 COCO classes at {_SIDE}x{_SIDE} with output (1, 3549, 85), "
                f"got {model} with input and output {shapes}."
            )
        self.fingerprint = hashlib.sha256(model.read_bytes()).hexdigest()

    def scores(self, images: Sequence[bytes]) -> np.ndarray:
        """Presence score in [0, 1] of each class in each encoded image, shape (N, 80)."""
        return np.stack([self._scores_of_one(image) for image in images])

    def _scores_of_one(self, image: bytes) -> np.ndarray:
        photo = open_photo(image)
        scale = min(_SIDE / photo.width, _SIDE / photo.height)
        size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
        pixels = np.full((_SIDE, _SIDE, 3), _GREY, dtype=np.float32)
        pixels[: size[1], : size[0]] = np.asarray(photo.resize(size, Image.Resampling.BILINEAR))[:, :, ::-1]
        anchors = self._session.run(None, {self._input: pixels.transpose(2, 0, 1)[None]})[0][0]  # (3549, 85)
        return (anchors[:, 4:5] * anchors[:, 5:]).max(axis=0).round(4)


class Detector(Protocol):
    """Says how surely a photo shows things of each of its classes anywhere."""

    labels: Sequence[str]
    fingerprint: str
    batch_size: int

    def scores(self, images: Sequence[bytes]) -> np.ndarray:
        """Presence score in [0, 1] of each class in each of up to `batch_size` encoded images, shape (N, L)."""


class EveryFrame:
    """A detector of photos that sees in a clip what it sees in any of its frames."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.labels, self.fingerprint, self.batch_size = detector.labels, detector.fingerprint, detector.batch_size

    def scores(self, images: Sequence[bytes]) -> np.ndarray:
        """The largest score of each class over the frames, shape (N, classes)."""
        frames = [[frame_bytes(frame) for frame in unpack_clip(image)] or [image] for image in images]
        every = [frame for own in frames for frame in own]
        seen = [
            self._detector.scores(every[at : at + self.batch_size]) for at in range(0, len(every), self.batch_size)
        ]
        firsts = np.cumsum([0, *(len(own) for own in frames[:-1])])
        largest: np.ndarray = np.maximum.reduceat(np.concatenate(seen), firsts, axis=0)
        return largest


def presence_scores(
    detector: Detector,
    digests: Sequence[str],
    images: Iterable[tuple[str, bytes]],
    *,
    cache: Path | None = None,
    workers: int = 2,
    done: Callable[[int], None] = lambda count: None,
) -> dict[str, np.ndarray]:
    """Scores of many images; where the same images were scored before, they come from the cache.

    Args:
        detector: scores one image.
        digests: content hashes of all images.
        images: content hash and encoded bytes of each, read only as far as the cache lacks them.
        cache: folder that keeps the scores, saved every thousand images, so that a killed run continues there.
        workers: threads that score, each a batch.
        done: told of every few images that are done.

    Returns:
        Scores by content hash; an image on which the detector fails is missing, so that nothing is claimed about it.
    """
    made_of = {"detector": detector.fingerprint, "images": list(digests)}
    key = derived_key(*_SCORED_BY, of=made_of, libraries=_SCORED_WITH)
    file = None if cache is None else cache / f"presence-{key}.npz"
    known = _load(file)
    wanted = set(digests)
    if wanted <= set(known):
        done(len(digests))
        return {digest: known[digest] for digest in digests if np.isfinite(known[digest]).all()}
    unsaved = 0
    images = iter(images)
    with ThreadPoolExecutor(workers) as pool:
        while window := list(islice(images, WINDOW)):
            todo = [(digest, image) for digest, image in window if digest not in known]
            size = detector.batch_size
            batches = [todo[start : start + size] for start in range(0, len(todo), size)]
            found = pool.map(lambda batch: _try_scores(detector, [image for _, image in batch]), batches)
            for batch, rows in zip(batches, found, strict=True):
                known |= zip((digest for digest, _ in batch), rows, strict=True)
            unsaved += len(todo)
            done(len(window))
            if unsaved >= SAVE_EVERY:
                _save(file, known)
                unsaved = 0
    _save(file, known)
    return {digest: known[digest] for digest in digests if digest in known and np.isfinite(known[digest]).all()}


def _try_scores(detector: Detector, images: Sequence[bytes]) -> np.ndarray:
    """The scores, or NaN where the detector fails: whatever is wrong with a photo, its absences stay unverified."""
    try:
        found = detector.scores(images).astype(np.float32)
        if found.shape != (len(images), len(detector.labels)):
            raise ValueError(f"`scores` must have the shape (N, L), got {found.shape}.")
        return found
    except Exception:
        if len(images) > 1:  # One bad photo costs the others of its batch nothing.
            return np.concatenate([_try_scores(detector, [image]) for image in images])
        return np.full((1, len(detector.labels)), np.nan, dtype=np.float32)


def _load(file: Path | None) -> dict[str, np.ndarray]:
    if file is None or not file.is_file():
        return {}
    try:
        with np.load(file, allow_pickle=False) as saved:
            return dict(zip(saved["digests"].tolist(), saved["scores"], strict=True))
    # A damaged cache is only a slower run.
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile, zlib.error):
        return {}


def _save(file: Path | None, known: Mapping[str, np.ndarray]) -> None:
    if file is None or not known:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    clear_partials(file.parent)
    with whole_file(file) as unfinished:
        digests = np.array(list(known), dtype=np.str_)
        np.savez_compressed(unfinished, digests=digests, scores=np.stack([known[key] for key in known]))
