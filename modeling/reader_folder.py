"""Writes notclip-reader's folder: what `pipeline("token-classification", folder, trust_remote_code=True)` loads."""

import shutil
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from tokenizers.decoders import WordPiece
from transformers import PreTrainedTokenizerFast

from notclip.errors import BadInputError
from notclip.remote import reading_tagger
from notclip.remote.modeling_reader import ID_TO_LABEL, ReaderConfig
from notclip.remote.reading_tagger import Tagger
from notclip.remote.release_files_notclip import remote_code

ENTRY_POINTS = ("modeling_reader.py", "pipeline_reader.py")


def write_reader(folder: Path) -> None:
    """Write config, weights, tokenizer and code of the reader that this package carries.

    Raises:
        BadInputError: its file of weights is broken.
    """
    try:
        tagger = Tagger.from_bytes(Tagger.default_bytes())
    except (ValueError, OSError) as error:
        raise BadInputError(f"The reader of this package, {reading_tagger.WEIGHTS}, is broken: {error}") from error
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
    config.custom_pipelines = {
        "negation-scope": {
            "impl": "pipeline_reader.NegationScopePipeline",
            "pt": ["AutoModelForTokenClassification"],
        }
    }
    folder.mkdir(parents=True, exist_ok=True)
    config.save_pretrained(folder)
    (folder / "model.safetensors").write_bytes(Tagger.default_bytes())
    tokenizer_of(tagger.vocabulary).save_pretrained(folder)
    for file in remote_code(ENTRY_POINTS):
        shutil.copyfile(file, folder / file.name)


def tokenizer_of(vocabulary: list[str]) -> PreTrainedTokenizerFast:
    """BERT's uncased tokenizer with the reader's word pieces, without special tokens around a text."""
    pieces = {piece: place for place, piece in enumerate(vocabulary)}
    backend = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]", max_input_chars_per_word=60))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = WordPiece()
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]")


__all__ = ["write_reader"]
