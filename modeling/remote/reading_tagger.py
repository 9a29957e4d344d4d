"""The learned part of the reader of negation: which words of a text are affirmed, denied, cues, or neither.

    Tagger.default().tag([["a", "man", "without", "a", "hat"]])    # ["AACDB"]

A small convolutional network over word pieces; the best labels that make sense together are chosen by Viterbi's
algorithm. How it was trained stands in reading_tagger.json beside the weights; the file of weights is also the
model.safetensors of the notclip-reader repository (modeling_reader.py wraps the same network).
"""

import json
import re
import struct
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

LABELS = ("A", "B", "I", "S", "C", "D")  # affirmed; denied: begin, inside, shares the next one's head; cue; dropped
WEIGHTS = Path(__file__).parent / "reading_tagger.safetensors"
TEXTS_AT_ONCE = 64
WORDS_AT_ONCE = 384  # a longer text is tagged in windows
ENDS = frozenset(".!?…")  # what closes a sentence
_MOST_REMEMBERED = 65536  # words
_LONGEST_WORD = 60  # letters; a longer one is unknown
_SIGN_OR_WORD = re.compile(r"[^\W_]+|[\W_]")
_DTYPES = {"F32": torch.float32, "F16": torch.float16}
_IMPOSSIBLE = -1e4
# Where a text has none of these words, nothing is denied: saves the network's time on plain captions. What deniers
# people write is a closed list; what they deny is not.
_PLAIN_CUES = (
    "no not n't without never none nobody noone nothing neither nor except excepting exception lack lacks lacking "
    "lacked missing misses miss absent absence instead rather than devoid void free minus excluding exclude "
    "excludes excluded exclusion nowhere cannot cant sans zero hardly barely scarcely isnt arent dont doesnt didnt "
    "wont wasnt werent hasnt havent hadnt couldnt wouldnt non avoid avoids omit omits omitted omitting fail fails "
    "failed negative denies denied deny denying unlikely resolved resolution removal removed remove banned few vain "
    "forgot forgotten gone lost unlike unseen unaccompanied hide hides hidden mute ignore ignoring skip hold less "
    "unless nto w/o w/out wo cleared lieu opposed refuses disappeared vanished prohibited forbidden nil 0"
)
# These deny beside one of some other words alone: "out" in "out of bread", not in "looks out".
_PAIRED_CUES = {
    "out": "of with leave leaves leaving left rule ruled rules cut filter filtered".split(),
    "off": "leash lead cut".split(),
    "any": "but other if".split(),
    "every": "but other".split(),
    "all": "but".split(),
    "anything": "but besides other".split(),
    "everything": "but besides other".split(),
    "everyone": "but besides".split(),
    "empty": ["of"],
    "bare": ["of"],
    "clear": ["of"],
    "short": ["of"],
    "emptied": ["of"],
    "stripped": ["of"],
    "far": ["from"],
    "apart": ["from"],
    "aside": ["from"],
    "yet": ["to"],
    "place": ["of"],
    "besides": ["the", "a"],
}
_OFTEN_MISSPELT = ("without", "nothing", "except", "missing", "lacking", "excluding", "neither", "nobody", "instead")


def _misspelt(word: str) -> set[str]:
    """A word with one letter left out, doubled, or changed with the next."""
    found = {word[:place] + word[place + 1 :] for place in range(1, len(word))}
    found |= {word[:place] + word[place - 1 :] for place in range(1, len(word) + 1)}
    return found | {
        word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :] for place in range(1, len(word))
    }


