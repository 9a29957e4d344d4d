"""The schema of a built dataset's configs, made from their dataclasses: what `load_dataset` users see."""

from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from datasets import ClassLabel, Features, Image, List, Value

from notclip.dataset.rows import ROWS, Picture

_VALUES = {str: "string", int: "int32", float: "float32"}
_REFERENCE = ("image_url", "image_sha256")  # what stands for a photo that is not embedded


def feature_of(annotation: Any) -> Any:
    """The feature that holds a field of this type.

    >>> feature_of(list[Literal["yes", "no"]]).feature.names
    ['yes', 'no']
    """
    if isinstance(annotation, UnionType):  # With None, which every feature holds.
        return feature_of(next(one for one in get_args(annotation) if one is not type(None)))
    if annotation is Picture:
        return Image()
    if get_origin(annotation) is list:
        return List(feature_of(get_args(annotation)[0]))
    if get_origin(annotation) is Literal:
        return ClassLabel(names=list(get_args(annotation)))
    if is_dataclass(annotation):
        return {name: feature_of(kind) for name, kind in get_type_hints(annotation).items()}
    return Value(_VALUES[annotation])


def _features(row: type, *, embedded: bool) -> Features:
    hints, made, references = get_type_hints(row), {}, {}
    for column in fields(row):
        feature = feature_of(hints[column.name])
        if column.name.startswith(_REFERENCE):
            references[column.name] = feature
        else:
            made[column.name] = feature
    if embedded:
        return Features(made)
    places: dict[str, Any] = {}
    for name, feature in made.items():
        if isinstance(feature, Image):  # In the place of image_1 stand image_url_1 and image_sha256_1.
            of_it = [f"{reference}{name.removeprefix('image')}" for reference in _REFERENCE]
            places |= {reference: references[reference] for reference in of_it}
        else:
            places[name] = feature
    return Features(places)


FEATURES = {config: _features(row, embedded=True) for config, row in ROWS.items()}


def features_of(images: str) -> dict[str, Features]:
    """The features of each config.

    Args:
        images: `embedded`, or `referenced` for large sets and sources whose photos may not be passed on: instead of
            the photo, where it is found and the SHA-256 of its bytes.
    """
    return {config: _features(row, embedded=images == "embedded") for config, row in ROWS.items()}
