"""The words by which English says that something is absent, and the closed classes that bound what they negate.

Every token of a caption gets one letter; negation_tokens.py and negation_scope.py read on by the letters:

    n  no, neither, none of          x  isn't, never, fails to      N  not
    w  without, instead of           e  except, other than          v  lacks, excludes
    p  absent, nowhere to be seen    q  missing (before or after)   u  nobody, nothing
    L  hatless, car-free             ~  nor                         !  it is not true that
    M  the minus of a search, as in "street -cars"
    =  an idiom that negates nothing, such as "no doubt"
    a  be                            A  do, can, will               h  show, have, see, wear (takes what is shown)
    f  present, visible, in sight    j  appear, exist, take place   F  image, video, scene (the frame of a caption)
    d  a, an, some, both             c  two, several                t  the, this           m  his, her, their
    y  any, single, even             P  preposition                 o  of                  g  sign (of), trace (of)
    r  it, you                       T  there                       R  adverb
    S  who, that, where              B  but, while, instead         &  and                 |  or
    ,  comma, dash, bracket          .  end of a sentence
    V  rides, stands                 i  running                     k  any other word
"""

from .negation_classes import LESS_NOUNS, LINKED_ABSENCES

_WORDS = {
    "n": "no neither zero nary none",
    "x": "never cannot cant dont doesnt isnt arent wasnt",
    "N": "not",
    "u": "nobody noone no-one nothing",
    "w": "without w/o w/out sans minus excluding omitting",
    "e": "except excepting barring",
    "v": "lacks lack lacked excludes exclude omits omit denies deny forgoes foregoes eschews",
    "p": "absent absence nowhere nonexistent non-existent inexistent excluded omitted unseen undepicted unpictured",
    "q": "missing lacking",
    "~": "nor",
    "a": "is are was were be been being am 's 're 'm",
    "A": "do does did can could will would may might should shall must 'll 'd 've",
    "d": "a an some both each every another",
    "c": "several many multiple few various two three four five six seven eight nine ten numerous lots most one",
    "t": "the this that these those all",
    "m": "his her their its my your our whose",
    "y": "any definite obvious convincing much single even either more additional further",
    "P": "in on at by with from to into onto over under behind beside besides near around across through along "
    "between among amongst amid amidst above below beneath underneath against inside outside within toward "
    "towards down up off out about after before during for upon past via like alongside atop throughout "
    "beyond per aboard despite",
    "o": "of",
    "r": "it he she they you we i them him us itself themselves himself herself me",
    "T": "there here",
    "R": "noticeably noticeable notably notable conspicuously conspicuous completely complete entirely totally "
    "clearly actually really currently visibly also anywhere elsewhere surprisingly certainly definitely "
    "simply apparently obviously evidently strangely curiously interestingly explicitly prominently too ever "
    "still quite sadly unfortunately strikingly markedly distinctly decidedly altogether wholly fully "
    "otherwise directly physically indeed whatsoever remarkably oddly particularly specifically plainly "
    "necessarily absolutely almost virtually practically nearly utterly please however therefore thus "
    "thankfully nearby today tonight yesterday nowadays lately anymore",
    "S": "who whom which where when because since so if as than what why how",
    "B": "but yet while whereas although though whilst albeit instead rather only just merely nevertheless "
    "nonetheless",
    "F": "image images photo photos picture pictures photograph photographs video videos clip clips footage shot "
    "frame view content scene scenes snapshot pic pics caption visual visuals imagery background foreground "
    "setting sight screenshot radiograph note",
    "f": "present visible shown seen included featured depicted displayed pictured portrayed found spotted "
    "observed noted identified detected apparent evident discernible discernable available presented "
    "visualized visualised showcased represented captured mentioned incorporated highlighted involved heard "
    "appreciated "
    "demonstrated recognizable perceptible observable illustrated noticed exhibited photographed contained "
    "listed detectable distinguishable audible",
    "j": "appear appears appeared appearing exist exists existed occur occurs occurred occurring happen happens "
    "happening",
    "h": "show shows showed showing feature features featuring include includes including contain contains "
    "containing depict depicts depicting display displays displaying have has had having showcase showcases "
    "showcasing portray portrays portraying see sees seeing find finds finding spot notice notices observe "
    "expect involve involves involving presents presenting reveal reveals revealing capture captures "
    "capturing represent represents representing illustrate illustrates exhibit exhibits exhibiting "
    "incorporate incorporates incorporating mention mentions mentioning wear wears wearing possess possesses "
    "possessing demonstrate demonstrates demonstrating suggest suggests indicate indicates detect identify "
    "got use uses using referencing",
    "g": "sign signs hint hints trace traces evidence mention reference references presence appearance glimpse "
    "depiction indication indications suggestion inclusion",
    "&": "and & plus",
    "|": "or and/or /",
    "V": "sits stands rides walks runs jumps plays holds looks watches climbs leaps swims flies eats sleeps lies "
    "lays carries poses smiles catches throws kicks hits pulls pushes chases crosses drives performs dances "
    "sings talks speaks laughs waits leans surfs splashes grazes stares hangs falls bites licks sniffs barks "
    "crawls digs floats moves goes comes takes gets gives makes puts enters begins tries helps follows leads "
    "attempts seems grins prepares draws writes builds cleans washes feeds hugs kisses shakes raises lifts "
    "reaches touches passes approaches travels competes tackles dribbles shoots serves practices wades trots "
    "gallops balances spins flips navigates overlooks surrounds covers fills gathers enjoys explains "
    "discusses describes walked sat stood rode ran jumped held looked watched climbed sit stand ride run jump "
    "hold play perform pose wait throw kick chase sing swim gather stare compete walk fly eat sleep",
}

