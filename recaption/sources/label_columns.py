"""The column of a table that holds annotations, in the forms of the Hub's detection and classification sets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from notclip.errors import BadInputError, shortened
from notclip.recaption.sources.column_names import caption_columns
from notclip.recaption.sources.parts import Exhaustive

OBJECTS = "objects"  # The one column of classes that is read beside captions, too: a list of them.
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

    def classes_of(self, cell: Any) -> frozenset[str] | None:
        """Names of the classes of a cell; None where nothing is known, as in test sets whose answers are kept back.

        Raises:
            BadInputError: a class number has no name.
        """
        if cell is None:
            return None
        values = self._values_of(cell)
        if self.names is None:
            return frozenset(str(value) for value in values if value is not None)
        if self.single and any(value is None or value == -1 for value in values):
            return None
        for value in values:
            if not isinstance(value, int) or not 0 <= value < len(self.names):
                raise BadInputError(f"object class {shortened(value)} must be between 0 and {len(self.names) - 1}")
        return frozenset(self.names[value] for value in values)

    def _values_of(self, cell: Any) -> list[Any]:
        """The classes that a cell names, as they stand there."""
        if self.inner is None:
            return list(cell) if isinstance(cell, list | tuple) else [cell]
        if isinstance(cell, Mapping):
            found = cell[self.inner]
            return list(found) if isinstance(found, list | tuple) else [found]
        return [entry[self.inner] for entry in cell]

    def names_in(self, cells: Iterable[Any]) -> tuple[str, ...]:
        """All names of classes that stand in the cells, in the order of the alphabet."""
        return tuple(sorted(frozenset[str]().union(*(self.classes_of(cell) or () for cell in cells))))


def label_column(features: Mapping[str, Any], where: str, *, exhaustive: Exhaustive | None) -> LabelColumn | None:
    """Tell the column of annotations; None where there is none.

    Args:
        features: the columns with their features, as `datasets` has them; None for a type that it does not know.
        where: what they belong to, for messages.
        exhaustive: whether a class that is not listed is not there, as the user said.

    Raises:
        BadInputError: each image has one class, and the user did not say whether it shows none of the others; or
            classes are numbers without names.
    """
    captioned = bool(caption_columns(list(features)))
    objects = (_of_objects(name, features[name], where, captioned=captioned) for name in features)
    found = next((made for made in objects if made), None)
    if found is None:
        named = (name for wanted in _WHOLE_IMAGE for name in features if name.lower() == wanted)
        classes = (_of_classes(name, features[name], captioned=captioned) for name in named)
        found = next((made for made in classes if made), None)
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


def _of_classes(name: str, feature: Any, *, captioned: bool) -> LabelColumn | None:
    """Classes of whole images: one, or a list."""
    element = _element(feature)
    names = getattr(element or feature, "names", None)
    if not names or (captioned and (element is None or name != OBJECTS)):
        return None
    return LabelColumn(name, None, tuple(names), single=element is None)


def _element(feature: Any) -> Any:
    """Feature of the elements of a list; None for what is none."""
    if isinstance(feature, list):
        return feature[0]
    return getattr(feature, "feature", None)
