"""Source captions made presentable: spacing, capitals and the places where an absence can be attached."""

import re
from dataclasses import dataclass
from functools import lru_cache

# First words that are common words, so that they may stand in lower case when something precedes the caption. A word
# that is not listed may be a name ("Miami players"), and its caption keeps its capital and its own sentence.
_STARTERS = frozenset(
    """
    a an the this that these those there here one two three four five six seven eight nine ten eleven twelve some
    several many few various numerous both each every another other all lots couple pair group crowd number row
    bunch person people man men woman women boy boys girl girls child children kid kids guy guys lady ladies baby
    babies toddler toddlers adult adults teenager teenagers teens someone somebody friends family families couples
    male female dog dogs puppy puppies cat cats horse horses bird birds animal animals players player runner runners
    skier skiers snowboarder snowboarders skateboarder skateboarders surfer surfers biker bikers cyclist cyclists
    hiker hikers climber climbers rider swimmer motorcyclist football soccer basketball baseball hockey tennis rugby
    young old older elderly little small big large tall huge tiny long short wet dirty happy smiling laughing black
    white brown red blue green yellow orange pink purple grey gray tan blond blonde dark light colorful colourful
    bright closeup close-up view picture photo image scene his her their its in on at near by beneath under behind
    inside outside while during snow water street mountain beach city racing running playing sitting standing cars
    car boats boat bike bikes trees tree flowers house houses food rollerblader rollerbladers bicyclist bicyclists
    skater skaters kayaker kayakers greyhound greyhounds teen tourists spectators pedestrians musicians musician
    bearded shirtless naked muzzled fluffy furry hairy busy empty crowded costumed blurry lone single half overhead
    aerial hand hands hundreds dozens plenty part anybody everyone cowboy cowboys policeman policemen police
    firefighter firefighters worker workers student students bride groom soldier soldiers motorcyclists swimmers
    wrestlers gymnast cheerleader cheerleaders onlookers workmen construction as after before when where what who
    how with without through along across over above around between against into onto from to for he she they it we
    you
    """.split()
)
_CLOSING = re.compile(r"\s+([,;:!?%)\]}]|\.(?=\s|$)|'s\b|'re\b|'ve\b|'ll\b|'d\b|n't\b|'(?=\s|$))")
_OPENING = re.compile(r"([(\[{#$])\s+")
_QUOTED = re.compile(r'"\s*([^"]*?)\s*"')
_SPACES = re.compile(r"\s+")
_TRAILING = re.compile(r"\s*[,;:][\s,;:.]*$|(?<=\w\.)\.$")
_INNER_STOP = re.compile(r"[.!?] |;")
# What most captions are made of; they need none of the above.
_PLAIN = re.compile(r"\w+(?: ?,? [\w-]+)*(?: ?\.)?", re.ASCII)
_HEAD = re.compile(
    r"((?:A|An|The|One|Two|Three|Four|Five|Some|Several|Many|This) (?:[a-z-]+ ){0,3}?"
    r"(?:man|men|woman|women|boy|boys|girl|girls|child|children|kid|kids|person|people|guy|guys|lady|ladies|dog|dogs|baby|toddler"
    r"|cat|cats|horse|horses|bird|birds|players?|couple|group|crowd|family|runners?|skiers?|surfers?|bikers?|cyclists?|hikers?"
    r"|climbers?|skateboarders?|snowboarders?|cars?|bus|train|boats?|bikes?|motorcycles?|planes?|trucks?)) "
    r"((?:is|are|was|were|has|have|sits?|stands?|runs?|walks?|jumps?|plays?|rides?|lies|lays|swims?|leaps?|looks?|holds?|poses?"
    r"|smiles?|waits?|climbs?|rests?|sleeps?|catches|carries|wears?) .+)"
)


@dataclass(frozen=True, slots=True)
class CaptionText:
    """One caption, ready to be joined to what it does not show.

    Args:
        sentence: with its capital and final punctuation: "A dog runs on grass."
        body: without the final full stop; empty where nothing can follow inside the sentence (it holds several
            sentences, or ends in a question or a quotation).
        lower: the body with its first letter in lower case; empty where that would spoil a name.
        head: its subject, "A dog", and
        rest: what it does, "runs on grass"; both empty where the two cannot be told apart safely.
    """

    sentence: str
    body: str
    lower: str
    head: str
    rest: str


def _mended(caption: str) -> str:
    """The caption with one space between words, none before punctuation, and quotation marks close to the quoted."""
    text = _SPACES.sub(" ", caption.replace("``", '"').replace("''", '"').replace("’", "'")).strip()
    text = _CLOSING.sub(r"\1", text)
    text = _OPENING.sub(r"\1", text)
    if '"' in text:
        text = _QUOTED.sub(r'"\1"', text)
    return _TRAILING.sub("", text).strip()


@lru_cache(maxsize=16384)
def caption_text(caption: str) -> CaptionText:
    """Normalise a caption; cached, since each one usually gets several negated captions in a row."""
    if _PLAIN.fullmatch(caption):
        text = caption.replace(" ,", ",").replace(" .", ".")
    else:
        text = _mended(caption)
    text = text[:1].upper() + text[1:]
    body = text[:-1].rstrip() if text.endswith(".") and not text.endswith("..") else text
    sentence = text if text.endswith((".", "!", "?", '."', '!"', '?"')) else f"{text}."
    if not body or body[-1] in ".!?\"')" or body[0] == '"' or _INNER_STOP.search(body):
        return CaptionText(sentence, "", "", "", "")
    first = body.split(" ", 1)[0].rstrip(",")
    lower = body[0].lower() + body[1:] if first.lower() in _STARTERS and not first[1:2].isupper() else ""
    found = _HEAD.fullmatch(body) if lower else None
    return CaptionText(sentence, body, lower, *(found.groups() if found else ("", "")))