_PHRASES = {
    "V": "break free|breaks free|broke free|breaking free|wriggles free|struggles free",
    "=": "all but one|all but two|nothing except|nothing other than|no doubt|no wonder|no matter|no less than|"
    "no fewer than|no more than|no later than|no sooner|none other than|nothing but|nothing less than|"
    "nothing short of|not only|not just|not merely|not simply|not solely|not to mention|not far|not long|"
    "not bad|not all|not every|not very|not too|not so|not quite|not always|not necessarily|"
    "not unlike|not uncommon|not unusual|not exactly|not entirely|help but|why not|if not|or not|no big deal|"
    "no problem|no time|no man 's land|no stranger|without doubt|without a doubt|without question|"
    "without fail|without further ado|without hesitation|without warning|no lack of|no shortage of|no end of|"
    "no mistaking|no denying|not excluded|not be excluded|not ruled out|not be ruled out|cannot exclude|"
    "cannot be excluded|cannot be ruled out|cannot rule out|can't exclude|can't be excluded|can't rule out|"
    "can't be ruled out|not exclude|not rule out|ground zero|sub zero|below zero|absolute zero|zero gravity|"
    "zero degrees|never mind|never fails to|never failed to|never fail to|does not fail to|do not fail to|"
    "did not fail to|doesn't fail to|don't fail to|didn't fail to|can't wait|cannot wait|couldn't wait|could not wait|"
    "not least|if it were not for|if it weren't for|if it was not for|if it wasn't for|were it not for|if not for|"
    "knows nothing|know nothing|knew nothing|says nothing|nothing beats|there 's nothing like|there is nothing like|"
    "not alone|without equal|without parallel|without end|can't stop|cannot stop|couldn't stop|could not stop|"
    "never tires of|never tire of|never tired of|do not disturb|"
    "no choice but|no option but|no alternative but|impossible not to|hard not to|difficult not to|missing link|"
    "free kick|all but certain|no entry|no go|no fly|no u - turn|"
    "no left turn|no right turn|no exit|in the middle of nowhere|out of nowhere|from nowhere|"
    "not to be missed|hard to miss|at nothing|for nothing|nothing special|nothing new|nothing unusual|"
    "nothing out of the ordinary|nothing if not|like nothing else|as often as not|more often than not|"
    "as likely as not|"
    "believe it or not|with or without|no ordinary|no mere|no match for|no exception|no secret|no surprise|no joke|"
    "no place like|no introduction|no less|without saying|none the wiser|none the less|none the worse|"
    "second to none|or no rain|no animals were harmed|no mean feat|no small feat|no easy feat|no easy task|"
    "no small task|no small amount|no small number|no small measure|never a dull moment|"
    "no laughing matter|no strings attached|"
    "no holds barred|no idea|no need|no worries|no hurry|no rush|no point|no two|no regrets|no limits|"
    "no one knows|nobody knows|no bake|no knead|no churn|no sew|no cook|no iron|no drill|no frills|no fuss|"
    "no contact|do not enter|do not cross|do not touch|do not feed|do not litter|without borders|without a care|"
    "without incident|without delay|without effort|without fear|not well|not fully|not completely|not your typical|"
    "not your average|not your usual|not your everyday|not just another|not an ordinary|lost his balance|"
    "lost her balance|lost his way|lost her way|lost its way|lost their way|lost his footing|lost her footing|"
    "lost his temper|lost her temper",
    "!": "it is not true that|it 's not true that|it isn't true that|it is not the case that|"
    "it isn't the case that|it 's not the case that|it is false that|it is untrue that|it is wrong that",
    "u": "not a soul|hardly anyone|hardly anybody|hardly anything|barely anyone|barely anybody|barely anything|"
    "scarcely anyone|scarcely anybody|scarcely anything|next to nothing|no one|no - one|none of them|neither of them|"
    "none of these|none of which|none of whom|not anyone|"
    "not anybody|not anything",
    "w": "without having|without ever having|without ever|nothing to do with|instead of|rather than|as opposed to|"
    "in place of|in lieu of|in the absence of|absence of|lack of|"
    "devoid of|void of|free of|free from|empty of|absent of|bereft of|bare of|clear of|barren of|anything but|"
    "negative for|to the exclusion of|leaving out|without so much as|without even|w / o|far removed from|"
    "far from any|away from any|unaccompanied by|unoccupied by|untouched by|uninhabited by|unadorned by|"
    "rid of|stripped of|shorn of|emptied of|cleared of|drained of|deprived of|robbed of|denuded of|cleansed of|"
    "scrubbed of|unmarred by|unspoiled by|unbroken by|far from being|interval removal of|removal of|"
    "interval resolution of|resolution of|w / out|hard pressed to find|hard - pressed to find|hard-pressed to find",
    "e": "other than|apart from|aside from|except for|with the exception of|everything but|everyone but|"
    "everybody but|all but|save for",
    "v": "has nothing to do with|have nothing to do with|look in vain for|looks in vain for|looking in vain for|"
    "search in vain for|searches in vain for|searching in vain for|makes no mention of|make no mention of|"
    "makes no reference to|leaves out|leave out|rules out|rule out|"
    "steers clear of|does away with|used to have|is short of|are short of|dispenses with|"
    "has lost its|has lost his|has lost her|have lost their|has lost all|have lost all|has lost most of|"
    "lost its|lost his|lost her|lost their|lost all|forgot his|forgot her|forgot their|forgot its|forgot the",
    "p": "nowhere to be seen|nowhere to be found|nowhere to be spotted|nowhere in sight|nowhere in view|"
    "out of sight|out of view|out of frame|out of shot|out of the picture|out of the frame|out of the scene|"
    "out of the shot|out of the image|out of the photo|off screen|off camera|left out|makes no appearance|"
    "make no appearance|made no appearance|has no place|plays no part|plays no role|play no part|play no role|"
    "have no place|conspicuous by its absence|conspicuous by their absence|notable for its absence|"
    "notable for their absence|noticeable by its absence|noticeable by their absence|cut out of the picture|"
    "out of it|out of them|"
    "cropped out|edited out|has been taken down|have been taken down|was taken down|were taken down|"
    "few and far between|gone are|gone is|gone were|has resolved|have resolved",
    "q": "ruled out",
    "f": "in sight|in view|in frame|in evidence|on display|on show|on screen|on view|on offer|on the menu|"
    "in the mix|to be seen|to be found|to be spotted|to be heard|to be had|to see|to speak of|in attendance|"
    "at hand|in existence|at all|of any kind|of any sort|anywhere near",
    "j": "takes place|take place|taking place|takes center stage|take center stage|makes an appearance|"
    "make an appearance|have a place|has a place|play a part|play a role|goes on|going on|shows up|show up|"
    "turns up|turn up|comes into view|feature in|features in|feature anywhere",
    "N": "not yet",
    "x": "has yet to|have yet to|had yet to|is yet to|are yet to|refuses to|refuse to|refused to|refusing to|"
    "declines to|decline to|declined to|forgets to|forget to|forgot to|neglects to|neglect to|neglected to|fails to|"
    "fail to|failed to|failing to|no longer|unable to|at no point|in no way|by no means",
    "n": "hardly a|barely a|scarcely a|hardly any|barely any|scarcely any|little to no|little or no|next to no|"
    "close to no|few if any|few , if any ,|little if any|little , if any ,|few or no|few to no|no or few|precious few|"
    "precious little|very few|not many|not much|none of|neither of|not a single|not any|not even|not so much as|"
    "nary a",
    "h": "expect to see|expect to find|expect to spot|get to see|see or find|consist of|consists of|be using",
    "A": "seems to|appears to|seem to|appear to",
    "a": "looks like|look like|appears to be|appear to be|seems to be|seem to be|happens to be|happen to be",
    "B": "even though|but rather|but instead|but only|on the other hand|in contrast|by contrast|and instead",
    "&": "as well as|along with|together with",
    "|": "or even|and / or",
    "S": "in which|so that",
    "R": "any more|any longer|at the moment|right now|every day|for now|as far as one can see|"
    "as far as the eye can see|as far as can be seen|as far as i can see|of course|"
    "as well|by the way|it 's clear that|it is clear that|it 's evident that|it is evident that|it is notable that|"
    "it 's notable that|note that|it should be noted that|it 's worth noting that|it is worth noting that",
    "F": "the study|this study|the exam|this exam|the examination|this examination|this film|the film|the scan|"
    "this scan|chest radiograph|chest x - ray|chest x-ray|the scenery|the surroundings",
    "P": "ran out of|runs out of|run out of|running out of|sold out of|in front of|on top of|next to|close to|"
    "because of|due to|out of|part of|a part of|in the middle of|"
    "in addition to|full of|such as|as for|when it comes to",
}

