"""The options of `notclip build-dataset`, and the record of the run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from notclip.errors import BadInputError
from notclip.recaption.sources.parts import Exhaustive
from notclip.seeds import check_seed


@dataclass(frozen=True)
class BuildConfig:
    """How captioned images become a dataset of negated captions, questions and queries."""

    source: str
    """`drawn-world`; a table of paths with captions or labels (CSV or TSV, packed with gzip or not); a COCO or
    Karpathy JSON file; YOLO's data.yaml or obj.data; a folder of Parquet, CSV or WebDataset files (img2dataset's too),
    of photos with metadata, with a text file each or in a folder for each class, or in COCO's, LVIS', VOC's, YOLO's or
    MIMIC-CXR's layout, as Roboflow, CVAT and Label Studio export them; a Hub id. A row may be a video: film.mp4
    beside the folder film/ of its frames, or a list of frames in `frames`; four are kept."""
    out: Path
    """Folder to make; it must not exist, or be empty."""
    detector: Path | None = None
    """YOLOX ONNX file for the 80 COCO classes, or a zero-shot detector of transformers (OWLv2, Grounding DINO …): its
    folder or Hub id. Without one only annotations and captions verify absences."""
    domain: str | None = None
    """What the labels of a table mean: `chest-xray`, or a YAML file that names classes, nouns and articles
    (docs/domains.md); without it they are taken as everyday nouns."""
    exhaustive: Exhaustive | None = None
    """Which absences of an annotation count: `yes`, each class that an image does not list (of YOLO also where the
    label file is missing); `listed`, those that the source lists as absent (LVIS, tables with 0); `no`, none. By
    default what the format says; a set with one class for each image has to be told."""
    lexicon: Path | None = None
    """YAML table of concepts in the form of the package's lexicon.yaml, which is the default."""
    llm: str | None = None
    """Address of an OpenAI-compatible endpoint (vLLM, TGI, llama.cpp, a hosted provider), such as
    http://127.0.0.1:8000/v1, that says negated captions and queries in its own words; a key is read from
    NOTCLIP_LLM_API_KEY or OPENAI_API_KEY."""
    llm_model: str | None = None
    """The model to ask the endpoint for."""
    llm_batch: int = 8
    """Captions of one request to the endpoint."""
    llm_concurrency: int = 16
    """Requests under way at a time."""
    llm_timeout: float = 60.0
    """Seconds that one request may take."""
    llm_tries: int = 3
    """How often a caption is asked for whose answer fails the checks, before the grammar's caption stays."""
    limit: int | None = None
    """At most so many images of each split; all by default."""
    negated_per_caption: int = 3
    """Negated versions of each caption."""
    questions_per_image: float = 1.0
    """Questions for each image of a split, on average; an adapter learns one by heart: to train, ask for three."""
    pairs_per_image: float = 0.25
    """Pairs (two images, two captions, each true of one) for each image of a split, on average; 0 for none."""
    text_tokens: int = 77
    """Tokens that the text tower sees, CLIP's 77 or SigLIP's 64: what is behind them does not exist for it, so that
    longer captions are cut before they are negated, and counted."""
    choices: int = 4
    """Choices of a question, 2 to 8."""
    hardness: float = 1.0
    """0 denies any absent concept, 1 in proportion to how much one would expect it, 2 only what one would expect."""
    risk: float = 0.01
    """Largest estimated chance that an absence is wrong, from how often captions and detector leave things out."""
    detector_missed: float = 0.1
    """Share of the images that name a class which the detector may miss at its threshold, which is set by this."""
    images: Literal["embedded", "referenced"] = "embedded"
    """What stands for a photo: its bytes, or where it is found and its SHA-256, for large sets and closed licences."""
    shard_images: int = 10_000
    """About how many images one task works on and one file holds; memory follows from it, not from the source."""
    cache: Path | None = None
    """Folder of detector scores, drawn scenes and a language model's answers; ~/.cache/notclip by default."""
    seed: int = 0
    """The same seed, source and detector give the same bytes."""
    workers: int = 2
    """Processes, or threads where there is little to do; the output does not depend on it."""
    executor: Literal["local", "slurm", "ray"] = "local"
    """Where the steps run: on this machine, as Slurm job arrays, or on a Ray cluster."""
    tasks: int = 100
    """Tasks of each step on a cluster; each works on every so-manieth shard."""
    slurm_partition: str = ""
    """Partition of the Slurm jobs; needed there."""
    slurm_time: str = "20:00:00"
    """Time limit of each Slurm job."""
    memory_gb: int = 4
    """Memory of each task on a cluster."""
    progress: bool = True
    """Show progress bars."""

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            BadInputError: naming the option, its rule and the value.
        """
        check_seed(self.seed)
        if (self.llm is None) != (self.llm_model is None):
            given, missing = ("llm", "llm_model") if self.llm_model is None else ("llm_model", "llm")
            raise BadInputError(f"`{given}` needs `{missing}`: an endpoint and the model to ask it for go together.")
        if self.llm_timeout <= 0:
            raise BadInputError(f"`llm_timeout` must be over 0, got {self.llm_timeout}.")
        counts = "negated_per_caption llm_batch llm_concurrency llm_tries workers limit shard_images tasks memory_gb"
        for name, least in {**dict.fromkeys(counts.split(), 1), "text_tokens": 16}.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise BadInputError(f"`{name}` must be at least {least}, got {value}.")
        if self.domain is not None and self.lexicon is not None:
            raise BadInputError("`domain` and `lexicon` both say which concepts there are; give one of them.")
        if not 2 <= self.choices <= 8:
            raise BadInputError(f"`choices` must be between 2 and 8, got {self.choices}.")
        if self.questions_per_image <= 0:
            raise BadInputError(f"`questions_per_image` must be over 0, got {self.questions_per_image}.")
        if self.executor == "slurm" and not self.slurm_partition:
            raise BadInputError("`slurm_partition` must name a partition for `executor` slurm, got none.")
        for name in ("hardness", "pairs_per_image"):
            if getattr(self, name) < 0:
                raise BadInputError(f"`{name}` must be at least 0, got {getattr(self, name)}.")
        for name in ("risk", "detector_missed"):
            if not 0 <= getattr(self, name) < 1:
                raise BadInputError(f"`{name}` must be at least 0 and under 1, got {getattr(self, name)}.")
