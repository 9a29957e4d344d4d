"""What a NotCLIP model's folder holds beside its weights: its code, and what sentence-transformers looks for.

With them the folder loads by `AutoModel` with `trust_remote_code=True` where this package is absent. They are written
by every `save_pretrained` and `push_to_hub`, also of a model whose own code came from such a folder.
"""

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from transformers.utils import cached_file

ENTRY_POINTS = ("configuration_notclip.py", "modeling_notclip.py", "processing_notclip.py")
AUTO_MAP = {
    "AutoConfig": "configuration_notclip.NotClipConfig",
    "AutoModel": "modeling_notclip.NotClipModel",
    "AutoModelForZeroShotImageClassification": "modeling_notclip.NotClipModel",
    "AutoProcessor": "processing_notclip.NotClipProcessor",
}
# Read by sentence-transformers alone; nothing else follows from here to a file that imports it.
SENTENCE_CODE = "sentence_notclip.py"
SENTENCE_FILES = {
    "modules.json": [{"idx": 0, "name": "0", "path": "", "type": "sentence_notclip.NotClipSentences"}],
    "config_sentence_transformers.json": {"model_type": "SentenceTransformer", "similarity_fn_name": "dot"},
}


def remote_code(entry_points: Iterable[str] = ENTRY_POINTS) -> list[Path]:
    """The files that travel with the weights: the entry points and all that they import from beside them."""
    here, found = Path(__file__).parent, set()
    waiting = [here / name for name in entry_points]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            # As transformers' loader reads them: flat relative imports, one name a line.
            names = re.findall(r"^\s*from \.(\w+) import", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
            waiting += [here / f"{name}.py" for name in names]
    return sorted(found)


def write_release_files(folder: Path, *, source: tuple[str, dict[str, Any]] | None) -> None:
    """Write code and sentence-transformers' files beside weights.

    Args:
        folder: where config.json and model.safetensors lie.
        source: name and place that the model was read from. Its code for sentence-transformers is there where this
            file was itself fetched from the Hub, which brings only what the entry points import.
    """
    for file in remote_code():
        shutil.copyfile(file, folder / file.name)
    sentence = Path(__file__).parent / SENTENCE_CODE
    if not sentence.is_file():
        found = None if source is None else _fetched(SENTENCE_CODE, *source)
        if found is None:
            return
        sentence = found
    if sentence.resolve() != (folder / SENTENCE_CODE).resolve():
        shutil.copyfile(sentence, folder / SENTENCE_CODE)
    for name, content in SENTENCE_FILES.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def name_processor_class(folder: Path) -> None:
    """Say in processor_config.json which class it is of; without that AutoProcessor returns the tokenizer alone."""
    file = folder / "processor_config.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["auto_map"] = {"AutoProcessor": AUTO_MAP["AutoProcessor"]}
    file.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _fetched(file: str, name: str, place: dict[str, Any]) -> Path | None:
    found = cached_file(name, file, _raise_exceptions_for_missing_entries=False, **place)
    return None if found is None else Path(found)


__all__ = ["AUTO_MAP", "SENTENCE_CODE", "SENTENCE_FILES", "name_processor_class", "remote_code", "write_release_files"]
