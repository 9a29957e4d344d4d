"""Labelled texts without end: frames of sentences, filled with things that nobody needs to have heard of.

A frame (frames_*.txt, captions.txt) is words with a sign that says what becomes of each: `word` affirmed, `!word` a
cue, `~word` dropped, `<word` and `>word` the first and further words of a denied phrase, `=word` a modifier whose
head is the next phrase's, `?word` anything; `(x|y)` is one of these; `{b}` is filled by `Fillers`. A line
"## weight 4: …" says how often the frames under it are drawn.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ANY = "ABISCD"
_SIGNS = {"!": "C", "~": "D", "<": "B", ">": "I", "=": "S", "?": ANY, "\\": "A"}
_CHOICE = re.compile(r"\(([^()]*\|[^()]*|~?[^() |]+ [^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")
_CUE = re.compile(
    r"\b(?:no|not|n't|without|never|none|nobody|nothing|neither|nor|except|cannot|lack\w*|missing|instead|rather|but|"
    r"hardly|barely|free|absent|un\w+|\w+less|only|other than|off|out)\b|'t\b",
    re.IGNORECASE,
)

# A word, and the labels that it may have.
Labelled = list[tuple[str, str]]

_ADJECTIVES = (
    "red blue green white black yellow brown small large big old young wooden metal plastic broken wet dirty clean long "
    "short dark light tall round square empty open closed striped spotted little pink purple gray grey orange visible "
    "other additional real fake modern vintage bright fluffy plaid floral blurry sharp golden silver leather extra "
    "single main obvious matching solid sliced raw cooked frozen painted parked moving flying decorative"
).split()
_NOUNS = (
    "man woman child boy girl dog cat horse cow sheep elephant zebra giraffe bird car bus truck train bicycle boat plane "
    "hat shirt shoes glasses helmet gloves coat jacket dress tie scarf bag backpack umbrella chair table couch bed lamp "
    "window door wall fence tree grass flowers leaves snow sand water ocean beach mountain sky clouds sun rain road "
    "street bridge building house sign light pole food pizza cake bread cheese fruit apple banana vegetables onions "
    "mushrooms pepperoni salad soup coffee milk sugar cup glass bottle plate bowl fork knife spoon phone laptop "
    "keyboard mouse screen tv camera book paper picture text letters numbers logo stripes spots pattern sleeves collar "
    "buttons pockets belt hood straps tail ears horns wings legs arms hands face head hair beard mustache tattoos ball "
    "bat racket skateboard surfboard skis snowboard frisbee kite toy doll bear cushion pillow blanket curtain rug sink "
    "toilet oven fridge people cars dogs cats lights toppings frosting candles leash saddle rider driver passengers "
    "crowd players trees rocks waves boats birds animals furniture decorations watermark frame border background shadow "
    "faces screenshots memes selfies videos duplicates logos captions wine beer stripe handle lid cord tag label"
).split()
_PLACES = (
    "kitchen,beach,street,park,living room,forest,city,bedroom,garden,field,lake,mountain,office,classroom".split(",")
)
_ACTS = (
    "wearing a {n}|wearing {n}|wearing any {n}|holding a {n}|holding {n}|carrying a {n}|riding a {n}|eating {n}|"
    "looking at the camera|looking at {n}|smiling|sitting|standing|running|moving|sleeping|jumping|flying|swimming|"
    "playing {n}|using a {n}|facing forward|facing the camera|touching the {n}|touching {n}|eating|lying down|"
    "walking|barking|drinking|in {n}|cooked|sliced|cut|{adj}|{adj}|solid {adj}|very {adj}|completely {adj}|covered in {n}|made of {n}|"
    "on a {n}|in the {n}|part of a {n}|attached to the {n}|decorated with {n}|fully visible|lit|plugged in|finished|"
    "showing teeth|sticking out its tongue|next to a {n}|the same {n}|a {n}|{word}ing a {n}|{word}ing|pulling a {n}"
).split("|")
_GARMENT_PARTS = (
    "sleeves sleeve collar buttons straps strap pockets hood belt logo stripes print pattern graphics text picture lace "
    "zipper neckline ruffles v-neck writing design image color lettering bow flowers shoulders slit frills ties "
    "sequins fringe lining plaid polka-dots drawing designs graphic prints straps shoulder-straps slevves sleves "
    "necktie cuffs waistband skirt cutouts shine pleats"
).split()
_GARMENT_LOOKS = (
    "red,blue,black,white,light pink,darker,more colorful,brighter,longer,shorter,pink stripes,a floral print,a v neck,"
    "white text,a round collar,polka dots,a logo,more fitted,tighter,looser,a belt,short sleeves,long sleeves,plaid,"
    "black and white,blue and white stripes,purple designs,cheetah dots,creepy skulls,a cartoon image,lace,solid black,"
    "shiny red,beige color,a deeper v,thin straps,wide straps,a bow,green color,gray,navy,multicolored,more revealing,"
    "an animal print,sequins,a graphic,a lower neckline,more flowy,fuller bottom,a different pattern,silky,satin,"
    "shinier,larger lettering,a high waist,one shoulder,dark green,sheer,a picture of a wolf,striped,knee length"
).split(",")
_GARMENTS = "dress,shirt,blouse,top,tank top,t-shirt,gown,skirt,jacket,sweater,maxi dress,tee,tunic".split(",")
_FINDINGS = (
    "pneumothorax,pleural effusion,effusion,effusions,focal consolidation,consolidation,pneumonia,infiltrate,infiltrates,"
    "acute disease,acute cardiopulmonary abnormality,acute cardiopulmonary process,focal airspace disease,edema,"
    "pulmonary edema,nodule,nodules,mass,masses,acute bony abnormality,fracture,displaced rib fractures,cardiomegaly,"
    "atelectasis,focal air space opacity,pleural thickening,hernia,emphysema,fibrosis,granuloma,adenopathy,"
    "free intraperitoneal air,large pleural effusion,suspicious pulmonary nodules,acute infiltrate,opacity,opacities,"
    "pulmonary vascular congestion,acute osseous abnormality,tuberculosis,active disease,airspace consolidation,"
    "lobar pneumonia,pneumoperitoneum,focal infiltrate,vascular congestion,bony abnormalities,acute findings,"
    "pleural effusions,pneumothoraces,mediastinal widening,lung nodules,headache,fever,chest pain,cough,nausea"
).split(",")
_ANATOMY = (
    "The lungs,Lungs,The heart,Heart,Heart size,The cardiac silhouette,The mediastinum,Mediastinal contours,"
    "The cardiomediastinal silhouette,Bony structures,The osseous structures,The trachea,The right lung,Both lungs,"
    "Pulmonary vascularity,The aorta,cardiomegaly,scarring,granulomas,degenerative changes,left base atelectasis,"
    "hyperinflation,calcified granuloma,a small left effusion,right basilar opacity,low lung volumes,hiatal hernia"
).split(",")
_NAMES = (
    "St . Bernard|Boeing 747|737-200|A320|F-16|Golden Retriever|German Shepherd|Saint Bernard|Coca Cola|Eiffel Tower|"
    "Mercedes C 300|BMW M3|iPhone 12|DC-10|Cessna 172|757-300|MD-80|DHC-8-100|Great Dane|Siamese|Maine Coon|Toyota|"
    "Statue of Liberty|Big Ben|New York|Tom|Anna|Lisa|John Smith|Santa Claus|Mr . Smith|Dr . Lee|U . S . flag|Van Gogh|"
    "7-Eleven|4x4|3D glasses|2CV|Spitfire|Il-76|ERJ 145|Tu-134|Fokker 100|C-130|Gulfstream IV|Audi A4 2012|"
    "black-footed albatross|bird of paradise|forget-me-not|Shih-Tzu|Jack-o'-lantern|Type 69|No . 7 jersey|mp3 player"
).split("|")
_SIGN_WORDS = "smoking parking entry dogs skiing diving swimming fishing trespassing food littering bikes".split()
_VERBS_ING = (
    "sitting standing walking running listening watching playing using riding holding swimming sleeping eating waiting "
    "driving touching overlapping looking smiling working jumping"
).split()
_VERBS = (
    "pours walks smiles runs sits stands holds waits looks plays rides eats drinks talks sleeps jumps climbs watches reads "
    "leans lies leads carries pulls pushes throws catches kicks hits swims dances sings paints cooks cuts opens closes "
    "crosses enters leaves passes faces glides drives flies lands rolls hangs grows shines covers fills overlooks rests "
    "points waves laughs cries kneels bends reaches touches feeds walks prepares serves performs poses stares sniffs barks "
    "grazes swings surfs skates works fixes repairs sells buys wears shows has makes takes gives turns moves stops blocks"
).split()
_PREPOSITIONS = (
    "in on at by near with under over behind beside through across along to towards from into for of".split()
)
_TAKES_SUBJECT = re.compile(
    r"^(?:is|are|in|on|with|wearing|holding|riding|at|walks?|runs?|sits?|stands?|jumps?|plays?|looks?|rides?|holds?|"
    r"[a-z]{3,}ing)$"
)


@dataclass
class Fillers:
    """What slots of frames are filled with.

    Args:
        words: words of any kind, for things that nobody needs to have heard of.
        phrases: phrases that people deny or affirm.
        findings: phrases that reports deny.
        captions: real captions that deny nothing.
    """

    words: Sequence[str]
    phrases: Sequence[str]
    findings: Sequence[str]
    captions: Sequence[str]
    _halves: list[tuple[list[str], list[str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.captions = [
            text
            for caption in self.captions
            if not _CUE.search(text := caption.strip().rstrip(" .")) and len(text) < 140
        ]
        for caption in self.captions:
            words = caption.split()
            for place in range(2, min(len(words) - 1, 8)):
                if _TAKES_SUBJECT.match(words[place].lower()):
                    self._halves.append((words[:place], words[place:]))
                    break

    def thing(self, rng: random.Random) -> list[str]:
        """A noun phrase without an article."""
        kind = rng.random()
        if kind < 0.30:
            phrase = [rng.choice(_NOUNS)]
            if rng.random() < 0.4:
                phrase = [rng.choice(_ADJECTIVES), *phrase]
            elif rng.random() < 0.2:
                phrase = [rng.choice(_NOUNS), *phrase]
            return phrase
        if kind < 0.58:
            return rng.choice(self.phrases).split()
        if kind < 0.72:
            return [rng.choice(self.words) for _ in range(rng.choice((1, 1, 2, 2, 3)))]
        if kind < 0.79:
            return [
                rng.choice(_ADJECTIVES),
                *([rng.choice(_ADJECTIVES)] * (rng.random() < 0.3)),
                rng.choice(self.words),
            ]
        if kind < 0.86:
            name = rng.choice(_NAMES).split() if rng.random() < 0.6 else [_made_name(rng)]
            return [*name, rng.choice(_NOUNS)] if rng.random() < 0.5 else name
        if kind < 0.91:
            return [rng.choice(_NOUNS), "of", rng.choice(_NOUNS)]
        if kind < 0.94:
            return [
                rng.choice(("man", "woman", "person", "dog", "child")),
                "in",
                "a",
                rng.choice(_ADJECTIVES),
                rng.choice(_NOUNS),
            ]
        return [rng.choice(_NOUNS), rng.choice(_NOUNS + _VERBS_ING)]

    def act(self, rng: random.Random) -> list[str]:
        """What somebody may be doing, or be like."""
        words: list[str] = []
        for word in rng.choice(_ACTS).split():
            if word == "{n}":
                words += self.thing(rng)[:3]
            elif word == "{adj}":
                words.append(rng.choice(_ADJECTIVES))
            else:
                words.append(word.replace("{word}", rng.choice(self.words)))
        return words

    def halves(self, rng: random.Random) -> tuple[list[str], list[str]]:
        """A caption's subject and the rest; now and then made up, since captions have few finite verbs."""
        subject, rest = rng.choice(self._halves)
        if rng.random() < 0.4:
            subject = [rng.choice(("a", "the", "A", "The", "one", "some", "two", "")), *self.thing(rng)[:3]]
        if rng.random() < 0.45:
            verb = rng.choice(_VERBS)
            verb = verb.removesuffix("s") if rng.random() < 0.25 else verb
            rest = [verb] if rng.random() < 0.9 else [rng.choice(("is", "was", "are")), verb]
            if rng.random() < 0.3:
                rest += [*([rng.choice(("a", "the", "his", "her"))] * (rng.random() < 0.6)), *self.thing(rng)[:2]]
            if rng.random() < 0.5:
                rest += [
                    rng.choice(_PREPOSITIONS),
                    rng.choice(("a", "the", "his", "her", "some")),
                    *self.thing(rng)[:2],
                ]
        return [word for word in subject if word], rest


