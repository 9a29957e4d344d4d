"""How a model is scored: every option of `notclip score-model`, kept in the results that it writes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from notclip.errors import BadInputError


@dataclass(frozen=True)
class ScoreConfig:
    """Options of `notclip score-model`."""

    model: str
    """Hub id or folder: a NotCLIP model, or any dual encoder of transformers; or an OpenCLIP checkpoint (.pt,
    .safetensors, or a folder with open_clip_config.json)."""
    suite: Path
    """What it is asked: a folder that `notclip build-dataset` wrote, a CSV file of NegBench or of yours
    (`image, correct, wrong_1, …`), or a folder of CSV files."""
    out: Path
    """Results file to write (.json); what the model answered goes beside it, as .predictions.npz."""
    images: Path | None = None
    """Folder of the photos that CSV files name, by path or by file name; by default the CSV files' own."""
    adapter: Path | None = None
    """PEFT adapter to put on the model."""
    architecture: str | None = None
    """OpenCLIP's name for what a file of weights alone is of, such as ViT-B-32-quickgelu."""
    composition: Literal["scope", "none"] | None = None
    """`scope` reads each caption's negation, `none` is the plain dual encoder; by default what a NotCLIP model was
    saved with, and `none` for any other."""
    compare: tuple[Path, ...] = ()
    """Results files of other models on the same suite, for paired comparisons."""
    split: str = "test"
    """Split of a dataset."""
    limit: int | None = None
    """Only the first so many images, for a quick look; all by default."""
    on_bad_photo: Literal["stop", "skip"] = "stop"
    """Stop at a photo that is missing or corrupt, or leave it out, with its questions and queries, and list it."""
    revision: str | None = None
    """Revision of the model's Hub repository."""
    batch_size: int = 64
    """Photos encoded at once; of captions four times as many."""
    resamples: int = 1000
    """Resamples of the bootstrap over images; 0 leaves the intervals out."""
    device: str = "auto"
    """Where to compute: `auto` takes a GPU where there is one; or `cpu`, `cuda`, `cuda:1`, `mps`."""
    seed: int = 0
    """Of the bootstrap, of the exchange of images for the vision gain, and of the order of ties."""

    def __post_init__(self) -> None:
        """Refuse what cannot work before anything is loaded."""
        if self.batch_size < 1:
            raise BadInputError(f"`batch_size` must be at least 1, got {self.batch_size}.")
        if self.resamples < 0:
            raise BadInputError(f"`resamples` must be at least 0, got {self.resamples}.")
        if self.out.suffix != ".json":
            raise BadInputError(f"`out` must name a .json file, got {self.out}.")
        if self.out.is_dir():
            raise BadInputError(f"`out` must name a file, got {self.out}, which is a folder.")
        if self.images is not None and not self.images.is_dir():
            raise BadInputError(f"`images` must be a folder, got {self.images}.")
