"""OpenCLIP checkpoints as models of transformers, and back.

    backbone, processor = load_openclip(Path("epoch_5.pt"), architecture="ViT-B-32")
    save_openclip(backbone, processor, Path("build/openclip"))   # open_clip.create_model("local-dir:build/openclip")

The activation follows OpenCLIP's name (`-quickgelu` or not), SigLIP keeps its sigmoid bias, and images are prepared as
OpenCLIP prepares them. Checked against open_clip itself on random weights (tests/modeling/openclip/test_openclip.py).
"""

import gzip
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    CLIPProcessor,
    CLIPTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    ProcessorMixin,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
    SiglipProcessor,
)
from transformers.image_utils import IMAGENET_STANDARD_MEAN, IMAGENET_STANDARD_STD, OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from notclip.errors import BadInputError
from notclip.files.only_writer import only_writer
from notclip.files.whole_files import whole_folder
from notclip.model_folder import reading_model
from notclip.openclip.architectures import (
    Description,
    is_siglip,
    openclip_description,
    towers_of,
    transformers_config,
)
from notclip.openclip.files import OpenClipCheckpoint, find_checkpoint, read_weights, write_checkpoint
from notclip.openclip.weights import to_openclip, to_transformers
from notclip.remote.pretrained_notclip import read_tokenizer

CLIP_TOKENIZER = "openai/clip-vit-base-patch32"
CLIP_VOCABULARY = 49408
NORMALIZATIONS = {
    "openai": (OPENAI_CLIP_MEAN, OPENAI_CLIP_STD),
    "inception": (IMAGENET_STANDARD_MEAN, IMAGENET_STANDARD_STD),
}
Normalization = Literal["openai", "inception"]


def load_openclip(
    path: Path,
    *,
    architecture: str | None = None,
    tokenizer: str | None = None,
    normalization: Normalization | None = None,
) -> tuple[PreTrainedModel, ProcessorMixin]:
    """Load an OpenCLIP checkpoint as a `CLIPModel` or `SiglipModel` with its processor, in float32.

    Args:
        path: file of weights (.safetensors, .pt, .pth, .bin, .ckpt), or folder with an open_clip_config.json.
        architecture: OpenCLIP's name, such as `ViT-B-32-quickgelu`; needed where no open_clip_config.json says it.
        tokenizer: Hub id or folder; that beside the weights, or the architecture's own, when absent.
        normalization: how pixels are normalised; as the config beside the weights says, else as most checkpoints of
            the architecture were trained, when absent.

    Raises:
        BadInputError: the checkpoint is missing, unsafe, of another architecture, or its tokenizer cannot be had.
    """
    with reading_model("model", path):
        checkpoint = find_checkpoint(path, architecture)
        config = transformers_config(checkpoint.description)
        weights = read_weights(checkpoint.weights)
        try:
            converted = to_transformers(weights, config)
        except KeyError as error:
            raise BadInputError(_misfit(checkpoint, architecture, f"holds no weight {error.args[0]!r}")) from error
        model_class: Any = CLIPModel if isinstance(config, CLIPConfig) else SiglipModel
        with torch.device("meta"):  # no memory is taken for what a config says before the weights are seen to be so
            outline = model_class(config)
        _check_fit(checkpoint, architecture, converted, outline)
        model = model_class(config)
        model.load_state_dict({name: tensor.float() for name, tensor in converted.items()})
        processor = _processor(checkpoint, config, tokenizer=tokenizer, normalization=normalization)
    return model.eval(), processor


def convert_to_transformers(
    path: Path,
    folder: Path,
    *,
    architecture: str | None = None,
    tokenizer: str | None = None,
    normalization: Normalization | None = None,
) -> PreTrainedModel:
    """Write an OpenCLIP checkpoint as a new folder of transformers; other arguments are those of `load_openclip`."""
    backbone, processor = load_openclip(
        path, architecture=architecture, tokenizer=tokenizer, normalization=normalization
    )
    with _written_whole(folder, reads=path) as partial:
        backbone.save_pretrained(partial)
        processor.save_pretrained(partial)
    return backbone


def save_openclip(backbone: PreTrainedModel, processor: Any, folder: Path) -> list[str]:
    """Write a CLIP or SigLIP model of transformers as a new folder that OpenCLIP loads.

    Args:
        backbone: the model.
        processor: its `tokenizer` and `image_processor`.
        folder: where open_clip_model.safetensors, open_clip_config.json and the tokenizer go.

    Returns:
        What OpenCLIP will compute otherwise than transformers, one sentence each; mostly empty.

    Raises:
        BadInputError: OpenCLIP has no such model, or the folder exists.
    """
    description, differences = openclip_description(backbone.config)
    if isinstance(backbone.config, SiglipConfig) or description["text_cfg"]["vocab_size"] != CLIP_VOCABULARY:
        description["text_cfg"]["hf_tokenizer_name"] = "."  # OpenCLIP reads it from the folder that it loads
    images = processor.image_processor
    preprocessing = {
        "size": description["vision_cfg"]["image_size"],
        "mode": "RGB",
        "mean": list(images.image_mean),
        "std": list(images.image_std),
        "interpolation": "bilinear" if int(images.resample) == Image.Resampling.BILINEAR else "bicubic",
        "resize_mode": "shortest" if images.size.get("shortest_edge") else "squash",
    }
    assert isinstance(backbone.config, CLIPConfig | SiglipConfig)  # noqa: S101  # `openclip_description` refused all others
    with _written_whole(folder, reads=backbone.name_or_path) as partial:
        write_checkpoint(partial, to_openclip(backbone.state_dict(), backbone.config), description, preprocessing)
        processor.tokenizer.save_pretrained(partial)
    return differences


