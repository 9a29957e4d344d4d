"""Labelled texts without end: frames of sentences, filled with things that nobody needs to have heard of.

A frame (frames_*.txt, captions.txt) is words with a sign that says what becomes of each: `word` affirmed, `!word` a
cue, `~word` dropped, `<word` and `>word` the first and further words of a denied phrase, `=word` a modifier whose
head is the next phrase's, `?word` anything; `(x|y)` is one of these; `{b}` is filled by `Fillers`. A line
"## weight 4: …" says how often the frames under it are drawn.
"""

import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from fillers import Fillers, Labelled, fill  # noqa: E402

ANY = "ABISCD"
_SIGNS = {"!": "C", "~": "D", "<": "B", ">": "I", "=": "S", "?": ANY, "\\": "A"}
_CHOICE = re.compile(r"\(([^()]*\|[^()]*|~?[^() |]+ [^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")


def filled(frame: str, fillers: Fillers, rng: random.Random) -> Labelled:
    """A frame with its choices made and its slots filled.

    >>> filled("A (dog|dog) !without ~a <hat", None, random.Random(0))
    [('A', 'A'), ('dog', 'A'), ('without', 'C'), ('a', 'D'), ('hat', 'B')]
    """
    while found := _CHOICE.search(frame):
        sign = frame[found.start() - 1 : found.start()]
        chosen = rng.choice(found[1].split("|"))
        if sign and sign in _SIGNS:  # "~(in|on)" is "(~in|~on)"
            frame = (
                f"{frame[: found.start() - 1]}{' '.join(sign + word for word in chosen.split())}{frame[found.end() :]}"
            )
        else:
            frame = f"{frame[: found.start()]} {chosen} {frame[found.end() :]}"
    text: Labelled = []
    halves = fillers.halves(rng) if "{subject}" in frame else ([], [])
    for token in frame.split():
        while len(token) > 2 and token[0] in "~" and token[1] in _SIGNS:  # "~(I !don't|…)": the inner sign counts
            token = token[1:]
        sign = _SIGNS.get(token[0], "") if len(token) > 1 else ""
        word = token[1:] if sign else token
        if slot := _SLOT.fullmatch(word):
            if slot[1] in ("subject", "predicate"):
                words = [(word, "A") for word in halves[slot[1] == "predicate"]]
            else:
                words = fill(slot[1], fillers, rng)
            text += [(word, sign) for word, _ in words] if sign else words
        else:
            text.append((word, sign or "A"))
    return text


def read_frames(path: Path) -> Iterator[tuple[str, float]]:
    """The frames of a file with their weights."""
    weight = 1.0
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("## weight"):
            weight = float(line.split()[2].rstrip(":"))
        elif line.strip() and not line.startswith("#"):
            yield line, weight