WORD_TAGS = {word: tag for tag, words in _WORDS.items() for word in words.split()}
# First two words -> the phrases that they begin, longest first, each with its letter.
PHRASE_TAGS: dict[tuple[str, str], list[tuple[list[str], str]]] = {}
for _tag, _phrases in _PHRASES.items():
    for _phrase in _phrases.split("|"):
        _parts = _phrase.split()
        PHRASE_TAGS.setdefault((_parts[0], _parts[1]), []).append((_parts, _tag))
for _entries in PHRASE_TAGS.values():
    _entries.sort(key=lambda entry: -len(entry[0]))

_CUES = "nxNuwevpq~L!"
_CUE_WORDS = {word for word, tag in WORD_TAGS.items() if tag in _CUES}
_COMMON = frozenset("from image picture photo scene frame view sight shot but does any for".split())


def _rarest(phrase: list[str]) -> str:
    return max((word for word in phrase if word not in _COMMON), key=len, default=phrase[0])


# A caption without any of these words (as \w+ splits them) says nothing of absence.
HINTS = frozenset(
    {part for word in _CUE_WORDS for part in word.replace("/", "-").split("-") if len(part) > 1 and part != "one"}
    | {
        _rarest(phrase)
        for entries in PHRASE_TAGS.values()
        for phrase, tag in entries
        if tag in _CUES and _CUE_WORDS.isdisjoint(phrase)
    }
    | LESS_NOUNS.keys()
    | {
        "t",
        "w",
        "free",
        "less",
        "leaves",
        "leave",
        "left",
        "leash",
        "hold",
        "skip",
        "unlike",
        "any",
        "out",
        "avoid",
        "ignore",
        "remove",
    }
    | LINKED_ABSENCES
)
