"""What the tagger learns from: hand labels, frames, plain captions, reports; words with the labels they may have."""

import csv
import random
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from fillers import Fillers, Labelled  # noqa: E402
from grammar import ANY, filled, read_frames  # noqa: E402
from phrased import Phrased  # noqa: E402
from reading_judge import UNCOUNTED  # noqa: E402
from reading_openi import mentions_in  # noqa: E402
from reading_set import LabelledText, read_split  # noqa: E402

from notclip.remote.negation_clauses import sentences  # noqa: E402
from notclip.remote.reading_tagger import may_deny, without_end  # noqa: E402
from notclip.remote.reading_words import split_words  # noqa: E402

# Cues wherever what they lead to is denied, whatever the labels leave open.
_SURE_CUES = frozenset(
    "no not n't without never neither nor w/o lacks lacking lack cannot sans zero minus excluding excludes exclude "
    "omits omit absent devoid void nowhere isnt dont doesnt arent cant except instead hardly barely none".split()
)
# How often a hand label is drawn: what people write in many ways oftener than edits and reports, which are alike.
_WEIGHTS = {"negrefcocog": 3.0, "nlvr2": 3.0, "flickr30k": 3.0, "queries": 2.0, "queries-own": 2.0, "plain": 0.7}
_DENIED_FREELY = re.compile(
    r"n't|'t\b|\b(?:no|not|none|never|cannot|without|except|instead|rather|lack\w*|missing)\b", re.IGNORECASE
)


def resplit(text: Labelled) -> Labelled:
    """Tokens of frames and captions as the reader splits words; what follows the first part of a B is an I."""
    words: Labelled = []
    for token, allowed in text:
        for place, (start, end) in enumerate(split_words(token)):
            words.append((token[start:end], "I" if place and allowed == "B" else allowed))
    denies = any(allowed in ("B", "C") for _, allowed in words)
    return [(word, "AD" if denies and word == "." and allowed in "AD" else allowed) for word, allowed in words]


def from_hand(labelled: LabelledText) -> Labelled:
    """A hand-labelled text: what its labels leave open may be anything that fits."""
    text = labelled.text
    words: Labelled = []
    for start, end in split_words(text):
        word = text[start:end]
        counted = any(part.lower() not in UNCOUNTED for part in re.findall(r"[^\W_]+", word))
        denied = next((span for span in labelled.denied if span[0] < end and start < span[1]), None)
        if denied:
            first = start <= denied[0]
            allowed = (
                ("BIS" if words and words[-1][1] not in ("A", "D") else "BS") if first else "I" if counted else "ID"
            )
        elif any(since < end and start < until for since, until in labelled.affirmed):
            allowed = "A" if counted else "AD"
        elif not labelled.denied:
            allowed = "ACD" if _DENIED_FREELY.search(text) else "A"
        else:
            allowed = ANY if counted else "ACD"
        words.append((word, allowed))
    return _with_sure_cues(words)


def _with_sure_cues(words: Labelled) -> Labelled:
    """Words such as "no" are cues where what they lead to is denied."""
    return [
        (word, "C" if word.lower() in _SURE_CUES and allowed != "A" and _leads_to_denied(words, place) else allowed)
        for place, (word, allowed) in enumerate(words)
    ]


def _leads_to_denied(words: Labelled, place: int) -> bool:
    """Whether what a word denies follows, with nothing affirmed in between."""
    for _, allowed in words[place + 1 : place + 5]:
        if allowed in ("B", "BS", "BIS"):
            return True
        if allowed == "A":
            return False
    return False


def phrases_of(texts: Sequence[LabelledText], sources: Sequence[str], side: str) -> list[str]:
    """The labelled phrases of some sources, of up to four words."""
    found = []
    for text in texts:
        if text.source in sources:
            found += [text.text[start:end] for start, end in getattr(text, side)]
    return [phrase for phrase in found if len(phrase.split()) <= 4 and not phrase.split()[0].endswith("ing")]


def plain_captions(shared: Path, split: str) -> list[str]:
    """Flickr8k's captions of a split."""
    import pyarrow.parquet as parquet

    table = parquet.read_table(shared / "data" / "flickr8k" / f"{split}.parquet", columns=["captions"])
    return [caption for row in table["captions"].to_pylist() for caption in row]


def report_sentences(shared: Path, held: frozenset[str]) -> list[Labelled]:
    """Sentences of OpenI's normal reports (every third report is kept for judging) that open with a denial.

    In a report that is labelled normal, what a sentence with a denial says of a finding denies it.
    """
    denying: list[Labelled] = []
    with (shared / "data/openi/findings.csv").open(encoding="utf-8", newline="") as file:
        normal = {row["uid"]: row["normal"] == "1" for row in csv.DictReader(file)}
    with (shared / "data/openi/reports.csv").open(encoding="utf-8", newline="") as file:
        reports = list(csv.DictReader(file))
    for report in reports:
        if is_held(report["uid"]):
            continue
        text = f"{report['findings']} {report['impression']}"
        for sentence in re.findall(r"[^.?!]+(?:[.?!](?!\s|$)[^.?!]*)*[.?!]*", text):
            sentence = sentence.strip()
            if not sentence or letters_of(sentence) in held:
                continue
            if normal[report["uid"]] and re.match(r"(?:there (?:is|are) |otherwise,? )?no\b", sentence, re.IGNORECASE):
                found = [span for _, mentions in mentions_in(sentence) for span in [m[1:] for m in mentions]]
                spans = split_words(sentence)
                denying.append([
                    (sentence[start:end], "BI" if any(a < end and start < b for a, b in found) else
                     "ACD" if sentence[start:end].lower() in UNCOUNTED else ANY)
                    for start, end in spans
                ])  # fmt: skip
    return [text for text in denying if any(allowed == "BI" for _, allowed in text)]


