"""Source captions made presentable: spacing, capitals and the places where an absence can be attached."""

import re
from dataclasses import dataclass
from functools import lru_cache

# First words that may stand in lower case when something precedes the caption, and begin what reads well behind it.
# With another first word the caption may begin with a name ("Miami players") or lack its article ("boy runs").
_DETERMINERS = frozenset(
    """
    a an the this that these those there one two three four five six seven eight nine ten eleven twelve some several
    many few various numerous both each every another other all lots dozens hundreds his her their its he they she
    it someone somebody
    """.split()
)
_PLURAL_NOUNS = frozenset(
    """
    people men women boys girls children kids guys ladies babies toddlers adults teenagers teens friends couples
    dogs cats puppies horses birds animals players runners skiers snowboarders skateboarders surfers bikers cyclists
    bicyclists hikers climbers swimmers kayakers soldiers workers students musicians tourists spectators pedestrians
    onlookers cars boats bikes trees houses flowers
    """.split()
)
_STARTERS = _DETERMINERS | _PLURAL_NOUNS
_ALWAYS_FINITE = frozenset("is are was were has have can".split())
_VERBS = frozenset(
    """
    run jump stand sit play ride walk hold leap do look climb carry swim take swing chase catch pose wear smile make
    get perform try splash slide watch lay shake hang dance eat lie kick bite throw enjoy push skateboard lean go
    drive help blow fly ski hit pull race wait roll fall reach surf read kneel talk attempt retrieve drink crawl
    raise dive balance lead dribble laugh begin emerge show put chew prepare use crouch wade row sing sniff pour
    give cross kiss dig spin flip shoot touch kayak pick juggle paddle descend hug hike peek lift work bend parasail
    bounce open stick rest paint practice bark float point stare tread bound fish appear frolic jog come scale
    tackle step fetch return turn fight wrestle share embrace gather huddle participate collide bathe sunbathe relax
    cheer clap wave pass meet move stop shovel squat pedal sleep yawn stretch glide soar land hop skate sled sail
    travel drift grab pet feed clean cook cut cover surround fill face pause lick drag toss serve tumble tug wrap
    yell scream celebrate compete perch graze trot gallop approach follow enter leave board speak sell shop
    snowboard skip march parade examine inspect
    """.split()
)
_IRREGULAR_PLURALS = frozenset("people men women children they".split())
# Words by which a head is more than a subject, or the first verb belongs to a part of it; and subjects with nothing
# around them: not "this photo, with no cars nearby, shows a dog".
_NO_HEAD = frozenset(
    """
    in on at by with from near over under behind beside between through along across around against into onto to for
    inside outside above below off down up while as who that which whose where when also each both all
    image photo photograph picture scene snapshot
    """.split()
)
_RELATIVES = frozenset("who that which whose while as where when after before if what".split())
_NO_NOUN_PHRASE = _VERBS | _ALWAYS_FINITE | _RELATIVES
# After another word an ending in "s" may be that of a verb that is not among those above.
_BEFORE_PLURALS = _DETERMINERS | frozenset(
    """
    of in on at by with from near over under behind beside between and or big small large little tall young old red
    orange yellow green blue purple pink black white brown grey gray
    """.split()
)
_CLOSING = re.compile(r"\s+([,;:!?%)\]}]|\.(?=\s|$)|'s\b|'re\b|'ve\b|'ll\b|'d\b|n't\b|'(?=\s|$))")
_OPENING = re.compile(r"([(\[{#$])\s+")
_QUOTED = re.compile(r'"\s*([^"]*?)\s*"')
_WORDLESS = re.compile(r"(an?|the)?\W*", re.IGNORECASE)  # Flickr8k has the caption "A".
_SPACES = re.compile(r"\s+")
_TRAILING = re.compile(r"\s*[,;:][\s,;:.]*$|(?<=\w\.)\.$")
_INNER_STOP = re.compile(r"[.!?] |;")
# What most captions are made of; they need none of the above.
_PLAIN = re.compile(r"\w+(?: ?,? [\w-]+)*(?: ?\.)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class CaptionText:
    """One caption, ready to be joined to what it does not show.

    Args:
        sentence: with its capital and final punctuation: "A dog runs on grass."; empty where the caption says nothing.
        body: without the final full stop; empty where nothing can follow inside the sentence (it holds several
            sentences, or ends in a question or a quotation).
        lower: the body with its first letter in lower case; empty where it may begin with a name or lacks its article.
        clause: `lower`, where it has a finite verb: "a dog runs", but not "a dog on grass".
        head: its subject, "A dog", and
        rest: what it does, "runs on grass"; both empty where the two cannot be told apart safely.
        is_plain: it is a mere noun phrase, "a dog on grass".
    """

    sentence: str
    body: str
    lower: str
    clause: str
    head: str
    rest: str
    is_plain: bool = False


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
    if _WORDLESS.fullmatch(text):
        return CaptionText("", "", "", "", "", "")
    body = text[:-1].rstrip() if text.endswith(".") and not text.endswith("..") else text
    sentence = text if text.endswith((".", "!", "?", '."', '!"', '?"')) else f"{text}."
    if not body or body[-1] in ".!?\"')" or body[0] == '"' or _INNER_STOP.search(body):
        return CaptionText(sentence, "", "", "", "", "")
    words = body.split(" ")
    if words[0].lower() not in _STARTERS or words[0][1:2].isupper():
        return CaptionText(sentence, body, "", "", "", "")
    lower = body[0].lower() + body[1:]
    verb = _finite_verb(words)
    if not verb:
        return CaptionText(sentence, body, lower, "", "", "", not any(map(_may_be_verb, words[1:], words)))
    head = (
        words[:verb]
        if 1 < verb < 6 and words[verb - 1] not in _DETERMINERS and not any(map(_spoils_head, words[:verb]))
        else []
    )
    return CaptionText(sentence, body, lower, lower, " ".join(head), " ".join(words[verb:]) if head else "")


def says_something(caption: str) -> bool:
    """Whether a caption holds more than an article and punctuation."""
    return _WORDLESS.fullmatch(caption.strip()) is None


def _finite_verb(words: list[str]) -> int:
    """Place of the verb of the main clause, 0 where the caption has none or may have none."""
    for place in range(1, len(words)):
        word, before = words[place], words[place - 1]
        if word in _RELATIVES:
            return 0
        if word in _ALWAYS_FINITE:
            return place
        if before.endswith("s") or before in _IRREGULAR_PLURALS:
            if word in _VERBS:
                return place
        elif word.endswith("s") and before not in _DETERMINERS and _base_form(word) in _VERBS:
            return place
    return 0


def _base_form(verb: str) -> str:
    """The verb without the ending of the third person: "run" for "runs", "catch" for "catches"."""
    if verb.endswith("ies"):
        return verb[:-3] + "y" if verb[:-3] + "y" in _VERBS else verb[:-1]
    return verb[:-2] if verb.endswith(("ches", "shes", "sses", "xes", "goes", "does")) else verb[:-1]


def _may_be_verb(word: str, before: str) -> bool:
    """Whether a word does something, "running", "swoops", or begins a clause in which something does."""
    if word.endswith("s") and not word.endswith("ss") and before.lower() not in _BEFORE_PLURALS:
        return True
    return word.endswith("ing") or any(verb in _NO_NOUN_PHRASE for verb in (word, _base_form(word)))


def _spoils_head(word: str) -> bool:
    return word in _NO_HEAD or word.endswith(("ing", "ly", ","))
