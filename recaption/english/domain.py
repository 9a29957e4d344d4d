"""A domain: what the labels of a table mean in English, from a small YAML file; see docs/domains.md."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError
from notclip.files.text_files import read_text
from notclip.files.yaml_files import LARGEST, parse_yaml, read_yaml
from notclip.recaption.concepts.lexicon import Concept, Lexicon, concept_of_fields
from notclip.recaption.concepts.mentions import MentionRules
from notclip.recaption.english.phrasing import Phrasebook
from notclip.recaption.sources.labels import read_labels, words_of_label

FOLDER = Path(__file__).parent / "domains"
# Domains that come with the package, by the name that `--domain` takes.
DOMAINS = {"chest-xray": FOLDER / "chest_xray.yaml"}
ENGLISH = {"general": FOLDER.parent / "phrasing_forms.yaml", "radiology": FOLDER / "radiology_forms.yaml"}
# What general English needs for `normal`; radiology has its own.
_NORMAL = {
    "negation": ["{^normal_N}."],
    "hybrid": ["{^A} {A_is} {shown}{in_image?}, but {normal_N}.", "{this_image} {shows} {A}, but {normal_N}."],
    "captions": ["{sentence} {^normal_N}.", "{^normal_N}. {sentence}"],
}
_FIELDS = ("subject", "english", "optional", "classes", "leave_out")
_NO_RULES = MentionRules.from_table({}, FOLDER)


@dataclass(frozen=True)
class LabelDomain:
    """What a table's labels mean.

    Args:
        file: the YAML file, for messages.
        subject: what every image is a picture of, with its article: "a chest X-ray".
        english: name of the table of forms that its captions are made from.
        classes: the concept of each label that the file names.
        leave_out: labels that are not spoken of.
        optional: whether a source may lack labels that the file names.
    """

    file: Path
    subject: str
    english: str
    classes: Mapping[str, Concept]
    leave_out: frozenset[str]
    optional: bool = False

    @property
    def phrasebook(self) -> Phrasebook:
        """The English of its captions, questions and queries."""
        return _phrasebook(self.english)

    def concept_of_label(self, labels: Collection[str]) -> dict[str, str]:
        """Name of the concept of each label of a source that is spoken of.

        Args:
            labels: all labels of the source.

        Raises:
            BadInputError: the file names a label that the source lacks, which is most often a slip of the pen; or
                it does not name one that makes no English.
        """
        for field, named in (("classes", self.classes), ("leave_out", self.leave_out)):
            for label in named:
                if label not in labels and not self.optional:
                    raise BadInputError(
                        f"{self.file}: `{field}` names {label!r}, which is no label of `source`; its labels are "
                        f"{', '.join(map(repr, labels)) or 'none'}."
                    )
        plain = read_labels(label for label in labels if label not in self.classes and label not in self.leave_out)
        called = {label: concept.name for label, concept in self.classes.items()}
        called |= {label: reading.words for label, reading in plain.items() if reading.kind == "thing"}
        return {label: called[label] for label in labels if label in called and label not in self.leave_out}

    def lexicon(self, labels: Collection[str]) -> Lexicon:
        """The concepts of a source's labels: those of the file, and a plain noun for each that it does not name."""
        concept_of = self.concept_of_label(labels)
        known = Lexicon(self.classes.values(), _NO_RULES)  # Those that no image shows are never spoken of.
        return known.extended(name for label, name in concept_of.items() if label not in self.classes)


@cache
def _phrasebook(english: str) -> Phrasebook:
    table = read_yaml(ENGLISH[english], "The table of forms")
    for section, patterns in _NORMAL.items():
        forms = table["captions"] if section == "captions" else table["statements"][section]
        forms.setdefault("normal", patterns)
    return Phrasebook(table)


def load_domain(name: str) -> LabelDomain:
    """Read a domain.

    Args:
        name: one that comes with the package, or the path of a YAML file.

    Raises:
        BadInputError: there is no such domain, or the file breaks a rule of the form.
    """
    file = DOMAINS.get(name, Path(name))
    if not file.is_file():
        raise BadInputError(
            f"`domain` must be {' or '.join(map(repr, DOMAINS))} or a YAML file, got {name!r}, which does not exist."
        )
    text = read_text(file, "The domain", largest=LARGEST)
    return _domain_of(text, file)


@lru_cache(maxsize=4)
def _domain_of(text: str, file: Path) -> LabelDomain:
    table = parse_yaml(text, f"The domain {file}")
    if not isinstance(table, dict) or not isinstance(table.get("subject"), str) or not table["subject"].strip():
        raise BadInputError(f"{file} must say in `subject` what each image is a picture of, such as: a metal part.")
    for field in table:
        if field not in _FIELDS:
            raise BadInputError(f"{file}: unknown field {str(field)!r}; it knows {', '.join(_FIELDS)}.")
    english = table.get("english", "general")
    if not isinstance(english, str) or english not in ENGLISH:
        raise BadInputError(f"{file}: `english` must be one of {', '.join(ENGLISH)}, got {english!r}.")
    leave_out = table.get("leave_out", [])
    if not isinstance(leave_out, list) or not all(isinstance(label, str) for label in leave_out):
        raise BadInputError(f"{file}: `leave_out` must be a list of labels, got {leave_out!r}; quote them.")
    optional = table.get("optional", False)
    if not isinstance(optional, bool):
        raise BadInputError(f"{file}: `optional` must be true or false, got {optional!r}.")
    classes = _classes(table.get("classes", {}), file)
    Lexicon(classes.values(), _NO_RULES)  # Says at once which of them names one that is none.
    return LabelDomain(file, table["subject"].strip(), english, classes, frozenset(leave_out), optional)


def _classes(table: Any, file: Path) -> dict[str, Concept]:
    if not isinstance(table, dict):
        raise BadInputError(f"{file}: `classes` must hold `label: fields` pairs, got {table!r}.")
    found: dict[str, Concept] = {}
    for label, fields in table.items():
        if not isinstance(label, str):
            raise BadInputError(f"{file}: the label {label!r} in `classes` must be a word; quote it.")
        own = dict(fields) if isinstance(fields, dict) else fields
        name = own.pop("name", None) if isinstance(own, dict) else None
        if name is not None and (not isinstance(name, str) or not name.strip()):
            raise BadInputError(f"{file}: class {label!r}: `name` must be a noun, got {name!r}; quote it.")
        concept = concept_of_fields(name or words_of_label(label), own, file)
        other = next((known for known, its in found.items() if its.name == concept.name), None)
        if other is not None:
            raise BadInputError(f"{file}: {other!r} and {label!r} are both called {concept.name!r}.")
        found[label] = concept
    return found
