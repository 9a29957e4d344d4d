"""Zero-shot detectors of transformers, tiny and with random weights, saved here and loaded as a user's would be."""

import io
import string
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    AutoModelForZeroShotObjectDetection,
    AutoProcessor,
    BertConfig,
    BertTokenizer,
    CLIPTokenizer,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoImageProcessorPil,
    GroundingDinoProcessor,
    Owlv2Config,
    Owlv2ForObjectDetection,
    Owlv2ImageProcessorPil,
    Owlv2Processor,
    OwlViTConfig,
    OwlViTForObjectDetection,
    OwlViTImageProcessorPil,
    OwlViTProcessor,
    SwinConfig,
)

from notclip.errors import BadInputError
from notclip.recaption.absences.zero_shot_detector import ZeroShotDetector

PHRASES = ("a dog", "a cat", "snow")
TEXT = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def save_owl(folder: Path, kind: str) -> Path:
    torch.manual_seed(0)
    characters = [*string.ascii_lowercase, *string.digits, ".", "-"]
    words = ["!", *characters, *(f"{one}</w>" for one in characters), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(vocab={word: place for place, word in enumerate(words)}, merges=[], model_max_length=16)
    config, model, processor, pictures = {
        "owlv2": (Owlv2Config, Owlv2ForObjectDetection, Owlv2Processor, Owlv2ImageProcessorPil),
        "owlvit": (OwlViTConfig, OwlViTForObjectDetection, OwlViTProcessor, OwlViTImageProcessorPil),
    }[kind]
    size = {"height": 32, "width": 32}
    made = config(
        text_config=TEXT | {"vocab_size": len(words), "max_position_embeddings": 16, "eos_token_id": len(words) - 1},
        vision_config=TEXT | {"image_size": 32, "patch_size": 16},
        projection_dim=16,
    )
    model(made).save_pretrained(folder)
    extra = {} if kind == "owlv2" else {"crop_size": size}
    processor(pictures(size=size, **extra), tokenizer).save_pretrained(folder)
    return folder


def save_grounding_dino(folder: Path) -> Path:
    torch.manual_seed(0)
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "a", "dog", "cat", "snow"]
    (folder / "vocab.txt").write_text("\n".join(words))
    config = GroundingDinoConfig(
        backbone_config=SwinConfig(
            image_size=32, patch_size=2, embed_dim=8, depths=[1, 1, 1], num_heads=[1, 1, 1], window_size=2,
            out_features=["stage1", "stage2", "stage3"],
        ),
        text_config=BertConfig(vocab_size=len(words), max_position_embeddings=32, **TEXT),
        d_model=32, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=16, decoder_ffn_dim=16,
        encoder_attention_heads=2, decoder_attention_heads=2, num_queries=4, max_text_len=16,
    )  # fmt: skip
    GroundingDinoForObjectDetection(config).save_pretrained(folder)
    pictures = GroundingDinoImageProcessorPil(size={"height": 64, "width": 64})
    GroundingDinoProcessor(pictures, BertTokenizer(str(folder / "vocab.txt"))).save_pretrained(folder)
    return folder


def photo(shade: int, size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = io.BytesIO()
    image = Image.new("RGB", size, (shade, 255 - shade, 90))
    image.paste((200, 10, shade), (3, 5, 20, 25))
    image.save(buffer, "PNG")
    return buffer.getvalue()


PHOTOS = [photo(10), photo(120, (64, 32)), photo(250)]


@pytest.fixture(scope="module", params=["owlv2", "owlvit", "grounding-dino"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("detectors") / request.param
    return save_grounding_dino(target) if request.param == "grounding-dino" else save_owl(target, request.param)


def slow_scores(folder: Path) -> np.ndarray:
    """One photo and one label at a time, through the processor and the whole model."""
    model = AutoModelForZeroShotObjectDetection.from_pretrained(folder).eval()
    processor = AutoProcessor.from_pretrained(folder, backend="pil")
    found = np.zeros((len(PHOTOS), len(PHRASES)))
    for row, encoded in enumerate(PHOTOS):
        image = Image.open(io.BytesIO(encoded)).convert("RGB")
        for column, phrase in enumerate(PHRASES):
            text = f"{phrase}." if folder.name == "grounding-dino" else [[f"a photo of {phrase}"]]
            inputs = processor(images=image, text=text, return_tensors="pt")
            with torch.inference_mode():
                found[row, column] = model(**inputs).logits.sigmoid().max()
    return found


def test_a_batch_scores_as_one_photo_and_one_label_at_a_time_do(folder: Path):
    detector = ZeroShotDetector(folder, ("dog", "cat", "snow"), PHRASES, batch_size=3)
    found = detector.scores(PHOTOS)
    assert found.shape == (3, 3)
    assert np.abs(found - slow_scores(folder)).max() < 2e-4
    assert len(set(found.ravel().tolist())) > 3  # It tells photos and labels apart at all.


def test_other_labels_or_weights_have_another_fingerprint(folder: Path, tmp_path: Path):
    first = ZeroShotDetector(folder, ("dog",), ("a dog",))
    assert first.fingerprint == ZeroShotDetector(folder, ("dog",), ("a dog",)).fingerprint
    assert first.fingerprint != ZeroShotDetector(folder, ("cat",), ("a cat",)).fingerprint


def test_what_is_no_zero_shot_detector_is_refused(tmp_path: Path):
    with pytest.raises(BadInputError, match=r"`detector` .*nothing cannot be loaded: "):
        ZeroShotDetector(tmp_path / "nothing", ("dog",), ("a dog",))
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(BadInputError, match="of type 'bert'"):
        ZeroShotDetector(tmp_path, ("dog",), ("a dog",))
