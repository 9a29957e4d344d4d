"""The reader of negation: every form by hand, then properties over arbitrary text, then NegBench's own files."""

import ast
import importlib.util
import random
import re
import string
import sys
import time
from pathlib import Path

import pytest

from notclip.recaption.concepts.lexicon import load_lexicon
from notclip.recaption.english.phrasing import Statement, phrase_statement
from notclip.remote import negation_scope
from notclip.remote.negation_cues import HINTS, LESS_NOUNS, PHRASE_TAGS, WORD_TAGS
from notclip.remote.negation_scope import NegationScope, read_scope

SHARED = Path(__file__).parents[3].parent / "shared"

# text, affirmed, negated
CUE_BEFORE = [
    ("There is no cat in this image.", "", ("cat",)),
    ("There's no dog here", "", ("dog",)),
    ("There are no people or cars.", "", ("people", "cars")),
    ("no people", "", ("people",)),
    ("street, no cars", "street", ("cars",)),
    ("beach without people", "beach", ("people",)),
    ("no cars, no people, a street at night", "a street at night", ("cars", "people")),
    ("This image features a dog, but no cat.", "This image features a dog", ("cat",)),
    ("A man in a kitchen, but no chair", "A man in a kitchen", ("chair",)),
    ("A person without a hat", "A person", ("hat",)),
    ("A man without a hat rides a horse .", "A man rides a horse", ("hat",)),
    ("A man with no helmet jumping off a hill", "A man jumping off a hill", ("helmet",)),
    ("A man with no shirt on is playing tennis .", "A man is playing tennis", ("shirt",)),
    ("A man with no hat on his head sits down", "A man sits down", ("hat",)),
    (
        "A young girl plays in the snow wearing gloves and no coat .",
        "A young girl plays in the snow wearing gloves",
        ("coat",),
    ),
    (
        "A boy wearing a helmet and no shirt , in the air on a bike .",
        "A boy wearing a helmet in the air on a bike",
        ("shirt",),
    ),
    ("A dog with no tail runs in the dirt .", "A dog runs in the dirt", ("tail",)),
    ("A table with no food, and a dog", "A table and a dog", ("food",)),
    ("A man with no dog in the kitchen", "A man in the kitchen", ("dog",)),
    ("A large horse with gear , but no rider .", "A large horse with gear", ("rider",)),
    ("A man , without a hat , rides a bike", "A man rides a bike", ("hat",)),
    ("Without a hat, a man walks on the beach", "a man walks on the beach", ("hat",)),
    ("A street with no people walking", "A street", ("people walking",)),
    ("No pizza in sight, a woman is making lasagna.", "a woman is making lasagna", ("pizza",)),
    ("A woman on a sofa, with no dog in sight.", "A woman on a sofa", ("dog",)),
    ("A beach where there are no umbrellas", "A beach", ("umbrellas",)),
    ("A kitchen with zero chairs", "A kitchen", ("chairs",)),
    ("A park sans dogs", "A park", ("dogs",)),
    ("The action here is basketball, minus the music.", "The action here is basketball", ("music",)),
    ("A room that has no windows", "A room", ("windows",)),
    ("A dog on grass, with hardly any trees", "A dog on grass", ("trees",)),
    ("There is not a single car on the road.", "the road", ("car",)),
    ("Not a single bike is in sight as a red car speeds down the road.", "a red car speeds down the road", ("bike",)),
    ("There aren't any birds in the sky", "the sky", ("birds",)),
    ("There is no sign of a person.", "", ("person",)),
    ("A scene with no trace of snow", "", ("snow",)),
    ("None of the chairs are visible", "", ("chairs",)),
    ("There are no visible cars.", "", ("cars",)),
    ("There is no man in a red shirt.", "", ("man in a red shirt",)),
    ("no dog on the couch", "the couch", ("dog",)),
    ("A bench without anyone sitting on it", "A bench", ("people sitting",)),
    ("A skier with no poles going down a hill.", "A skier going down a hill", ("poles",)),
    ("There's hardly a cloud in the sky", "the sky", ("cloud",)),
    ("You can see a beach without so much as a single person.", "You can see a beach", ("person",)),
    ("A man with a hat, and no shoes lays on the ground", "A man with a hat lays on the ground", ("shoes",)),
    ("Trees without leaves line the street", "Trees line the street", ("leaves",)),
    ("A dog (no cat) on a sofa", "A dog on a sofa", ("cat",)),
    ("A girl holds no trash can on the street", "A girl holds on the street", ("trash can",)),
    ("beach at sunset - no people", "beach at sunset", ("people",)),
    ("cats w/o dogs on a sofa", "cats on a sofa", ("dogs",)),
    ("a cat, not a dog, on a sofa", "a cat on a sofa", ("dog",)),
    (
        "A dog walking around with his leash but not with his owner .",
        "A dog walking around with his leash",
        ("owner",),
    ),
]
SEARCHES = [
    ("street -cars", "street", ("cars",)),
    ("sunset beach -people -umbrella", "sunset beach", ("people", "umbrella")),
    ("truck -red night", "truck night", ("red",)),
    ("a beach - people", "a beach - people", ()),
    ("-5 degrees", "-5 degrees", ()),
]
CUE_VERBS = [
    ("The image does not include any dogs.", "", ("dogs",)),
    ("This image does not contain a cat or a dog.", "", ("cat", "dog")),
    ("This photo doesn't show a bus", "", ("bus",)),
    ("This image isn't showing a dog.", "", ("dog",)),
    ("This image has no bottle in it.", "", ("bottle",)),
    ("This image shows a train, but does not include a person.", "This image shows a train", ("person",)),
    ("This image contains a boat but it doesn't have a bird.", "This image contains a boat", ("bird",)),
    ("You won't find a cat in this image.", "", ("cat",)),
    ("We can't see any people here", "", ("people",)),
    ("You'll see driving, but don't expect to see a kitchen.", "You'll see driving", ("kitchen",)),
    ("This image features a horse, but lacks a person.", "This image features a horse", ("person",)),
    ("This image lacks cars.", "", ("cars",)),
    ("The photo fails to show a boat", "", ("boat",)),
    ("The picture omits the sofa.", "", ("sofa",)),
    ("This video features sushi, but leaves out the grilling.", "This video features sushi", ("grilling",)),
    ("The video highlights soccer, leaving boxing out.", "The video highlights soccer", ("boxing",)),
    ("A kitchen lacking chairs", "A kitchen", ("chairs",)),
    ("A kitchen missing a table", "A kitchen", ("table",)),
    ("This image is missing a dog.", "", ("dog",)),
    ("This image excludes sheep", "", ("sheep",)),
    ("The image never shows a dog", "", ("dog",)),
    ("A man is not wearing a hat", "A man", ("hat",)),
    ("A man who isn't wearing a helmet rides a bike", "A man rides a bike", ("helmet",)),
    ("The dog doesn't have a collar", "The dog", ("collar",)),
    ("A scene that lacks a cow or shorts", "", ("cow", "shorts")),
    ("The video is lacking in fashion.", "", ("fashion",)),
    ("Trees are lacking in this park", "this park", ("trees",)),
    ("The photo makes no mention of a dog.", "", ("dog",)),
    ("The living room, which doesn't have a TV, has a couch", "The living room has a couch", ("TV",)),
    ("A boy hasn't got a hat", "A boy", ("hat",)),
    ("Dogs run on sand, in an image devoid of cars", "Dogs run on sand", ("cars",)),
    ("Dogs run on sand in a car-free image", "Dogs run on sand", ("car",)),
    ("A room is without chairs", "A room", ("chairs",)),
]
CUE_AFTER = [
    ("A cat is nowhere to be seen.", "", ("cat",)),
    ("Cats are absent.", "", ("cats",)),
    ("A dog is not present in this image.", "", ("dog",)),
    ("A dog is not in the image.", "", ("dog",)),
    ("A dog does not appear in the photo", "", ("dog",)),
    ("The chair cannot be seen", "", ("chair",)),
    ("A bus is not included", "", ("bus",)),
    ("No bus is included", "", ("bus",)),
    ("Vladimir Putin is absent", "", ("Vladimir Putin",)),
    ("A boat is not part of this image.", "", ("boat",)),
    ("Baseball is not part of the show.", "", ("baseball",)),
    ("Horses are showcased, while a runway is notably absent.", "Horses are showcased", ("runway",)),
    ("A horse is present, with a rider nowhere in sight", "A horse is present", ("rider",)),
    ("A man on a horse with a dog out of frame", "A man on a horse", ("dog",)),
    ("A boy is present, but a girl is not.", "A boy is present", ("girl",)),
    ("Biotechnology is featured, whereas running is not.", "Biotechnology is featured", ("running",)),
    ("Eating is present in the video, but conversation is not.", "Eating is present in the video", ("conversation",)),
    ("A dog and a cat are not visible.", "", ("dog", "cat")),
    ("Dogs, cats and birds are absent from the scene.", "", ("dogs", "cats", "birds")),
    ("A man is sitting and a dog is not visible.", "A man is sitting", ("dog",)),
    ("On the beach, a dog is nowhere to be found.", "On the beach", ("dog",)),
    ("Noticeably absent from this image is a dog.", "", ("dog",)),
    ("A notable absence in this video is a man", "", ("man",)),
    ("Missing from the photo is a chair.", "", ("chair",)),
    ("Nowhere in the image is there a dog.", "", ("dog",)),
    ("Not pictured: a cat", "", ("cat",)),
    ("The ukulele makes no appearance.", "", ("ukulele",)),
    ("A car does not make an appearance in the video.", "", ("car",)),
    (
        "No skiing takes place in the video, instead people are riding on a raft.",
        "people are riding on a raft",
        ("skiing",),
    ),
    ("A goal is scored, but tennis is not being played.", "A goal is scored", ("tennis",)),
    ("Soccer is not played here.", "", ("soccer",)),
    ("A dog is missing", "", ("dog",)),
    ("There is a notable absence of birds.", "", ("birds",)),
    ("Note the absence of cars in this image.", "", ("cars",)),
    ("A swan and a canyon are both missing from this picture.", "", ("swan", "canyon")),
    ("Nowhere in this image can you see any oceans or boats.", "", ("oceans", "boats")),
    ("Notably absent from this picture are vases and watches.", "", ("vases", "watches")),
    ("The absence of a glove in this scene is easy to see.", "", ("glove",)),
    ("A toothbrush is missing from the sink.", "the sink", ("toothbrush",)),
    ("The sun isn't visible behind the clouds.", "the clouds", ("sun",)),
    ("Characters are featured, but painter not.", "Characters are featured", ("painter",)),
    ("Two teams compete, and baseball is not one of the sports featured.", "Two teams compete", ("baseball",)),
    ("A sheep stands in snow with livestock out of frame", "A sheep stands in snow", ("livestock",)),
    ("Sheep are excluded from this image.", "", ("sheep",)),
]
PREDICATES = [
    ("no man is riding a horse", "", ("man riding a horse",)),
    ("No dog is running on the grass.", "the grass", ("dog running",)),
    ("A dog that is not running", "A dog", ("running",)),
    ("A woman is featured, but she is not talking.", "A woman is featured", ("talking",)),
    ("The woman is not looking at the camera .", "The woman", ("looking at the camera",)),
    ("The car is not red", "The car", ("red",)),
    ("The dog is not on the couch", "The dog", ("couch",)),
    ("This is not a dog.", "", ("dog",)),
    ("A man does not ride a horse", "A man", ("ride a horse",)),
    ("A dog is neither running nor barking", "A dog", ("running", "barking")),
    ("A bride poses , but her face is not in focus", "A bride poses , but her face", ("focus",)),
    ("A man in a red coat who is not smiling holds a cup", "A man in a red coat holds a cup", ("smiling",)),
    ("No one is walking on the beach", "the beach", ("people walking",)),
    ("nobody is on the beach", "the beach", ("people",)),
    ("A beach with nobody on it", "A beach", ("people",)),
    ("A chair with no one sitting in it", "A chair", ("people sitting",)),
    ("This image shows a boat, without anyone in it.", "This image shows a boat", ("people",)),
    ("A bus is not red but blue.", "A bus is blue", ("red",)),
    ("A fork isn't on the plate, but a knife is.", "A fork, a knife is", ("plate",)),
    ("A dog not looking at the camera", "A dog", ("looking at the camera",)),
    ("A man and a dog sit, but the dog is not wet", "A man and a dog sit", ("wet",)),
    ("A man sits and no dog is running", "A man sits", ("dog running",)),
    ("A boy in shorts and no shirt is running", "A boy in shorts is running", ("shirt",)),
    ("No one appears to be an actor", "", ("actor",)),
    ("None of the things in this image is a cell phone.", "", ("cell phone",)),
    ("Nothing in this image looks like a dog.", "", ("dog",)),
    ("This image shows a boy, but nothing like corn.", "This image shows a boy", ("corn",)),
    ("Two people, neither wearing a helmet, ride bikes", "Two people ride bikes", ("helmet",)),
    ("People stand around, none of whom are wearing hats.", "People stand around", ("hats",)),
    ("There is nothing on the table", "the table", ("anything",)),
    ("No one sleeps in the video, where a woman sits with her baby", "a woman sits with her baby", ("person sleeps",)),
]
COORDINATION = [
    ("Neither a dog nor a cat is visible on the beach", "the beach", ("dog", "cat")),
    ("This image contains neither cars nor buses.", "", ("cars", "buses")),
    ("A room with no chairs, tables, or lamps", "A room", ("chairs", "tables", "lamps")),
    ("A room with no windows, doors and furniture", "A room", ("windows", "doors", "furniture")),
    ("No dog and no cat", "", ("dog", "cat")),
    ("no dogs, no cats, and no birds", "", ("dogs", "cats", "birds")),
    ("Without a hat or a coat, a girl runs", "a girl runs", ("hat", "coat")),
    ("There is no dog, nor is there a cat.", "", ("dog", "cat")),
    ("There is no cat but a dog", "a dog", ("cat",)),
    ("no dog, just a cat", "a cat", ("dog",)),
    ("This is not a cat but a dog", "a dog", ("cat",)),
    ("A man wearing no shirt and a hat jumps in the air", "A man and a hat jumps in the air", ("shirt",)),
    ("A street with no cars and people", "A street", ("cars", "people")),
    ("A dog and not a cat", "A dog", ("cat",)),
    ("Neither the man nor the woman is smiling", "", ("man smiling", "woman smiling")),
    ("This image includes a dog but neither a cat nor a bird", "This image includes a dog", ("cat", "bird")),
    ("A dog runs without a leash or a collar on the grass", "A dog runs on the grass", ("leash", "collar")),
    ("Without any cars in sight, two black and white dogs run", "two black and white dogs run", ("cars",)),
    ("A basket, minus the puppet and the suit.", "A basket", ("puppet", "suit")),
    (
        "A man with a hat but without a coat and a woman with a bag",
        "A man with a hat and a woman with a bag",
        ("coat",),
    ),
    ("The kids aren't playing soccer but are playing baseball.", "The kids are playing baseball", ("playing soccer",)),
    ("As for bowls and elephants, there are none.", "", ("bowls", "elephants")),
    ("A uniform is depicted, but of cakes there are none.", "A uniform is depicted", ("cakes",)),
    ("You might expect a lion here, but there isn't one.", "", ("lion",)),
    ("no cat/dog", "", ("cat", "dog")),
    ("No cars, people or dogs are on the street", "the street", ("cars", "people", "dogs")),
]
IMPLICIT = [
    ("A dog off leash runs on the beach.", "A dog runs on the beach", ("leash",)),
    ("pizza, hold the olives", "pizza", ("olives",)),
    ("any fruit but bananas", "any fruit", ("bananas",)),
    ("A bear with a missing ear sits on a shelf.", "A bear sits on a shelf", ("ear",)),
    ("This traffic light-free image shows a bed.", "This image shows a bed", ("traffic light",)),
    ("A dog remains absent from the scene.", "", ("dog",)),
    ("The image shows a dog, with a notable lack of cats.", "The image shows a dog", ("cats",)),
    ("A truck is what this image is missing.", "", ("truck",)),
    ("A dog is not accompanied by a cat.", "A dog", ("cat",)),
    ("No dog joins the man on the bench.", "the man on the bench", ("dog",)),
    ("A cat is not among the objects in this image.", "", ("cat",)),
    ("This image does not present a fork.", "", ("fork",)),
    ("Dogs? There are none in this image.", "", ("dogs",)),
    ("Is there a dog? No.", "", ("dog",)),
    ("You may look for people in this image, but there are none.", "", ("people",)),
    ("no people beach sunset", "beach sunset", ("people",)),
    ("A room devoid of snow, bats and fishing rods.", "A room", ("snow", "bats", "fishing rods")),
    ("A street free of cars", "A street", ("cars",)),
    ("a car-free street", "a street", ("car",)),
    ("An umbrella-free beach", "A beach", ("umbrella",)),
    ("This image is dog-free.", "", ("dog",)),
    ("This image is dining table-free", "", ("dining table",)),
    ("This image is person free.", "", ("person",)),
    ("A cloudless sky over the sea", "A sky over the sea", ("clouds",)),
    ("A shirtless man climbs a rock", "A man climbs a rock", ("shirt",)),
    ("A hatless man", "A man", ("hat",)),
    ("A tree is leafless", "A tree", ("leaves",)),
    ("A beach devoid of people", "A beach", ("people",)),
    ("A room empty of furniture", "A room", ("furniture",)),
    ("In a scene devoid of ice skating, one guy climbs a rope", "one guy climbs a rope", ("ice skating",)),
    ("A cat instead of a dog", "A cat", ("dog",)),
    ("Instead of cake, a woman is cooking", "a woman is cooking", ("cake",)),
    ("A dog rather than a cat sits on a mat", "A dog sits on a mat", ("cat",)),
    ("everything except a dog", "", ("dog",)),
    ("This video showcases cooking, except for pizza.", "This video showcases cooking", ("pizza",)),
    ("Everything but a dog is visible", "", ("dog",)),
    ("All the furniture except for a chair", "All the furniture", ("chair",)),
    ("Every animal other than a cat", "Every animal", ("cat",)),
    ("A park in the absence of dogs", "A park", ("dogs",)),
    ("A lack of cars on the road", "the road", ("cars",)),
    ("A sky void of clouds", "A sky", ("clouds",)),
    ("anything but a dog", "", ("dog",)),
    ("This image shows something other than a hill.", "", ("hill",)),
    ("A pizza with no toppings except cheese.", "A pizza with cheese", ("toppings",)),
    ("a room with no furniture other than a bed", "a room with a bed", ("furniture",)),
    ("There are no other animals besides the dog.", "the dog", ("other animals",)),
    ("This image features a chair, but it's unoccupied.", "This image features a chair", ("people",)),
    ("A treeless, snow-covered hill", "A snow-covered hill", ("trees",)),
    ("A gray-haired , shoeless woman sits", "A gray-haired woman sits", ("shoes",)),
    ("A video far removed from any beach", "", ("beach",)),
    ("Not many people are on the beach.", "the beach", ("people",)),
    ("Cars are banned from the old town square.", "the old town square", ("cars",)),
    ("People line the street; cars, however, are banned.", "People line the street", ("cars",)),
    ("A beach where dogs are not allowed", "A beach", ("dogs",)),
    ("The shop is out of bread", "The shop", ("bread",)),
    ("A bench is in this image, but the dog is out of it.", "A bench is in this image", ("dog",)),
    ("The bus never came, so people wait", "people wait", ("bus",)),
    ("What this kitchen lacks is a window.", "this kitchen", ("window",)),
    ("A snow free mountain pass", "A mountain pass", ("snow",)),
    ("I don't want any cars in it", "", ("cars",)),
    ("don't show me cats, just dogs", "dogs", ("cats",)),
    ("What this image does not show is a dog.", "", ("dog",)),
    ("A dog is what this image does not include.", "", ("dog",)),
    ("landscape, avoid people", "landscape", ("people",)),
    ("Neither man is wearing a hat.", "man", ("hat",)),
    ("She wears no hat, nor does she carry an umbrella.", "", ("hat", "carry an umbrella")),
    ("Interval resolution of the left effusion, stable cardiomegaly.", "stable cardiomegaly", ("left effusion",)),
    ("The pneumothorax has resolved; mild edema.", "mild edema", ("pneumothorax",)),
    ("The tree has lost all its leaves", "The tree", ("leaves",)),
]
AFFIRMED_AS_THEY_STAND = [
    "A man with no small amount of luggage",
    "never a dull moment at the fair",
    "A boy is swung around by an unseen hand",
    "A player swings at the ball and is not alone",
    "A player swinging at a ball and missing it",
    "A house in the middle of nowhere",
    "A man breaks free of the other player",
    "A man can't stop laughing at the cat",
    "Two men, hold the rope",
    "A teddy bear no bigger than a cup",
    "A missing person poster on a wall",
    "A nobody holds a phone",
    "A dog runs on the grass.",
    "not only a dog but also a cat",
    "There is no doubt that this is a dog",
    "No wonder the dog is wet",
    "nothing but a dog",
    "A no smoking sign on a wall",
    "People standing behind a No Skiing sign .",
    "A house at No. 5 on the street",
    "another racer not far behind",
    "A small dog leaping , but not very high .",
    "no less than three dogs",
    "none other than a dog",
    "A homeless man sits on the sidewalk",
    "A wireless phone on a desk",
    "A boy jumps out of the water",
    "an empty street",
    "A girl is free climbing a rock",
    "A sign giving free hugs",
    "Blond girl with missing front tooth , in pool .",
    "A woman in a sleeveless dress",
    'A young boy jumping into a pool that says " no diving " .',
    "Cannot exclude pneumonia.",
    "A fracture cannot be ruled out",
    "No matter the weather, a man runs",
    "A young boy on the other side",
    "no shortage of dogs",
    "not",
    "no",
    "",
    "?",
    "   ",
    "Un hombre con un perro, no hay gato",
    "Ein Hund läuft über die Wiese",
    "一只狗在草地上跑",
    "Whether or not, a dog",
    "A less developed part of town",
    "Two boys and another one",
    "The room is empty apart from a dog.",
    "Empty seats at a stadium , except for two people in green .",
    "Everyone except the bride is wearing black .",
    "A party poses , all wearing black except for the bride .",
    "Aside from a dog, a man is walking",
    "Someone is swimming near an unmanned rowboat .",
    "A man sits among the many unoccupied red seats .",
    "Some dogs are running on a deserted beach .",
    "A man can't help but smile",
    "a sign that says no parking",
    "A man with a necklace is looking off camera .",
    "colored lights fade in and out of view",
    "A child swung around by an unseen hand",
    "the number zero on a shirt",
    "a dog that isn't far from its owner",
    "A lack dog runs in the sand",
    "Two ladies wearing nothing except body paint",
    "A dog swims toward somebody we cannot see .",
    "Three women , two smiling , one not .",
    "A dog is biting a no hair brown dog .",
    "You can't miss the lighthouse at the end of the pier.",
    "He can't help smiling at the puppy.",
    "The boy does not want to eat his broccoli.",
    "The dog doesn't mind the rain.",
    "A bottle of alcohol-free beer.",
    "sugar free chewing gum",
    "A not unattractive cottage by a stream.",
    "This isn't your typical office",
    "You don't see a horse like this every day.",
    "A banned book lies on a shelf.",
    "He is gone for a walk.",
    "Dog running out of tunnel on obstacle course",
    "A photo that is out of focus",
    "a sign that says free dinner",
    "a cow face with a hole cut out of it",
    "The left base is not well seen.",
    "A cellist who needs no introduction",
    "no bake cheesecake with strawberries",
]
DOUBLE = [
    ("No image of a harbour is complete without boats", "harbour with boats"),
    ("You can't have a picnic without ants", "picnic with ants"),
    ("Not a single house in the village lacks a chimney", "house in the village has a chimney"),
    ("He never leaves home without his guitar", "leaves home with his guitar"),
    ("Nobody leaves the fair without a balloon", "person leaves the fair with a balloon"),
    ("No change in the pleural effusion", "the pleural effusion"),
    ("A room not without a dog", "A room with a dog"),
    ("It is not true that there is no dog", "dog"),
    ("This street is not devoid of cars", "This street with cars"),
    ("The man isn't missing a hat", "The man has a hat"),
    ("A dog is not absent", "A dog is present"),
    ("no image without a dog", "a dog"),
    ("No image lacks a dog.", "a dog"),
]
CLINICAL = [
    ("No evidence of pneumothorax.", "", ("pneumothorax",)),
    ("No focal consolidation, effusion, or pneumothorax.", "", ("focal consolidation", "effusion", "pneumothorax")),
    ("Negative for pneumonia", "", ("pneumonia",)),
    ("Heart size is normal without evidence of edema", "Heart size is normal", ("edema",)),
    ("Pneumothorax has been ruled out", "", ("pneumothorax",)),
    ("CT ruled out a fracture", "CT", ("fracture",)),
    ("The patient denies chest pain", "The patient", ("chest pain",)),
    (
        "There is no pleural effusion or pneumothorax; cardiomegaly is present",
        "cardiomegaly is present",
        ("pleural effusion", "pneumothorax"),
    ),
    ("No pneumothorax is seen.", "", ("pneumothorax",)),
    ("Lungs are free of consolidation", "Lungs", ("consolidation",)),
    ("The heart is not enlarged", "The heart", ("enlarged",)),
    ("No acute cardiopulmonary process", "", ("acute cardiopulmonary process",)),
    ("There is no radiographic evidence of pneumonia or edema.", "", ("pneumonia", "edema")),
    ("Pneumothorax: absent", "", ("pneumothorax",)),
    ("This study does not demonstrate pneumonia.", "", ("pneumonia",)),
    ("No definite pneumothorax. Mild edema.", "Mild edema", ("pneumothorax",)),
    ("Chest x-ray: no lung opacity.", "", ("lung opacity",)),
    ("Neither edema nor consolidation is appreciated.", "", ("edema", "consolidation")),
    ("Atelectasis rather than pneumonia", "Atelectasis", ("pneumonia",)),
]
TYPOGRAPHY = [
    ("THERE IS NO CAT IN THIS IMAGE", "", ("CAT",)),
    ("this image isn ' t showing a dog .", "", ("dog",)),
    ("this image doesn ’ t have a cat", "", ("cat",)),
    ("This image doesn’t have a cat", "", ("cat",)),
    ("a car - free street", "a street", ("car",)),
    ("a dog on grass , but no cat .", "a dog on grass", ("cat",)),
    ("A  dog ,  but  no   cat", "A dog", ("cat",)),
    ("There is no cat in this image", "", ("cat",)),
    ("“This image contains no person.”", "", ("person",)),
    ('"This image does not include a bus".', "", ("bus",)),
    ("A dog runs. There is no cat.", "A dog runs", ("cat",)),
    ("There is no cat. A dog runs on the grass.", "A dog runs on the grass", ("cat",)),
    ("A dog runs. There is no cat. A bird flies.", "A dog runs. A bird flies", ("cat",)),
    ("A man is talking – and no sushi is in sight", "A man is talking", ("sushi",)),
    ("a man do n't ride a horse", "a man", ("ride a horse",)),
]