@contextmanager
def _written_whole(folder: Path, *, reads: Path | str | None) -> Iterator[Path]:
    """A folder beside the wanted one, which takes its name when all is written and goes when something went wrong."""
    with only_writer(folder, reads={"model": reads or None}):
        if folder.exists():  # Asked within, so that the lock of one that was killed goes all the same.
            raise BadInputError(f"`out` {folder} exists: name another folder, or remove it.")
        try:
            with whole_folder(folder) as partial:
                yield partial
        except OSError as error:
            raise BadInputError(f"`out` {folder} cannot be written: {error}.") from error


def _check_fit(
    checkpoint: OpenClipCheckpoint, architecture: str | None, converted: dict[str, Any], model: PreTrainedModel
) -> None:
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    for name, tensor in converted.items():
        if name not in wanted:
            raise BadInputError(_misfit(checkpoint, architecture, f"holds {name!r}, which it has no place for"))
        if tuple(tensor.shape) != wanted[name]:
            sizes = f"{tuple(tensor.shape)}, not {wanted[name]}"
            raise BadInputError(_misfit(checkpoint, architecture, f"has {name!r} of shape {sizes}"))


def _misfit(checkpoint: OpenClipCheckpoint, architecture: str | None, what: str) -> str:
    named = f"`architecture` {architecture}" if architecture else "its open_clip_config.json"
    return (
        f"`model` {checkpoint.weights} does not fit {named}: it {what}. Name the architecture that it was trained as."
    )


def _processor(
    checkpoint: OpenClipCheckpoint,
    config: CLIPConfig | SiglipConfig,
    *,
    tokenizer: str | None,
    normalization: Normalization | None,
) -> ProcessorMixin:
    siglip, said = is_siglip(checkpoint.description), checkpoint.preprocessing
    mean, std = NORMALIZATIONS[normalization or ("inception" if siglip else "openai")]
    if normalization is None:
        mean, std = said.get("mean", mean), said.get("std", std)
    if said.get("resize_mode", "shortest") == "longest":
        raise BadInputError(f"`model` {checkpoint.weights} pads photos to a square, which is not supported.")
    size = towers_of(config)[0].image_size
    squash = said.get("resize_mode", "squash" if siglip else "shortest") == "squash"
    shared: dict[str, Any] = {
        "image_mean": mean,
        "image_std": std,
        "resample": 2 if said.get("interpolation") == "bilinear" else 3,
    }
    square = {"height": size, "width": size}
    words = _tokenizer(checkpoint, config, tokenizer)
    if siglip:
        return SiglipProcessor(SiglipImageProcessorPil(size=square, **shared), words)
    if squash:
        return CLIPProcessor(CLIPImageProcessorPil(size=square, do_center_crop=False, **shared), words)
    return CLIPProcessor(CLIPImageProcessorPil(size={"shortest_edge": size}, crop_size=square, **shared), words)


def _tokenizer(
    checkpoint: OpenClipCheckpoint, config: CLIPConfig | SiglipConfig, named: str | None
) -> PreTrainedTokenizerBase:
    beside = checkpoint.weights.parent
    source = named or (str(beside) if (beside / "tokenizer.json").is_file() else None)
    source = source or _named_tokenizer(checkpoint.description)
    text = towers_of(config)[1]
    length = text.max_position_embeddings
    if source is None and text.vocab_size == CLIP_VOCABULARY:
        vocabulary = installed_vocabulary()
        if vocabulary is not None:
            return clip_tokenizer(vocabulary, model_max_length=length)
        source = CLIP_TOKENIZER
    if source is None:
        raise BadInputError(f"`tokenizer` must be given: nothing says what splits the texts of {checkpoint.weights}.")
    try:
        return read_tokenizer(source, config=config, model_max_length=length)
    except Exception as error:  # a broken tokenizer.json raises Exception itself
        raise BadInputError(
            f"`tokenizer` {source} cannot be loaded: {str(error).splitlines()[0]} Name a folder that holds it with "
            "`notclip convert-openclip --tokenizer`; for CLIP's own it is enough that open_clip is installed."
        ) from error


def _named_tokenizer(description: Description) -> str | None:
    name = description["text_cfg"].get("hf_tokenizer_name")
    return None if name in (None, "", ".") else name


def installed_vocabulary() -> Path | None:
    """CLIP's merges in an installed open_clip, which is not imported for it."""
    spec = importlib.util.find_spec("open_clip")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder) / "bpe_simple_vocab_16e6.txt.gz"
        if file.is_file():
            return file
    return None


def clip_tokenizer(merges_file: Path, *, model_max_length: int = 77) -> CLIPTokenizer:
    """CLIP's tokenizer from the merges that OpenAI published (bpe_simple_vocab_16e6.txt.gz)."""
    lines = gzip.decompress(merges_file.read_bytes()).decode("utf-8").split("\n")
    # The vocabulary as CLIP's simple_tokenizer.py builds it: bytes, bytes that end a word, merges, two specials.
    merges: Any = [tuple(line.split()) for line in lines[1 : 49152 - 256 - 2 + 1]]
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    symbols = [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))]
    words = symbols + [f"{symbol}</w>" for symbol in symbols] + ["".join(pair) for pair in merges]
    vocabulary = {word: index for index, word in enumerate([*words, "<|startoftext|>", "<|endoftext|>"])}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=model_max_length)