def _made_name(rng: random.Random) -> str:
    letters = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(1, 7)))
    return rng.choice((letters.capitalize(), letters.upper(), letters, f"{letters.upper()[:2]}-{rng.randint(1, 999)}",
                       str(rng.randint(0, 2100)), f"{rng.randint(100, 800)}-{rng.randint(1, 9)}00"))  # fmt: skip


def _affirmed(words: Sequence[str]) -> Labelled:
    return [(word, "A") for word in words]


def _denied(words: Sequence[str]) -> Labelled:
    return [(word, "B" if place == 0 else "I") for place, word in enumerate(words)]


def _query(fillers: Fillers, rng: random.Random) -> list[str]:
    kind = rng.random()
    if kind < 0.3:
        return [rng.choice(_NOUNS)]
    if kind < 0.5:
        return [*fillers.thing(rng), rng.choice(("in", "on", "at", "near", "with")), rng.choice(_PLACES)]
    if kind < 0.6:
        return rng.choice(_PLACES).split()
    return fillers.thing(rng)


_FILL: dict[str, Callable[[Fillers, random.Random], Labelled]] = {
    "a": lambda f, r: _affirmed(f.thing(r)),
    "b": lambda f, r: _denied(f.thing(r)),
    "b1": lambda f, r: _denied([r.choice((r.choice(_NOUNS), r.choice(f.words), _made_name(r)))]),
    "s1": lambda f, r: [(r.choice(_ADJECTIVES), "S")],
    "n": lambda f, r: [(r.choice((r.choice(_NOUNS), r.choice(f.words))), "A")],
    "v": lambda f, r: _denied(f.act(r)),
    "v1": lambda f, r: _denied([r.choice(_VERBS_ING)]),
    "va": lambda f, r: _affirmed(f.act(r)),
    "vg": lambda f, r: _affirmed(f.act(r)),
    "with": lambda f, r: _affirmed([r.choice(("with", "in", "on", "near")), r.choice(("a", "the")), *f.thing(r)]),
    "caption": lambda f, r: _affirmed(r.choice(f.captions).split()),
    "lower": lambda f, r: _affirmed(_lowered(r.choice(f.captions)).split()),
    "g": lambda f, r: _denied([*([r.choice(_ADJECTIVES)] * (r.random() < 0.15)), *_garment_part(f, r)]),
    "g1": lambda f, r: _denied([r.choice(_GARMENT_PARTS)]),
    "h": lambda f, r: _affirmed(r.choice(_GARMENT_LOOKS).split()),
    "h1": lambda f, r: _affirmed([r.choice(_ADJECTIVES)]),
    "garment": lambda f, r: _affirmed(r.choice(_GARMENTS).split()),
    "nadj": lambda f, r: _denied([r.choice(_ADJECTIVES)]),
    "nadja": lambda f, r: _affirmed([r.choice(_ADJECTIVES)]),
    "unadj": lambda f, r: _affirmed([f"un{r.choice(('attractive', 'happy', 'usual', 'kind', 'like', 'pleasant'))}"]),
    "unthing": lambda f, r: _affirmed(
        [f"un{r.choice(('cooked', 'cut', 'occupied', 'used', 'made', 'opened', 'paved'))}"]
    ),
    "r": lambda f, r: _denied((r.choice(_FINDINGS) if r.random() < 0.5 else r.choice(f.findings)).split()),
    "ra": lambda f, r: _affirmed(r.choice(_ANATOMY).split()),
    "rf": lambda f, r: _affirmed((r.choice(_FINDINGS) if r.random() < 0.5 else r.choice(f.findings)).split()),
    "q": lambda f, r: _affirmed(_query(f, r)),
    "sign": lambda f, r: _affirmed([r.choice(_SIGN_WORDS)]),
    "number": lambda f, r: _affirmed([str(r.randint(1, 999))]),
}
for _plural, _single in (("as", "a"), ("a0", "a"), ("c", "a"), ("cs", "a"), ("bs", "b"), ("d", "b"), ("ds", "b")):
    _FILL[_plural] = _FILL[_single]


def _garment_part(fillers: Fillers, rng: random.Random) -> list[str]:
    return [rng.choice(_GARMENT_PARTS)] if rng.random() < 0.8 else fillers.thing(rng)[:2]


def _lowered(caption: str) -> str:
    return caption[:1].lower() + caption[1:]


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
                words = _affirmed(halves[slot[1] == "predicate"])
            else:
                words = _FILL[slot[1]](fillers, rng)
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