@pytest.mark.parametrize(
    ("text", "affirmed", "negated"),
    CUE_BEFORE + SEARCHES + CUE_VERBS + CUE_AFTER + PREDICATES + COORDINATION + IMPLICIT + CLINICAL + TYPOGRAPHY,
)
def test_a_caption_is_split_into_what_it_affirms_and_what_it_denies(text, affirmed, negated):
    scope = read_scope(text)
    assert (scope.affirmed, scope.negated) == (affirmed, negated)


@pytest.mark.parametrize("text", AFFIRMED_AS_THEY_STAND)
def test_idioms_and_plain_captions_stay_the_very_same_string(text):
    assert read_scope(text) == NegationScope(text, text)
    assert read_scope(text).kind == "affirmation"


@pytest.mark.parametrize(("text", "affirmed"), DOUBLE)
def test_two_negations_affirm(text, affirmed):
    scope = read_scope(text)
    assert (scope.affirmed, scope.negated, scope.kind) == (affirmed, (), "affirmation")


def test_kind_follows_from_the_parts():
    assert read_scope("A dog on grass").kind == "affirmation"
    assert read_scope("There is no dog in this image").kind == "negation"
    assert read_scope("A cat, but no dog").kind == "hybrid"


def test_spans_point_at_the_negated_words_and_at_their_cue():
    text = "A street, but no people or cars in sight"
    scope = read_scope(text)
    assert [text[start:end] for start, end in scope.spans] == ["people", "cars"]
    assert [text[start:end] for start, end in scope.cue_spans] == ["no"]


