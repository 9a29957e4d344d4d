"""Dual encoders of each family with random weights, and a built dataset in miniature: small enough for a test."""

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from datasets import Dataset
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipModel,
    VisionTextDualEncoderConfig,
    VisionTextDualEncoderModel,
    ViTConfig,
)

from notclip.dataset.schema import FEATURES

torch.set_num_threads(1)  # these models are too small to share

WORDS = (
    "a an the dog cat ball street cars car beach people person with without no not but and on in there is are image "
    "this shows of ' t isn neither nor any photo . ,"
).split()


def make_tokenizer() -> PreTrainedTokenizerFast:
    specials = ["[PAD]", "[BOS]", "[EOS]", "[UNK]"]
    vocabulary = {word: index for index, word in enumerate([*specials, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[BOS] $A [EOS]", special_tokens=[("[BOS]", 1), ("[EOS]", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        bos_token="[BOS]",
        eos_token="[EOS]",
        unk_token="[UNK]",
        model_max_length=24,
        model_input_names=["input_ids", "attention_mask"],
    )


def _clip() -> CLIPModel:
    text = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "projection_dim": 16}
    text |= {"num_attention_heads": 2, "max_position_embeddings": 24, "eos_token_id": 2, "hidden_act": "quick_gelu"}
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision |= {"image_size": 32, "patch_size": 16, "projection_dim": 16}
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16))


def _siglip() -> SiglipModel:
    text = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    text |= {"num_attention_heads": 2, "max_position_embeddings": 24, "projection_size": 32}
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision |= {"image_size": 32, "patch_size": 16}
    return SiglipModel(SiglipConfig(text_config=text, vision_config=vision))


def _vision_text() -> VisionTextDualEncoderModel:
    text = BertConfig(vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2)
    vision = ViTConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=16
    )
    config = VisionTextDualEncoderConfig.from_vision_text_configs(vision, text, projection_dim=16)
    return VisionTextDualEncoderModel(config)


FAMILIES = {"clip": _clip, "siglip": _siglip, "vision_text": _vision_text}


@pytest.fixture(params=sorted(FAMILIES))
def backbone(request):
    torch.manual_seed(0)
    return FAMILIES[request.param]().eval()


@pytest.fixture
def clip():
    torch.manual_seed(0)
    return _clip().eval()


@pytest.fixture
def vision_text():
    torch.manual_seed(0)
    return _vision_text().eval()


def make_processor() -> SimpleNamespace:
    image_processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return SimpleNamespace(tokenizer=make_tokenizer(), image_processor=image_processor)


@pytest.fixture
def processor():
    return make_processor()


@pytest.fixture(scope="module")
def module_processor():
    return make_processor()


@pytest.fixture
def data(tmp_path):
    """Plain colours with made-up contents, written in the contract's schema."""
    return write_built_dataset(tmp_path / "data")


THINGS = ("dog", "cat", "ball", "car")


def write_built_dataset(folder: Path, *, images: int = 12) -> Path:
    # Validation repeats the training images, so that what is learnt by heart counts, and an epoch after 0 is chosen.
    for seed, split in ((0, "train"), (0, "validation"), (1, "test")):
        rng = np.random.default_rng(seed)
        rows: dict[str, list[dict]] = {"captions": [], "questions": [], "retrieval": []}
        for number in range(images):
            present, absent = rng.permutation(THINGS)[:2].tolist()
            image = {"bytes": _png(rng), "path": None}
            shared = {"image": image, "image_id": f"{split}-{number}"}
            negated = f"a {present} with no {absent}"
            evidence = {"concept": absent, "method": "annotation", "score": None, "threshold": None}
            for caption in (f"a {present}", f"a {present} on the beach"):
                texts = {"caption": caption, "negated_captions": [negated], "forms": ["no"]}
                rows["captions"].append(
                    shared | texts | {"affirmed": [present], "absent": [absent], "evidence": [evidence]}
                )
            choices = [f"a {present}", f"there is no {present}", f"a {absent} and no {present}", f"a {absent}"]
            order = rng.permutation(4)
            rows["questions"].append(
                shared
                | {"choices": [choices[i] for i in order], "answer": int(np.argmin(order)), "kind": 0}
                | {"choice_kinds": [[0, 1, 2, 0][i] for i in order], "choice_forms": ["no"] * 4}
            )
            lists = {
                "affirmed": [[present]],
                "absent": [[absent]],
                "relevant": [[shared["image_id"]]],
                "present": [present],
            }
            rows["retrieval"].append(shared | {"captions": [negated], "forms": ["no"]} | lists)
        for config, config_rows in rows.items():
            (folder / config).mkdir(parents=True, exist_ok=True)
            complete = [{name: row.get(name) for name in FEATURES[config]} for row in config_rows]
            Dataset.from_list(complete, features=FEATURES[config]).to_parquet(folder / config / f"{split}.parquet")
    (folder / "build.json").write_text("{}\n")
    return folder


def _png(rng: np.random.Generator) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()
