"""How a model is scored: every option of `notclip score-model`, kept in the results that it writes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from notclip.errors import BadInputError
from notclip.seeds import check_seed


@dataclass(frozen=True)
class ScoreConfig:
    """Options of `notclip score-model`."""

    model: str
    """Hub id or folder: a NotCLIP model, or any dual encoder of transformers; an OpenCLIP checkpoint (.pt,
    .safetensors, or a folder with open_clip_config.json); or Python code, `my_model.py:name`: a function of images and
    texts, or what has `encode_images` and `encode_texts`. That file is run."""
    suite: str
    """What it is asked: a folder that `notclip init-suite` or `notclip build-dataset` wrote, a dataset of ours on the
    Hub, a CSV or YAML file of NegBench's, of pairs, or of yours, or a folder of such files."""
    out: Path
    """Results file to write (.json); what the model answered goes beside it, as .predictions.npz."""
    images: Path | None = None
    """Folder of the photos that CSV and YAML files name, by path or by file name; by default these files' own. A
    video is a folder of its frames. Or of those that a dataset refers to (built with `--images referenced`)."""
    adapter: Path | None = None
    """PEFT adapter to put on the model."""
    architecture: str | None = None
    """OpenCLIP's name for what a file of weights alone is of, such as ViT-B-32-quickgelu."""
    composition: Literal["scope", "none"] | None = None
    """`scope` reads each caption's negation, `none` is the plain dual encoder; by default what a NotCLIP model was
    saved with, and `none` for any other."""
    calibrate: str | None = None
    """Unlabelled photos that the composition measures first: a folder of a hundred or more of the kind that is
    searched, or `suite` for the suite's own."""
    compare: tuple[Path, ...] = ()
    """Results files of other models on the same suite: paired comparisons, and a report of tables and figures."""
    report: Path | None = None
    """Folder of the report; with `compare` by default OUT's name with .report, and none without."""
    require: tuple[str, ...] = ()
    """What must be reached, such as `macro_accuracy>=0.7` or `violation@5<=0.1`: decided on the worse end of the
    confidence interval; exit status 1 where one is missed. May be given several times."""
    junit: Path | None = None
    """Test report of what is required, for CI systems; by default OUT's name with .junit.xml. A run that breaks off
    writes an error there, which is no failure."""
    split: str = "test"
    """Split of a dataset."""
    limit: int | None = None
    """Only the first so many images, for a quick look; all by default."""
    on_bad_photo: Literal["stop", "skip"] = "stop"
    """Stop at a photo that is missing or corrupt, or leave it out, with its questions and queries, and list it."""
    revision: str | None = None
    """Revision of the model's Hub repository."""
    trust_remote_code: str | None = None
    """Commit (40 digits) of the model's Hub repository whose own code may run, because you have read it; by default no
    model's code is ever run. Models of this package need no code of their own."""
    suite_revision: str | None = None
    """Revision of a dataset on the Hub."""
    batch_size: int = 64
    """Photos encoded at once; of captions four times as many."""
    resamples: int = 1000
    """Resamples of the bootstrap over images; 0 leaves the intervals out."""
    cache: str = "auto"
    """Folder that keeps embeddings by the content of photo, text and model, so that another run encodes nothing again;
    `auto` is the user's cache, `none` keeps nothing."""
    device: str = "auto"
    """Where to compute: `auto` takes a GPU where there is one; or `cpu`, `cuda`, `cuda:1`, `mps`."""
    seed: int = 0
    """Of the bootstrap, of the exchange of images for the vision gain, and of the order of ties."""

    @property
    def junit_file(self) -> Path | None:
        """Where the test report goes; nowhere where nothing is required."""
        return (self.junit or self.out.with_suffix(".junit.xml")) if self.require else None

    def __post_init__(self) -> None:
        """Refuse what cannot work before anything is loaded."""
        if self.batch_size < 1:
            raise BadInputError(f"`batch_size` must be at least 1, got {self.batch_size}.")
        check_seed(self.seed)
        if self.resamples < 0:
            raise BadInputError(f"`resamples` must be at least 0, got {self.resamples}.")
        if self.out.suffix != ".json":
            raise BadInputError(f"`out` must name a .json file, got {self.out}.")
        if self.out.is_dir():
            raise BadInputError(f"`out` must name a file, got {self.out}, which is a folder.")
        for name, file in {"report": self.report, "cache": Path(self.cache)}.items():
            if file is not None and file.is_file():
                raise BadInputError(f"`{name}` must be a folder, got {file}, which is a file.")
        if self.require and not self.resamples:
            raise BadInputError("`require` is decided on confidence intervals, which `resamples` 0 leaves out.")
        if self.junit is not None and not self.require:
            raise BadInputError("`junit` reports what is required: give `require` as well.")
        if self.junit_file == self.out:
            raise BadInputError(f"`junit` must name another file than `out`, got {self.junit} for both.")
        if len({path.stem for path in (self.out, *self.compare)}) < 1 + len(self.compare):
            raise BadInputError(
                "`compare` must name files of other names than `out` and each other: reports call models by them."
            )
        if self.images is not None and not self.images.is_dir():
            raise BadInputError(f"`images` must be a folder, got {self.images}.")
