"""Writes notclip-reader's folder: what `pipeline("token-classification", folder, trust_remote_code=True)` loads."""

import shutil
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from tokenizers.decoders import WordPiece
from transformers import PreTrainedTokenizerFast

from notclip.remote.modeling_reader import ID_TO_LABEL, ReaderConfig
from notclip.remote.reading_tagger import WEIGHTS, Tagger

CODE = ("modeling_reader.py", "reading_tagger.py")


def write_reader(folder: Path) -> None:
    """Write config, weights, tokenizer and code of the reader that this package carries."""
    folder.mkdir(parents=True, exist_ok=True)
    tagger = Tagger.default()
    network = tagger.network
    config = ReaderConfig(
        vocab_size=len(tagger.vocabulary),
        embedding_size=network.embeddings.embedding_dim,
        hidden_size=network.inner.out_features,
        dilations=list(network.dilations),
        id2label=ID_TO_LABEL,
        label2id={label: place for place, label in ID_TO_LABEL.items()},
        architectures=["ReaderForTokenClassification"],
        dtype="float32",
    )
    config.pad_token_id = 0
    config.auto_map = {
        "AutoConfig": "modeling_reader.ReaderConfig",
        "AutoModelForTokenClassification": "modeling_reader.ReaderForTokenClassification",
    }
    config.save_pretrained(folder)
    (folder / "model.safetensors").write_bytes(Tagger.default_bytes())
    tokenizer_of(tagger.vocabulary).save_pretrained(folder)
    for name in CODE:
        shutil.copyfile(WEIGHTS.parent / name, folder / name)


def tokenizer_of(vocabulary: list[str]) -> PreTrainedTokenizerFast:
    """BERT's uncased tokenizer with the reader's word pieces, without special tokens around a text."""
    pieces = {piece: place for place, piece in enumerate(vocabulary)}
    backend = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]", max_input_chars_per_word=60))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = WordPiece()
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]")


__all__ = ["write_reader"]
