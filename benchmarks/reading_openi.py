"""Findings of chest X-ray reports (OpenI, ../shared/data/openi) by what a reader says is denied.

A finding is read in a report where some mention of it in findings or impression is not denied; the labels are of the
whole report, so hedges and noise of the labels lower every reader alike. The labels take most hedged findings ("may
represent atelectasis") for absent, the guide of the labelled set for affirmed; so a second figure leaves mentions out
whose sentence hedges, for every reader alike.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from reading_set import Span

# Whether each of some phrases of a text is denied there.
Denies = Callable[[str, Sequence[Span]], list[bool]]

MENTIONS = {
    "Atelectasis": r"atelecta\w*",
    "Cardiomegaly": r"cardiomegaly|enlarged (?:heart|cardiac)|(?:heart|silhouette) (?:size )?is [\w ]*enlarged",
    "Effusion": r"effusions?",
    "Infiltration": r"infiltrat\w*",
    "Mass": r"mass(?:es)?",
    "Nodule": r"nodul\w*",
    "Pneumonia": r"pneumonias?|pneumonic",
    "Pneumothorax": r"pneumothora\w+",
    "Consolidation": r"consolidat\w*",
    "Edema": r"o?edema",
    "Emphysema": r"emphysema\w*",
    "Fibrosis": r"fibro(?:sis|tic)",
    "Pleural_Thickening": r"pleural thickening",
    "Hernia": r"hernias?",
}
_MENTION = re.compile(
    rf"\b(?:{'|'.join(f'(?P<{name}>{words})' for name, words in MENTIONS.items())})\b", flags=re.IGNORECASE
)
HEDGE = re.compile(
    r"\b(?:may|might|could|can(?:not| not)|possib\w+|probab\w+|likely|unlikely|suspect\w*|suspicious|suggest\w*|"
    r"versus|vs|concern\w*|question\w*|consider\w*|differential|favou?r\w*|rule out|exclude\w*|"
    r"evaluat\w+|correlat\w+|if)\b",
    flags=re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.?!]+(?:[.?!](?!\s|$)[^.?!]*)*[.?!]*")


@dataclass(frozen=True)
class Report:
    """The sentences of a report that mention findings, with the mentions' (finding, start, end), and its labels."""

    sentences: tuple[tuple[str, tuple[tuple[str, int, int], ...]], ...]
    present: frozenset[str]
    normal: bool


def mentions_in(text: str) -> Iterator[tuple[str, tuple[tuple[str, int, int], ...]]]:
    """Sentences that mention a finding.

    >>> list(mentions_in("Clear lungs. No effusion."))
    [('No effusion.', (('Effusion', 3, 11),))]
    """
    for sentence in map(str.strip, _SENTENCE.findall(text)):
        if found := tuple((str(match.lastgroup), *match.span()) for match in _MENTION.finditer(sentence)):
            yield sentence, found


def read_reports(folder: Path) -> list[Report]:
    """The reports of reports.csv with the findings of findings.csv."""
    with (folder / "findings.csv").open(encoding="utf-8", newline="") as file:
        labels = {row["uid"]: row for row in csv.DictReader(file)}
    with (folder / "reports.csv").open(encoding="utf-8", newline="") as file:
        return [
            Report(
                tuple(mentions_in(f"{row['findings']} {row['impression']}")),
                frozenset(name for name in MENTIONS if labels[row["uid"]][name] == "1"),
                labels[row["uid"]]["normal"] == "1",
            )
            for row in csv.DictReader(file)
        ]


@dataclass(frozen=True)
class OpeniFigures:
    """Mentions of findings in reports labelled normal, those read as denied, and micro-F1 of findings by report.

    `f1_unhedged` is F1 where a mention in a sentence that hedges is no finding.
    """

    absent: int
    read_absent: int
    f1: float
    f1_unhedged: float


def measure(reports: Sequence[Report], denies: Denies) -> OpeniFigures:
    """What a reader makes of reports."""
    absent = read_absent = 0
    read: list[set[str]] = []
    unhedged: list[set[str]] = []
    for report in reports:
        read.append(set())
        unhedged.append(set())
        for sentence, found in report.sentences:
            denied = denies(sentence, [(start, end) for _, start, end in found])
            said = {name for (name, _, _), is_denied in zip(found, denied, strict=True) if not is_denied}
            read[-1] |= said
            unhedged[-1] |= set() if HEDGE.search(sentence) else said
            if report.normal:
                absent += len(found)
                read_absent += sum(denied)
    present = [report.present for report in reports]
    return OpeniFigures(absent, read_absent, micro_f1(read, present), micro_f1(unhedged, present))


def micro_f1(read: Sequence[Set[str]], present: Sequence[Set[str]]) -> float:
    """F1 over all pairs of report and finding; findings that no report is labelled with (a hernia) are left out.

    >>> micro_f1([{"Mass", "Hernia"}, {"Mass"}], [{"Mass"}, set()])
    0.6666666666666666
    """
    labelled = frozenset().union(*present)
    both = sum(len(found & labels) for found, labels in zip(read, present, strict=True))
    return 2 * both / (sum(len(found & labelled) for found in read) + sum(map(len, present)))