_CUES = frozenset(_PLAIN_CUES.split()).union(*map(_misspelt, _OFTEN_MISSPELT)) - {"with", "excepts", "noting", "withe"}
_SURE_CUES = frozenset("no not n't without never neither nor none nothing nobody w/o lacks lacking cannot".split())
_LATE_CUES = frozenset("nowhere absent missing gone excluded none".split())
# What follows one of these is denied, but for a second negation ("no street without trees").
_LEAD_ON = frozenset("no without w/o sans lacks lacking zero".split())
_CLAUSES = frozenset((",", ";", ".", "but", "while"))
_BEFORE_NOUNS = frozenset("a an any the his her its their single".split())
_UNLIKELY = 4.0  # nats
_LEADING = re.compile("(?<![BISC])A?D{1,4}(?=[BS])")
_BETWEEN = re.compile("(?<=A)(?:D+|BI*)(?=A)")  # what stands between affirmed words, without a cue, is affirmed
_AFTER_NO = re.compile("CD?(BI*)(D*)")
_SEPARATORS = frozenset((",", "or", "and", "nor", "/", ";", "."))
_VERBS = frozenset("wear wears wearing have has having is are show shows contain contains hold holds holding".split())
_ASTRAY = re.compile("(?:^|[^BI])I")


class TaggerNetwork(nn.Module):
    """Embedded word pieces, convolutions of growing reach with residuals, a score for each label.

    Args:
        vocabulary_size: how many pieces there are; piece 0 fills up shorter texts.
        embedding_size: size of a piece's embedding.
        hidden_size: width of the convolutions.
        dilations: how far apart the three places are that each convolution sees.
    """

    def __init__(self, vocabulary_size: int, embedding_size: int, hidden_size: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.dilations = tuple(dilations)
        self.embeddings = nn.Embedding(vocabulary_size, embedding_size, padding_idx=0)
        self.inner = nn.Linear(embedding_size, hidden_size)
        self.convolutions = nn.ModuleList(nn.Linear(3 * hidden_size, hidden_size) for _ in self.dilations)
        self.norms = nn.ModuleList(nn.LayerNorm(hidden_size) for _ in self.dilations)
        self.dropout = nn.Dropout(0.1)
        self.classifier = nn.Linear(hidden_size, len(LABELS))

    def forward(self, input_ids: Tensor) -> Tensor:
        """Scores of the labels, shape (B, L, 6), of pieces, shape (B, L)."""
        there = (input_ids != 0).unsqueeze(-1)  # (B, L, 1)
        return self.from_embeddings(self.embeddings(input_ids), there)

    def from_embeddings(self, embeddings: Tensor, there: Tensor) -> Tensor:
        """The same from the pieces' embeddings, shape (B, L, E)."""
        hidden = self.dropout(self.inner(embeddings)) * there
        for dilation, convolution, norm in zip(self.dilations, self.convolutions, self.norms, strict=True):
            normed = norm(hidden) * there
            padded = nn.functional.pad(normed, (0, 0, dilation, dilation))
            length = hidden.shape[1]
            seen = torch.cat([padded[:, :length], normed, padded[:, 2 * dilation :]], dim=-1)  # (B, L, 3H)
            hidden = hidden + self.dropout(nn.functional.gelu(convolution(seen))) * there
        return self.classifier(hidden)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Layers this small are done before a second thread has begun; on a busy machine waiting for it takes 100 ms."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class Tagger:
    """Labels the words of texts.

    Args:
        network: the network.
        vocabulary: the word pieces in their order; those that continue a word begin with ##.
    """

    def __init__(self, network: TaggerNetwork, vocabulary: Sequence[str]) -> None:
        self.network = network.eval()
        self.vocabulary = list(vocabulary)
        self._ids = {piece: place for place, piece in enumerate(vocabulary)}
        self._unknown = self._ids["[UNK]"]
        self._remembered: dict[str, tuple[int, ...]] = {}

    @classmethod
    @lru_cache(maxsize=1)
    def default(cls) -> "Tagger":
        """The tagger of this package."""
        return cls.from_bytes(cls.default_bytes())

    @staticmethod
    def default_bytes() -> bytes:
        """What a NotCLIP model carries with it."""
        return WEIGHTS.read_bytes()

    @classmethod
    def from_bytes(cls, content: bytes | Tensor) -> "Tagger":
        """Read a tagger from the bytes of a file of weights, or from a tensor of them (uint8).

        Raises:
            ValueError: these are not the bytes of a tagger.
        """
        if isinstance(content, Tensor):
            content = content.cpu().numpy().tobytes()
        try:
            size = struct.unpack("<Q", content[:8])[0]
            header = json.loads(content[8 : 8 + size])
            settings = json.loads(header.pop("__metadata__")["settings"])
            vocabulary = settings.pop("vocabulary").split("\n")
            network = TaggerNetwork(len(vocabulary), **settings)
            tensors = {
                name.removeprefix("tagger."): _read_tensor(content[8 + size :], entry)
                for name, entry in header.items()
            }
            network.load_state_dict(tensors)
        except (struct.error, KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError, RuntimeError) as error:
            raise ValueError(f"These {len(content)} bytes are not a tagger's weights: {error}.") from error
        return cls(network, vocabulary)

    def pieces(self, words: Sequence[str]) -> tuple[list[int], list[int]]:
        """The word pieces of a text, and of each the place of its word."""
        ids: list[int] = []
        places: list[int] = []
        words = [_plain(word) for word in words]
        for place, word in enumerate(words):
            if word == "n't" and place and words[place - 1].isalpha():
                found: Iterable[int] = self._pieces_of("'t")
            else:
                joined = word.isalpha() and words[place + 1 : place + 2] == ["n't"]
                found = self._pieces_of(f"{word}n" if joined else word)  # "doesn", "'t", as BERT's tokenizer splits it
            for piece in found:
                ids.append(piece)
                places.append(place)
        return ids, places

    def tag(self, texts: Sequence[Sequence[str]]) -> list[str]:
        """Label the words of each text: one letter of `LABELS` a word."""
        labels = ["A" * len(words) for words in texts]
        read = [without_end(words) for words in texts]
        windows = [
            (place, start)
            for place, words in enumerate(read)
            if may_deny(words)
            for start in range(0, len(words), WORDS_AT_ONCE)
        ]
        windows.sort(key=lambda window: min(len(read[window[0]]) - window[1], WORDS_AT_ONCE))
        tagged: dict[tuple[int, int], str] = {}
        for first in range(0, len(windows), TEXTS_AT_ONCE):
            batch = windows[first : first + TEXTS_AT_ONCE]
            scores = self._scores([read[place][start : start + WORDS_AT_ONCE] for place, start in batch])
            for (place, start), of_text in zip(batch, scores, strict=True):
                words = read[place][start : start + WORDS_AT_ONCE]
                tagged[place, start] = _likeliest(_led_on(words, of_text))
        for place, words in enumerate(read):
            if (place, 0) in tagged:
                joined = "".join(tagged[place, start] for start in range(0, len(words), WORDS_AT_ONCE))
                joined = _with_whole_names(words, with_cues(words, joined))
                sound = _denies_alone(words, joined) or any(
                    label == "C" and ("B" in joined or _plain(word) in _SURE_CUES)
                    for word, label in zip(words, joined, strict=True)
                )
                joined = _BETWEEN.sub(lambda found: "A" * len(found[0]), joined)
                settled = _without_mentioned(words, joined) if sound else "A" * len(joined)
                labels[place] = settled + "A" * (len(texts[place]) - len(words))
        return labels

    def probabilities(self, words: Sequence[str]) -> list[dict[str, float]]:
        """How sure the network is of each word's labels, before they are made to agree."""
        if not words:
            return []
        shares = self._scores([words])[0].softmax(-1).tolist()
        return [dict(zip(LABELS, share, strict=True)) for share in shares]

    @torch.inference_mode()
    def _scores(self, texts: Sequence[Sequence[str]]) -> list[Tensor]:
        """Scores of the labels of each word of each text, shape (W, 6): the means of its pieces'."""
        split = [self.pieces(words) for words in texts]
        length = max(len(ids) for ids, _ in split)
        input_ids = torch.tensor([ids + [0] * (length - len(ids)) for ids, _ in split])  # (B, L)
        # In a training of half precision, texts are read as ever.
        with _one_thread(), torch.autocast("cpu", enabled=False):
            scores = self.network(input_ids).log_softmax(-1)
        found = []
        for of_text, (_, places), words in zip(scores, split, texts, strict=True):
            if len(places) == len(words):
                found.append(of_text[: len(words)])
                continue
            index = torch.tensor(places)
            sums = torch.zeros(len(words), len(LABELS)).index_add_(0, index, of_text[: len(places)])
            found.append(sums / torch.bincount(index, minlength=len(words)).clamp(min=1).unsqueeze(-1))
        return found

    def _pieces_of(self, word: str) -> tuple[int, ...]:
        if word not in self._remembered:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[word] = tuple(
                piece for part in _SIGN_OR_WORD.findall(word) for piece in self._longest_first(part)
            ) or (self._unknown,)
        return self._remembered[word]

    def _longest_first(self, word: str) -> list[int]:
        if len(word) > _LONGEST_WORD:
            return [self._unknown]
        found: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = self._ids.get(word[start:end] if start == 0 else f"##{word[start:end]}")
                if piece is not None:
                    found.append(piece)
                    start = end
                    break
            else:
                return [self._unknown]
        return found


def without_end(words: Sequence[str]) -> Sequence[str]:
    """The words without what closes a sentence, which people write or leave out: it is to change no label."""
    end = len(words)
    while end > 1 and ENDS.issuperset(words[end - 1]):
        end -= 1
    return words[:end]


def may_deny(words: Sequence[str]) -> bool:
    """Whether a text has a word that can deny; where not, nothing in it is denied."""
    plain = set(map(_plain, words))
    return not _CUES.isdisjoint(plain) or any(
        cue in plain and not plain.isdisjoint(partners) for cue, partners in _PAIRED_CUES.items()
    )


def with_cues(words: Sequence[str], labels: str) -> str:
    """Labels where a word such as "no" is a cue if what follows it, dropped words apart, is denied."""
    for place in range(len(labels) - 1):
        if labels[place] == "A" and labels[place + 1] in "BS" and words[place].lower() in _SURE_CUES:
            labels = f"{labels[:place]}C{labels[place + 1 :]}"
    for found in _LEADING.finditer(labels):
        sure = [at for at in range(found.start(), found.end()) if words[at].lower() in _SURE_CUES]
        if sure:
            labels = f"{labels[: sure[0]]}C{labels[sure[0] + 1 :]}"
    if "B" in labels and "C" not in labels:  # "with hammocks and seals nowhere in sight": something denies them
        late = [at for at, word in enumerate(words) if labels[at] == "D" and _plain(word) in _LATE_CUES]
        if late:
            labels = f"{labels[: late[0]]}C{labels[late[0] + 1 :]}"
    return labels


def _with_whole_names(words: Sequence[str], labels: str) -> str:
    """Labels by which a name ends where its capitals and numbers do: "no BMW 3 Series Wagon 2012"."""
    named = [word[:1].isupper() or any(letter.isdigit() for letter in word) for word in words]
    if 2 * sum(named) > len(words) + 2:  # capitals say nothing in a title
        return labels
    settled = list(labels)
    for place in range(1, len(words)):
        if named[place] and named[place - 1] and settled[place] in "AD" and settled[place - 1] in "ABI":
            settled[place] = "A" if settled[place - 1] == "A" else "I"
    return "".join(settled)


def _denies_alone(words: Sequence[str], labels: str) -> bool:
    """Whether a word is a cue and what it denies at once: nobody."""
    return any(label == "B" and word.lower() in ("nobody", "noone") for word, label in zip(words, labels, strict=True))


def _without_mentioned(words: Sequence[str], labels: str) -> str:
    """Labels without denials of what the text affirms: in "two dogs, and no dogs are standing" standing is denied."""
    if "BD" not in labels and "ID" not in labels and "BI" not in labels:
        return labels
    affirmed = {_singular(word) for word, label in zip(words, labels, strict=True) if label == "A"}
    settled = list(labels)
    for found in _AFTER_NO.finditer(labels):
        start, end, until = found.start(1), found.end(1), found.end(2)
        if words[start - 1].lower() not in ("no", "neither") and words[found.start()].lower() not in ("no", "neither"):
            continue
        if all(_singular(word) in affirmed for word in words[start:end]):
            linked = {word.lower() for word in words[end:until]}
            if until > end and not linked <= _SEPARATORS and labels[until : until + 1] == "B":
                settled[start:end] = "D" * (end - start)
        elif _singular(words[start]) in affirmed and end - start > 1 and words[start + 1].lower() in _VERBS:
            settled[start : start + 2] = "DB"
    return "".join(settled)


def _singular(word: str) -> str:
    word = word.lower()
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def _plain(word: str) -> str:
    """A word in lower case, without accents, with straight apostrophes."""
    word = word.lower().replace("’", "'")
    if not word.isascii():
        word = "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))
    return word.replace(" ", "")


def _read_tensor(data: bytes, entry: dict) -> Tensor:
    start, end = entry["data_offsets"]
    tensor = torch.frombuffer(bytearray(data[start:end]), dtype=_DTYPES[entry["dtype"]])
    return tensor.reshape(entry["shape"]).float()


def _led_on(words: Sequence[str], scores: Tensor) -> Tensor:
    """Scores by which the noun after "no" or "without" is hardly affirmed, if no other cue opens its clause."""
    cue, affirmed = LABELS.index("C"), LABELS.index("A")
    labels = scores.argmax(-1).tolist()
    scores, first = scores.clone(), True
    for at, label in enumerate(labels[:-1]):
        first |= _plain(words[at]) in _CLAUSES
        if label == cue and first and _plain(words[at]) in _LEAD_ON:
            for place in range(at + 1, len(words)):
                if words[place][:1].isalnum():
                    scores[place, affirmed] -= _UNLIKELY
                if _plain(words[place]) not in _BEFORE_NOUNS:
                    break
        first &= label != cue
    return scores


def _likeliest(scores: Tensor) -> str:
    """The likeliest labels that may stand together, of the scores of one text's words, shape (W, 6)."""
    labels = "".join(LABELS[place] for place in scores.argmax(-1).tolist())
    if _ASTRAY.search(labels):  # else the likeliest labels of each word are the likeliest of all
        labels = _viterbi(scores.tolist())
    if "S" in labels[(labels.rfind("B") + 1) :]:  # a modifier without a head to come is a phrase of its own
        last = labels.rfind("B") + 1
        labels = labels[:last] + re.sub("S+", lambda found: "B" + "I" * (len(found[0]) - 1), labels[last:])
    return labels


def _viterbi(scores: list[list[float]]) -> str:
    """The best sequence in which an I follows nothing but B and I; everything else may follow everything."""
    begin, inside = LABELS.index("B"), LABELS.index("I")
    best = list(scores[0])
    best[inside] = _IMPOSSIBLE
    came_from: list[tuple[int, int]] = []  # of every word after the first: before any label but I, before an I
    for row in scores[1:]:
        before = max(range(len(LABELS)), key=best.__getitem__)
        before_inside = begin if best[begin] >= best[inside] else inside
        came_from.append((before, before_inside))
        reached, reached_inside = best[before], best[before_inside]
        best = [reached + score for score in row]
        best[inside] = reached_inside + row[inside]
    place = max(range(len(LABELS)), key=best.__getitem__)
    places = [place]
    for before, before_inside in reversed(came_from):
        place = before_inside if place == inside else before
        places.append(place)
    return "".join(LABELS[place] for place in reversed(places))