def is_held(uid: str) -> bool:
    """Whether a report is kept for judging: every third."""
    return int(uid) % 3 == 0


def letters_of(text: str) -> str:
    """What makes a text the same as another."""
    return re.sub(r"\W", "", text).lower()


class Examples:
    """Draws labelled texts.

    Args:
        shared: the folder with data/ and models/.
        words: words of any kind for fillers.
    """

    def __init__(self, shared: Path, words: Sequence[str]) -> None:
        hand = read_split("train", pool=shared / "data" / "reading" / "pool.jsonl")
        people = ("fashioniq", "flickr30k", "negrefcocog", "nlvr2", "queries", "queries-own", "queries-apps", "plain")
        captions = plain_captions(shared, "train")
        self.fillers = Fillers(
            words=words,
            phrases=phrases_of(hand, people, "denied") * 3 + phrases_of(hand, people, "affirmed"),
            findings=phrases_of(hand, ("openi",), "denied"),
            captions=captions,
        )
        # Those that the network is asked to read though they deny nothing ("looks out of", "hold", "less").
        self.captions = [text for text in captions if may_deny(words_of(text)) and not _DENIED_FREELY.search(text)]
        self.phrased = Phrased(self.fillers)
        held = frozenset(
            letters_of(text.text)
            for split in ("development", "test")
            for text in read_split(split, pool=shared / "data" / "reading" / "pool.jsonl")
        )
        self.reports = report_sentences(shared, held)
        hand = [text for text in hand if may_deny(words_of(text.text))]
        self.hand = [(text, from_hand(text)) for text in hand]
        self._drawn_by = list(accumulate(_WEIGHTS.get(text.source, 1.0) for text in hand))
        self.frames = {}
        for name in ("frames_written", "frames_paraphrases", "captions", "frames_last", "frames_end"):
            frames, weights = zip(*read_frames(HERE / f"{name}.txt"), strict=True)
            self.frames[name] = (frames, list(accumulate(weights)))

    def draw(self, kind: str, rng: random.Random) -> Labelled:
        """One text of a kind: hand, phrased, plain, reports, or a file of frames."""
        if kind == "hand":
            return self._varied(rng.choices(self.hand, cum_weights=self._drawn_by)[0][1], rng)
        if kind == "reports":
            return rng.choice(self.reports)
        if kind == "phrased":
            return _with_sure_cues(self.phrased.draw(rng))
        if kind == "plain":
            return [(word, "A") for word in words_of(rng.choice(self.captions))]
        frames, weights = self.frames[kind]
        frame = rng.choices(frames, cum_weights=weights)[0]
        words = misspelt(resplit(filled(frame, self.fillers, rng)), rng)
        return self._varied(words, rng) if kind == "captions" else words

    def _varied(self, words: Labelled, rng: random.Random) -> Labelled:
        """Now and then a denied phrase is another thing, and a word another word."""
        varied: Labelled = []
        place = 0
        while place < len(words):
            word, allowed = words[place]
            if allowed in ("B", "BS", "BIS") and rng.random() < 0.4 and not word.endswith("ing"):
                end = place + 1
                while end < len(words) and words[end][1] == "I":
                    end += 1
                if word.lower() not in ("one", "nobody", "anyone", "people") and words[end - 1][1] != "S":
                    varied += resplit([(w, "B" if i == 0 else "I") for i, w in enumerate(self.fillers.thing(rng))])
                    place = end
                    continue
            if allowed == "A" and len(word) > 4 and word.isalpha() and rng.random() < 0.05:
                word = rng.choice(self.fillers.words)
            varied.append((word, allowed))
            place += 1
        return varied

    def batches(self, mixture: dict[str, float], size: int, count: int, seed: int) -> Iterator[list[Labelled]]:
        """Batches of texts of about one length."""
        rng = random.Random(seed)
        kinds, shares = list(mixture), list(mixture.values())
        given = 0
        while given < count:
            drawn = [self.draw(kind, rng) for kind in rng.choices(kinds, shares, k=16 * size)]
            texts = sorted((without_stop(part, rng)[:120] for text in drawn for part in read_parts(text)), key=len)
            found = [texts[start : start + size] for start in range(0, len(texts), size)]
            rng.shuffle(found)
            yield from found[: count - given]
            given += len(found)


def read_parts(text: Labelled) -> Iterator[Labelled]:
    """What the network is asked to read of a text: its sentences, but for those without a word that may deny."""
    words = [word for word, _ in text]
    for start, end in sentences(words):
        if may_deny(words[start:end]):
            yield text[start:end]


def without_stop(text: Labelled, rng: random.Random) -> Labelled:
    """A text mostly without the stop at its end, which people write or leave out and which says nothing."""
    open_ended = without_end([word for word, _ in text])
    return text[: len(open_ended)] if rng.random() < 0.8 else text


def misspelt(words: Labelled, rng: random.Random) -> Labelled:
    """Now and then a word has a letter too few or too many, or two in the wrong order."""
    found: Labelled = []
    for word, allowed in words:
        if len(word) > 4 and word.isalpha() and rng.random() < (0.05 if allowed == "C" else 0.01):
            place = rng.randrange(1, len(word) - 1)
            kind = rng.randrange(3)
            middle = ("", word[place] * 2, word[place + 1] + word[place])[kind]
            word = word[:place] + middle + word[place + (2 if kind == 2 else 1) :]
        found.append((word, allowed))
    return found


def words_of(text: str) -> list[str]:
    """The words of a text."""
    return [text[start:end] for start, end in split_words(text)]
