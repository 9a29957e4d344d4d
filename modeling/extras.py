"""Which extra of this package brings a package that is not installed."""

import re
from importlib.metadata import requires

# Imported by another name than they are installed by.
_DISTRIBUTIONS = {"PIL": "pillow", "google": "protobuf", "sklearn": "scikit-learn", "yaml": "pyyaml"}


def how_to_install(module: str, *, verb: str | None = None) -> str:
    """What to type for a module that is missing.

    Args:
        module: name that could not be imported, such as `peft.tuners`.
        verb: the command that needed it, whose own extra is named where it brings the module.

    >>> how_to_install("peft", verb="train-adapter")
    "pip install 'notclip[train]'"
    >>> how_to_install("gradio")
    "pip install 'notclip[space]'"
    >>> how_to_install("ray")
    'pip install ray'
    """
    name = module.partition(".")[0]
    distribution = _normal(_DISTRIBUTIONS.get(name, name))
    extras: list[str] = []
    for requirement in requires("notclip") or ():
        required = re.match(r"[\w.-]+", requirement)
        if required is None or _normal(required[0]) != distribution:
            continue
        extra = re.search(r"extra == ['\"](\w+)['\"]", requirement)
        if extra is None:
            return "pip install --upgrade notclip"
        extras.append(extra[1])
    if not extras:
        return f"pip install {distribution}"
    own = _EXTRA_OF_VERB.get(verb or "")
    return f"pip install 'notclip[{own if own in extras else extras[0]}]'"


_EXTRA_OF_VERB = {
    "build-dataset": "build",
    "embed-images": "train",
    "train-adapter": "train",
    "score-model": "score",
    "init-suite": "score",
    "stage-release": "release",
    "stage-reader": "release",
    "check-release": "release",
    "rehearse": "release",
    "push-release": "release",
}


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")
