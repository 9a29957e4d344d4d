"""NotCLIP: dual encoders that understand "not".

`from notclip import NotClipModel` imports torch and transformers; `import notclip` alone does not, so that
`notclip --help`, the builder's text steps and the cards start at once.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from notclip.own_embeddings import compose, image_statistics
    from notclip.remote.configuration_notclip import NotClipConfig
    from notclip.remote.modeling_notclip import NotClipModel
    from notclip.remote.negation_scope import read_scope
    from notclip.remote.processing_notclip import NotClipProcessor

    __version__: str

__all__ = [
    "NotClipConfig",
    "NotClipModel",
    "NotClipProcessor",
    "__version__",
    "compose",
    "image_statistics",
    "read_scope",
]

_MODULES = {
    "NotClipConfig": "notclip.remote.configuration_notclip",
    "NotClipModel": "notclip.remote.modeling_notclip",
    "NotClipProcessor": "notclip.remote.processing_notclip",
    "compose": "notclip.own_embeddings",
    "image_statistics": "notclip.own_embeddings",
    "read_scope": "notclip.remote.negation_scope",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("notclip")
    if name not in _MODULES:
        raise AttributeError(f"module 'notclip' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
