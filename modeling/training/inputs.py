"""What a training run is made of besides its options, so that `--resume` goes on with the same or not at all."""

from pathlib import Path

from notclip.dataset.files import split_files
from notclip.errors import BadInputError
from notclip.files.derived import derived_key, file_digest, folder_digest
from notclip.files.json_files import check_record, read_json_object
from notclip.fingerprints import image_tower_fingerprint, text_fingerprint
from notclip.openclip.files import is_openclip
from notclip.remote.modeling_notclip import NotClipModel
from notclip.training.config import TrainConfig
from notclip.training.seen_classes import FILE as SEEN

_MADE_WITH = ("accelerate", "numpy", "peft", "torch", "transformers")


def training_inputs(config: TrainConfig, model: NotClipModel) -> dict[str, str]:
    """A key for each of base, data and code.

    Args:
        config: the options.
        model: the base, as loaded.
    """
    checkpoint = Path(config.base)
    converted = is_openclip(config.base)  # to OUT/base, which stays what it was when the checkpoint is replaced
    content = None if not converted else (folder_digest if checkpoint.is_dir() else file_digest)(checkpoint)
    data = {
        f"{name} {file.name}": file_digest(file)
        for name in ("captions", "questions", "retrieval")
        for split in ("train", "validation")
        for file in split_files(config.data, name, split)
    }
    data |= {f"seen {file.name}": file_digest(file) for file in [config.data / SEEN] if file.is_file()}
    if config.away is not None:
        data["away"] = folder_digest(config.away)
    return {
        "base": derived_key(of=[image_tower_fingerprint(model), text_fingerprint(model), content]),
        "data": derived_key(of=data),
        "code": derived_key("notclip.training.run", of=None, libraries=_MADE_WITH),
    }


def require_same_inputs(saved: Path, inputs: dict[str, str]) -> None:
    """Refuse to go on with a run that was begun with other inputs.

    Args:
        saved: the run's train_config.json.
        inputs: what `training_inputs` says now.

    Raises:
        BadInputError: naming the first that was changed.
    """
    before = read_json_object(saved, "`resume`:")
    check_record(before, {"inputs": dict}, f"`resume`: {saved}")
    before = before["inputs"]
    changed = [name for name, key in inputs.items() if before.get(name) != key]
    if changed:
        raise BadInputError(
            f"`resume` goes on with what {saved} was begun with, but its {changed[0]} has changed since: name another "
            f"--out, or remove {saved.parent} and start anew."
        )
