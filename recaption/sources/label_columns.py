"""The column of a table that holds annotations, in the forms of the Hub's detection and classification sets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from notclip.errors import BadInputError
from notclip.recaption.sources.columns import caption_columns
from notclip.recaption.sources.parts import Exhaustive

OBJECTS = "objects"  # What `Columns` reads: a list of class numbers.
_CLASSES = ("category", "categories", "category_id", "label", "labels", "class", "class_id", "class_label", "name")
_BOXES = ("bbox", "bboxes", "box", "boxes", "bounding_box", "bounding_boxes", "segmentation", "polygon", "mask")
_WHOLE_IMAGE = ("objects", "labels", "label", "classes", "class")


@dataclass(frozen=True)
class LabelColumn:
    """Where the annotation stands.

    Args:
        column: the column.
        inner: the field of its objects that names the class; None where the column itself holds classes.
        names: class names by number; None where the cells are names.
        single: whether each image has just one class, which says nothing of the others.
    """

    column: str
    inner: str | None
    names: tuple[str, ...] | None
    single: bool = False

    def values_of(self, cell: Any) -> list[Any]:
        """The classes that a cell names, as they stand there."""
        if cell is None:
            return []
        if self.inner is None:
            return list(cell) if isinstance(cell, list | tuple) else [cell]
        if isinstance(cell, Mapping):
            found = cell[self.inner]
            return list(found) if isinstance(found, list | tuple) else [found]
        return [entry[self.inner] for entry in cell]

    def numbered(self, row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
        """The row with its annotation as a list of class numbers in `objects`; None where there is none."""
        cell = row[self.column]
        values = None if cell is None else self.values_of(cell)
        if values is not None and self.names is None:
            values = [names.index(str(value)) for value in values if value is not None]
        # Class -1 stands for "not known", as in the test splits of many sets.
        if values is not None and self.single and any(value is None or value == -1 for value in values):
            values = None
        return {**row, OBJECTS: values}


def label_column(features: Mapping[str, Any], where: str, *, exhaustive: Exhaustive | None) -> LabelColumn | None:
    """Tell the column of annotations of what `datasets` loads; None where there is none, or `Columns` reads it itself.

    Args:
        features: the columns with their features.
        where: what they belong to, for messages.
        exhaustive: whether a class that is not listed is not there, as the user said.

    Raises:
        BadInputError: each image has one class, and the user did not say whether it shows none of the others; or
            classes are numbers without names.
    """
    captioned = bool(caption_columns(list(features)))
    objects = (_of_objects(name, features[name], where, captioned=captioned) for name in features)
    found = next((made for made in objects if made), None)
    if found is None and not captioned:
        named = (name for wanted in _WHOLE_IMAGE for name in features if name.lower() == wanted)
        found = next((made for name in named if (made := _of_classes(name, features[name]))), None)
    if found is not None and found.single and exhaustive is None:
        raise BadInputError(
            f"{where}: each image has one class (column {found.column!r}), which does not say whether it shows things "
            "of the others: give `exhaustive` yes if it never does, else no."
        )
    return found


def _of_objects(name: str, feature: Any, where: str, *, captioned: bool) -> LabelColumn | None:
    """`objects` of a detection set: a list of structs, or a struct of lists, with boxes and classes."""
    inner = _element(feature) or feature
    fields = inner if isinstance(inner, Mapping) else {}
    if not any(key.lower() in _BOXES for key in fields):
        return None
    keys = [key for wanted in _CLASSES for key in fields if key.lower() == wanted]
    leaves = {key: _element(fields[key]) or fields[key] for key in keys}
    classed = next((key for key, leaf in leaves.items() if getattr(leaf, "names", None)), None)
    if classed is not None:
        return LabelColumn(name, classed, tuple(leaves[classed].names))
    texts = next(
        (key for key, leaf in leaves.items() if getattr(leaf, "dtype", "") in ("string", "large_string")), None
    )
    if texts is not None:
        return LabelColumn(name, texts, None)
    if keys and not captioned:
        raise BadInputError(
            f"{where}: the classes in {name}.{keys[0]} are numbers without names; cast the field to `ClassLabel` with "
            "`datasets`."
        )
    return None


def _of_classes(name: str, feature: Any) -> LabelColumn | None:
    """Classes of whole images: one, or a list."""
    element = _element(feature)
    names = getattr(element or feature, "names", None)
    if not names or (element is not None and name == OBJECTS):
        return None  # `objects` as a list of classes is what `Columns` reads.
    return LabelColumn(name, None, tuple(names), single=element is None)


def _element(feature: Any) -> Any:
    """Feature of the elements of a list; None for what is none."""
    if isinstance(feature, list):
        return feature[0]
    return getattr(feature, "feature", None)


def numbered_features(features: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The features with the annotation as `Columns` reads it."""
    from datasets import ClassLabel, Features, List

    return Features({**features, OBJECTS: List(ClassLabel(names=list(names)))})


def names_in(cells: Iterable[Any], column: LabelColumn) -> tuple[str, ...]:
    """All names of classes that stand in the cells, in the order of the alphabet."""
    return tuple(sorted({str(value) for cell in cells for value in column.values_of(cell) if value is not None}))
