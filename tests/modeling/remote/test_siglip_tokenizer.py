"""SigLIP 1 as it is on the Hub: a sentencepiece tokenizer, whose packages come with this one."""

import io

import pytest
import sentencepiece
import torch
from PIL import Image
from transformers import SiglipConfig, SiglipImageProcessorPil, SiglipModel, SiglipProcessor, SiglipTokenizer

from notclip.errors import BadInputError
from notclip.loading import load_model


@pytest.fixture(scope="module")
def siglip(tmp_path_factory):
    """A small random SigLIP with a tokenizer trained on four sentences."""
    folder = tmp_path_factory.mktemp("siglip")
    sentences = ["a dog on the beach", "a street with no cars", "there is no dog", "a ball and a cat"] * 20
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=model,
        vocab_size=40,
        model_type="unigram",
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (folder / "spiece.model").write_bytes(model.getvalue())
    text = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    text |= {"num_attention_heads": 2, "max_position_embeddings": 24, "projection_size": 32}
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    vision |= {"image_size": 32, "patch_size": 16}
    torch.manual_seed(0)
    SiglipModel(SiglipConfig(text_config=text, vision_config=vision)).save_pretrained(folder)
    images = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    SiglipProcessor(images, SiglipTokenizer(str(folder / "spiece.model"))).save_pretrained(folder)
    return folder


def test_siglip_scores_with_its_own_tokenizer_and_keeps_it_when_saved(siglip, tmp_path):
    model = load_model(str(siglip), composition="scope")
    assert model.processor.tokenizer.tokenize("a dog on the beach") != ["<unk>"] * 5
    photos, texts = [Image.new("RGB", (40, 30), "red")], ["a dog on the beach", "a street with no cars"]
    scores = model.score(photos, texts)
    assert scores.shape == (1, 2) and scores[0, 0] != scores[0, 1]
    model.save_pretrained(tmp_path / "saved")
    torch.testing.assert_close(load_model(str(tmp_path / "saved")).score(photos, texts), scores)


def test_siglip_without_its_sentencepiece_model_is_refused(siglip, tmp_path):
    load_model(str(siglip), composition="scope").save_pretrained(tmp_path / "saved")
    for name in ("spiece.model", "tokenizer.json"):
        (tmp_path / "saved" / name).unlink(missing_ok=True)
    with pytest.raises(BadInputError, match="holds no tokenizer"):
        load_model(str(tmp_path / "saved"))
