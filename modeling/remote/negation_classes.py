"""Classes of words that the negation reader asks for by name: what may be absent, what only seems to be."""

# Adjectives that deny a visible thing; "homeless", "wireless" or "priceless" deny none that a picture could show.
LESS_NOUNS = {
    f"{noun}less": noun
    for noun in "shirt hat helmet beard moon people car driver rider pilot wheel flower horn tail wing collar leash "
    "sock smoke fog wind sun traffic grass bird boat face hair branch roof door chair passenger saddle fence "
    "snow crew lid cap coat mast sail antler feather stair curtain carpet seat engine handle".split()
} | {
    "cloudless": "clouds",
    "gloveless": "gloves",
    "armless": "arms",
    "hornless": "horns",
    "leafless": "leaves",
    "shoeless": "shoes",
    "starless": "stars",
    "toothless": "teeth",
    "treeless": "trees",
    "off-leash": "leash",
    "waveless": "waves",
    "windowless": "windows",
    "deserted": "people",
    "uninhabited": "people",
    "unmanned": "people",
    "unoccupied": "people",
    "unpopulated": "people",
    "uncrowded": "crowds",
    "unsaddled": "saddle",
}

# What a recipe or a rule leaves out, and no photo shows: "sugar-free gum" is a kind of gum.
UNSEEN_PARTS = frozenset(
    "alcohol gluten sugar fat lactose dairy caffeine cholesterol calorie sodium salt egg nut peanut soy wheat grain "
    "allergen gmo bpa lead paraben sulfate chemical pesticide cruelty carbon emission fragrance duty tax toll "
    "rent cost "
    "interest crime care worry stress pain drug germ virus bacteria smoke hands risk error ad oil acid".split()
)
# After "free" in these, the noun before it is not what is absent: "a duty free shop", "a man free climbing".
FREE_KINDS = frozenset(
    "style range fall falling climber climbing kick throw standing spirit hand time wifi food sample samples entry "
    "parking stuff shop shops admission gift offer delivery shipping download drink drinks ride rides solo at".split()
)
# "The shop is out of bread" denies bread; these are states, not goods.
OUT_STATES = frozenset(
    "focus reach order control breath place town date bounds business sight view frame shot tune step line hand "
    "character season style fashion work luck shape time range touch service commission use sync print "
    "danger hospital "
    "bed jail prison harm school context proportion practice uniform sorts steam gear power season".split()
)
# Absent where a form of be or have leads to them ("cars are banned"), not before their noun ("a banned book").
LINKED_ABSENCES = frozenset(
    "banned prohibited forbidden outlawed gone removed erased vanished disappeared unlikely".split()
)
# "Dogs are not allowed" denies the dogs.
PERMISSIONS = frozenset("allowed permitted welcome welcomed admitted".split())
# "The bus never came" denies the bus.
ARRIVALS = frozenset("come came arrive arrived stop stopped return returned".split())
# What is not liked, minded or wanted is there: "the boy doesn't want to eat his broccoli".
ATTITUDES = frozenset(
    "want wants wanted like likes liked mind minds care cares know knows believe think trust understand agree forget "
    "forgets worry hesitate let resist help miss misses stand bear afford".split()
)
# Verbs of a wish, whose object alone is denied: "I don't want any cars in it".
WISHES = frozenset("want need like allow allows permit permits show include give".split())
# "No image of a harbour is complete without boats" affirms both.
COMPLETE = frozenset("complete finished perfect possible full whole ready right imaginable conceivable".split())
# "No change in the effusion": the effusion is there.
CHANGES = frozenset("change changes difference increase decrease worsening improvement progression".split())

# Read as verbs only where the words around them leave room for a verb.
NOUN_OR_VERB = frozenset(
    "show shows feature features display displays exhibit exhibits spot find finds mention use".split()
)
NOT_PARTICIPLES = frozenset(
    "building ceiling morning evening clothing string spring railing awning wedding pudding icing frosting "
    "earring duckling lightning something anything everything painting drawing sibling seedling".split()
)
PARTICIPLES = frozenset(
    "played worn held made done sung drawn written ridden driven built eaten drunk shot given".split()
)
LOCATIVES = frozenset(
    "in on near along across under beside behind around inside by at above outside over throughout within amid".split()
) | {"among", "next to", "in front of", "on top of", "in the middle of", "close to"}
# "With no helmet walking" denies a helmet, "with no people walking" the walking people.
WEARABLES = frozenset(
    "shirt shirts hat hats helmet helmets shoe shoes coat jacket gloves clothes pants socks glasses mask collar "
    "leash gear rope ropes top".split()
)
AGENTS = frozenset(
    "anyone anybody someone people person persons man men woman women child children kid kids boy boys girl girls "
    "dog dogs cat cats bird birds animal animals human humans adults players riders crowd".split()
)
# "Tennis is not the sport" denies tennis; "he does not see the car" denies the seeing.
ROLES = frozenset("sport game activity focus subject topic theme attraction".split())
PERCEPTIONS = frozenset("see notice observe spot".split())
# Plurals that stand before other nouns, as few do.
PLURAL_MODIFIERS = frozenset(
    "sports arms news christmas sales goods clothes glasses ladies mens womens kids us".split()
)
# Words that name nothing by themselves: "nothing is a dog" and "none of the things is a dog" deny a dog.
VAGUE = frozenset("thing things object objects item items something anything everything nothing one else yes".split())
UNIVERSAL = frozenset("everything everyone everybody all every any anything something anyone each".split())
# "The dog remains absent" denies a dog.
STAYS = frozenset("remains remain stays stay goes go gone".split())
# What the first words of names of two words are, so that "traffic light-free" is free of a traffic light.
FIRST_WORDS = frozenset(
    "traffic fire stop parking sports baseball tennis wine hot potted dining cell teddy hair trash palm".split()
)
# "No dog joins the man" denies the dog alone: the man is there.
MEETINGS = frozenset(
    "accompanies accompany joins join surrounds surround obstructs interrupts interrupt blocks shields "
    "disturbs".split()
)
SIGN_WORDS = frozenset("sign signs signpost zone zones symbol poster notice sticker".split())
# Two of these make a text foreign, where "no" may be any word.
FOREIGN = frozenset(
    "hay una un uno los las está están es con del que por para della il nel di com não uma den und der ein eine "
    "het een une le les des et dans est".split()
)
