"""Which language a short text is in, as far as the reader of negation must know: English, or to be left whole.

Words that are frequent in each language are counted, those that English has too in neither; endings and letters that
English hardly knows count half. English is what is assumed: another language needs more evidence than English has, so
that no English query is left unread. Scripts other than the Latin one name their language by themselves.
"""

import re

_ENGLISH = frozenset(
    "the a an and or of in on at with without for from by to is are was were be been has have not isn't aren't "
    "doesn't don't but that this these those there their his her its it he she they who which while some any two "
    "three man men woman women people person dog dogs cat cats boy girl child children red blue green white black "
    "standing sitting wearing holding looking playing image picture photo photos shows with no one nobody nothing "
    "neither nor never none only instead than except all every show like out up over under near into through between "
    "behind front left right street water beach tree trees car cars house table chair hat shirt food sky snow "
    "background text evidence acute seen noted normal more less color sleeves shorter longer dress onto above high "
    "very many game player team rock hill climbs rides runs walks jumps holds performs professional artist day night "
    "room light road big small young old poster sign album cake me my your just lacking lacks excluding excludes "
    "absent missing moving police appears present visible whereas however".split()
)
# Frequent words, and words about pictures, that English does not have; "no" and the like are in neither.
_WORDS = {
    "es": "el la los las una unos del al en con sin por para que se su sus es son está están hay esta este pero nadie "
    "nada ningún ninguna ni muy más sobre entre desde hasta como cuando donde todo todos todas menos mujer "
    "hombre niño niña niños gente perro gato gatos perros coche coches calle playa casa mesa imagen foto fotos "
    "noche rojo blanco negro persona personas tiene lleva quiero mostrar ver boda cielo agua árbol",
    "pt": "os as um uma uns umas do da dos das na nos nas ao à em com sem por para que se seu sua é são está não tem "
    "mas homens dois duas três peixe barco ninguém nada nenhum nenhuma nem muito mais sobre entre como quando "
    "onde todo todos menos mulher homem menino menina criança gente cachorro cão gato carro carros rua praia "
    "casa mesa imagem foto fotos noite vermelho branco preto pessoa pessoas mostrar festa céu água árvore chão "
    "mar",
    "fr": "le la les un une des du au aux et ou en dans avec sur sous par pour que qui est sont il elle on ne pas n'y "
    "mais personne rien aucun aucune ni très plus entre comme quand où tout tous toutes sauf jamais femme homme "
    "enfant garçon fille gens chien chiens chat chats voiture voitures rue plage maison image nuit rouge blanc "
    "noir photos chambre arbre ciel eau cette ce ces dont",
    "de": "der das den dem des ein eine einen einem einer und oder im am auf mit ohne für von zu zum bei ist sind "
    "nicht kein keine keinen keinem keiner aber niemand nichts weder noch sehr mehr zwischen wie wenn wo alles "
    "alle außer nie nur sonst frau mann kind kinder mädchen junge menschen hund hunde katze katzen auto autos "
    "straße strand haus tisch bild nacht rot weiß schwarz himmel wasser baum hier aus über unter",
    "it": "il lo la gli le un una uno del della dei delle al alla nel nella sul sulla di con su per che non è sono ci "
    "si ma nessuno nessun nessuna niente né senza molto più tra come quando dove tutto tutti tranne mai donna "
    "uomo bambino bambina bambini ragazza ragazzo gente persone cane cani gatto gatti macchina strada spiaggia "
    "casa tavolo immagine notte rosso rossa bianco nero cielo acqua albero foto qui",
    "nl": "de het een van en op met zonder voor bij naar is zijn er niet geen maar niemand niets noch zeer meer "
    "tussen als waar alles behalve nooit alleen vrouw jongen meisje kind kinderen mensen hond honden kat katten "
    "auto straat strand huis tafel afbeelding nacht rood rode wit zwart hemel boom aan die dat deze dit hier te",
    "pl": "bez nie jest na się ale nikt nic żaden ani tylko kobieta mężczyzna dziecko ludzie pies kot samochód ulica "
    "plaża dom stół zdjęcie noc",
    "sv": "en ett och på med utan för av till är inte ingen inga men som den det kvinna man barn människor hund katt "
    "bil gata strand hus bord bild natt",
    "tr": "bir ve ile için değil yok olmayan olan ama hiç kimse kadın adam çocuk insan köpek kedi araba sokak plaj ev "
    "masa resim fotoğraf gece",
}
_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
    ("zh", re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")),
    ("ru", re.compile(r"[\u0400-\u052f]")),
    ("el", re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")),
    ("ar", re.compile(r"[\u0600-\u06ff\u0750-\u077f]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("hi", re.compile(r"[\u0900-\u0dff]")),
    ("th", re.compile(r"[\u0e00-\u0eff]")),
)
_WORD = re.compile(r"(?<![\w./:@-])[^\W\d_]{2,}(?!\w|[./:@-]\w)|[^\W\d_a-zA-Z]")  # no part of "non-stop", "a.com"
_LATIN = re.compile(r"[a-zA-Z\u00c0-\u024f]")
# In English and in others: they speak for none.
_SHARED = frozenset(
    "café piñata jalapeño naïve fiancé fiancée résumé façade décor pokémon entrée a an in is no on me die man war "
    "he as am i o or all den hat so bank do to also has barn van hay".split()
)
_FOREIGN = re.compile(r"[^\x00-\x7f]")
# Letters that English hardly knows, and the languages that they speak for.
_LETTERS = {
    "ñ": "es", "¿": "es", "¡": "es", "ã": "pt", "õ": "pt", "ç": "pt fr tr", "á": "es pt", "í": "es pt",
    "ó": "es pt pl", "ú": "es pt", "â": "pt fr", "ê": "pt fr", "ô": "pt fr", "à": "pt fr it", "è": "fr it",
    "é": "fr es pt it", "ì": "it", "ò": "it", "ù": "it fr", "î": "fr", "û": "fr", "œ": "fr", "ß": "de", "ä": "de sv",
    "ö": "de sv tr", "ü": "de tr", "å": "sv", "ı": "tr", "ş": "tr", "ğ": "tr", "ł": "pl", "ż": "pl", "ą": "pl",
    "ę": "pl", "ś": "pl", "ć": "pl",
}  # fmt: skip
_ENDINGS = (
    (re.compile(r"[^aeiou](?:o|a|os|as)(?<=\w{4})$"), ("es", "pt")),
    (re.compile(r"[^aeiou](?:o|a)(?<=\w{4})$"), ("it",)),
    (re.compile(r"(?:agem|inho|inha|eiro|eira|ando|indo)s?$"), ("pt",)),
    (re.compile(r"(?:iendo|ando|illo|illa|ero|era)s?$"), ("es",)),
    (re.compile(r"^(?:sans|non)$|(?:eau|eux|aux|eur|euse|ette|gne|ée|oir)s?$"), ("fr",)),
    (re.compile(r"^non$"), ("it",)),
)
# English words that end as those of the south do.
_ENGLISH_ENDINGS = frozenset(
    "photo video logo sofa pizza camera tattoo banana umbrella piano guitar zebra panda koala area idea extra radio "
    "studio potato tomato potatoes buffalo flamingo pneumonia edema soda pasta salsa tuna gorilla llama opera drama "
    "data media saliva veranda plaza villa arena china america india africa canada hello zero hero echo cargo disco "
    "taco mango avocado volcano tornado casino kimono poncho macho lasagna mozzarella vanilla cola yoga gala sauna "
    "tiara toga visa mascara bikini euro judo dojo emo info kilo limo memo metro pueblo rodeo solo turbo "
    "tango anna spatula balaclava hyena cobra iguana armada alpaca".split()
)


def language_of(text: str) -> str:
    """The ISO 639-1 code of the language that a text seems to be in; "en" where little or nothing speaks against it.

    >>> [language_of(text) for text in ("beach, no people", "cachorro no parque", "没有人的海滩")]
    ['en', 'pt', 'zh']
    """
    words = _WORD.findall(text)
    if not text.isascii():
        others = [letter for letter in _FOREIGN.findall(text) if letter.isalpha() and not _LATIN.match(letter)]
        if 2 * len(others) > len(_LATIN.findall(text)):
            return next((name for name, script in _SCRIPTS if script.search("".join(others))), "und")
    english, scores = 0.0, dict.fromkeys(_WORDS, 0.0)
    for place, written in enumerate(words):
        word = written.lower()
        if word in _ENGLISH:
            english += word not in _SHARED
            continue
        if word in _SHARED:
            continue
        speaking = _LANGUAGES.get(word, ())
        for name in speaking:
            scores[name] += 1
        if not speaking and not (place and written.istitle()):  # the endings of names say nothing: "Lhasa Apso"
            for name in _hints(word):
                scores[name] += 0.5
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] >= 1 and scores[best] > english else "en"


def _hints(word: str) -> list[str]:
    """Languages that the letters or the ending of a word speak for."""
    found = [name for letter in set(_FOREIGN.findall(word)) for name in _LETTERS.get(letter, "").split()]
    if len(word) > 2 and word not in _ENGLISH_ENDINGS and word.removesuffix("s") not in _ENGLISH_ENDINGS:
        found += {name for ending, names in _ENDINGS if ending.search(word) for name in names}
    return found


_LANGUAGES: dict[str, tuple[str, ...]] = {}
for _name, _words in _WORDS.items():
    for _word in _words.split():
        _LANGUAGES[_word] = (*_LANGUAGES.get(_word, ()), _name)