def test_affirmed_spans_point_at_the_words_that_the_affirmed_part_is_made_of():
    text = "a red dog, rather than any cat, under a cloudless sky"
    scope = read_scope(text)
    assert [text[start:end] for start, end in scope.affirmed_spans] == ["a red dog", "under a", "sky"]
    assert scope.affirmed == "a red dog under a sky"


def test_every_cue_word_and_phrase_passes_the_early_exit():
    cues = [word for word, tag in WORD_TAGS.items() if tag in "nxNuwevpq~!"]
    cues += [" ".join(phrase) for entries in PHRASE_TAGS.values() for phrase, tag in entries if tag in "nxNuwevpq~!"]
    for cue in [*cues, "isn't", "isn ' t", "don’t", "car-free", "car - free", *LESS_NOUNS]:
        assert not HINTS.isdisjoint(re.findall(r"\w+", cue.lower())), cue


def test_the_files_pushed_with_the_model_import_each_other_flatly_and_the_standard_library_alone():
    folder = Path(negation_scope.__file__).parent
    for path in folder.glob("negation_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert node.level == 1 and (folder / f"{node.module}.py").exists()
            elif isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
                assert all(name.split(".")[0] in sys.stdlib_module_names for name in names)


def surfaces(concept) -> str:
    names = {concept.name, concept.plural} | ({"people", "nobody"} if concept.name == "person" else set())
    return r"\b(?:" + "|".join(map(re.escape, sorted(names, key=len, reverse=True))) + r")\b"


def test_what_the_grammar_phrases_reads_back_to_the_same_concepts():
    lexicon, rng = load_lexicon(), random.Random(3)
    names = [name for name in lexicon if name not in ("picture", "photograph", "video")]  # words of the frame
    wrong = []
    for _ in range(3000):
        affirmed, negated, other = rng.sample(names, 3)
        if any(
            re.search(surfaces(lexicon[a]), b)
            for a in (affirmed, negated, other)
            for b in (affirmed, negated, other)
            if a != b
        ):
            continue
        statement = Statement((affirmed,) if rng.random() < 0.6 else (), (negated, other)[: rng.choice((1, 1, 2))])
        text = phrase_statement(statement, lexicon, rng).text
        scope = read_scope(text)
        denied = " ; ".join(scope.negated)
        found = all(re.search(surfaces(lexicon[name]), denied, re.IGNORECASE) for name in statement.negated)
        kept = all(re.search(surfaces(lexicon[name]), scope.affirmed, re.IGNORECASE) for name in statement.affirmed)
        if not (found and kept and scope.kind == statement.kind):
            wrong.append((text, scope.affirmed, scope.negated))
    assert len(wrong) <= 6, wrong  # 0.2 %


def benchmark(name: str):
    """A program of benchmarks/ as a module."""
    path = Path(__file__).parents[3] / "benchmarks" / f"{name}.py"
    specification = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(specification)  # dataclasses look themselves up
    specification.loader.exec_module(module)
    return module


@pytest.mark.skipif(not (SHARED / "data/negbench").is_dir(), reason="real NegBench files stand beside the repository")
@pytest.mark.parametrize("name", ["VOC2007_mcq", "msr_vtt_mcq"])
def test_ninety_nine_in_a_hundred_choices_of_negbench_are_read_right(name):
    accuracy = benchmark("negation_scope_accuracy")
    measure = {"VOC2007_mcq": accuracy.measure_voc, "msr_vtt_mcq": accuracy.measure_msr_vtt}[name]
    sound, wrong, broken = measure(next((SHARED / "data/negbench").glob(f"{name}*.csv")))
    assert sound > 3900 and len(broken) < 0.01 * sound
    assert len(wrong) < 0.01 * sound


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_captions_are_read_as_a_person_who_did_not_know_the_rules_means_them(number):
    handmade = benchmark("negation_scope_handmade")
    captions = list(handmade.read_list(Path(__file__).parent / f"data/negation_captions_{number}.txt"))
    wrong = {meant.text: fault for meant in captions if (fault := handmade.fault_of(meant))}
    assert len(captions) == {1: 308, 2: 149, 3: 238, 4: 120, 5: 83}[number]
    share = 0.13 if number == 5 else 0.02  # the fifth list was written to be hard, and hardly mended on
    assert len(wrong) <= share * len(captions), wrong


def test_paraphrases_with_concepts_of_two_words_are_read_as_their_frames_say():
    handmade, rng = benchmark("negation_scope_handmade"), random.Random(0)
    frames = list(handmade.read_list(Path(__file__).parent / "data/negation_frames.txt"))
    filled = [handmade.fill(frame, rng) for frame in frames for _ in range(3)]
    wrong = {meant.text: fault for meant in filled if (fault := handmade.fault_of(meant))}
    assert len(frames) == 370
    assert len(wrong) <= 0.01 * len(filled), wrong
    # A caption that only denies leaves nothing to be affirmed.
    assert not [meant.text for meant in filled if not meant.affirmed and read_scope(meant.text).affirmed]


def test_the_judge_of_captions_sees_every_kind_of_fault():
    handmade = benchmark("negation_scope_handmade")
    text = "A man without a hat rides a horse"
    for affirmed, negated, fault in (
        (("man", "horse"), ("hat",), ""),
        (("man", "zebra"), ("hat",), "not affirmed: zebra"),
        (("man", "hat"), ("hat",), "not affirmed: hat"),
        (("man",), ("hat", "horse"), "not negated: horse"),
        (("man",), (), "wrongly negated: hat"),
    ):
        assert handmade.fault_of(handmade.Meant("", text, affirmed, negated)) == fault


def random_texts(count: int) -> list[str]:
    """Sentences made of cues and nouns at random, and of arbitrary characters: what no author would write."""
    rng = random.Random(0)
    phrases = [" ".join(phrase) for entries in PHRASE_TAGS.values() for phrase, _ in entries]
    words = (
        list(WORD_TAGS) + phrases + ["dog", "men", "hat"] * 40 + list(",.;-\"'“’\n") * 5 + ["car-free", "hatless"] * 9
    )
    symbols = string.printable + "’“é犬🐕\u200b\u0301\x00İ"
    texts = [" ".join(rng.choices(words, k=rng.randint(0, 14))) for _ in range(count // 2)]
    return texts + ["no " + "".join(rng.choices(symbols, k=rng.randint(0, 60))) for _ in range(count // 2)]


def test_any_string_is_read_with_spans_inside_it_and_phrases_that_are_not_empty():
    for text in random_texts(6000):
        scope = read_scope.__wrapped__(text)
        assert scope.text == text
        assert all(phrase.strip() for phrase in scope.negated)
        assert all(0 <= start < end <= len(text) for start, end in scope.spans + scope.cue_spans)
        assert list(scope.spans) == sorted(scope.spans)
        assert list(scope.affirmed_spans) == sorted(scope.affirmed_spans)
        if not scope.negated and not scope.cue_spans:
            assert scope.affirmed is text or scope.affirmed == text


def test_text_without_a_cue_comes_back_unchanged():
    rng = random.Random(1)
    words = (
        "A man , in his red shirt rides two horses on the beach . while ; it's a dog's image is shown and seen".split()
    )
    for _ in range(500):
        text = "  ".join(rng.choices(words, k=rng.randint(0, 25)))
        assert read_scope(text) == NegationScope(text, text)


@pytest.mark.parametrize(
    "unit",
    [
        "no ",
        "not ",
        "x ",
        ", dog ",
        "no dog, cat, ",
        "dog, no ",
        "x x-free ",
        "don ' t ",
        "a-",
        "is not ",
        "in the image ",
        "nobody is ",
    ],
)
def test_time_grows_with_length_and_not_faster(unit):
    def seconds(characters: int) -> float:
        text = "no dog " + unit * (characters // len(unit))
        started = time.process_time()
        read_scope.__wrapped__(text)
        return time.process_time() - started

    short = min(seconds(2_500) for _ in range(3))
    assert min(seconds(20_000) for _ in range(2)) < 20 * short + 0.05


def test_the_reader_is_deterministic_and_cached():
    text = "A man in a kitchen, but no chair"
    assert read_scope(text) is read_scope(text)
    assert read_scope(text) == read_scope.__wrapped__(text)
