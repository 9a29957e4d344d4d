import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from notclip.errors import BadInputError
from notclip.recaption.absences.facts import Evidence, ImageFacts
from notclip.recaption.concepts.lexicon import load_lexicon
from notclip.recaption.english.phrasing import HELD_OUT_FORMS, Phrase, load_phrasebook
from notclip.recaption.questions.designs import designs, parse_design
from notclip.recaption.questions.fact_table import FactTable
from notclip.recaption.questions.questions import PER_IMAGE, build_questions, require_counterbalance

LEXICON = load_lexicon()


def holds(fact, affirmed, negated):
    """The slow, obvious truth of a statement about an image: True, False, or None where that is unknown."""
    if all(name in fact.present for name in affirmed) and all(name in fact.absent for name in negated):
        return True
    if any(name in fact.absent for name in affirmed) or any(name in fact.present for name in negated):
        return False
    return None


class Plainly:
    """Says a statement so that the test can read it back."""

    def phrase_statement(self, statement, lexicon, rng):
        return Phrase(f"{','.join(statement.affirmed)}|{','.join(statement.negated)}", "plain", "plain")


def read_back(text):
    return [tuple(filter(None, part.split(","))) for part in text.split("|")]


@pytest.mark.parametrize("choices", range(2, 9))
def test_each_statement_of_a_design_is_the_only_true_one_of_some_world(choices):
    for design in designs(choices):
        assert len(design.statements) == choices
        worlds = itertools.product([True, False], repeat=design.concepts)
        alone = set()
        for world in worlds:
            true = [
                index
                for index, statement in enumerate(design.statements)
                if all(world[i] for i in statement.affirmed) and not any(world[i] for i in statement.negated)
            ]
            if len(true) == 1:
                alone.add(true[0])
        assert alone == set(range(choices)), design


def test_a_design_is_read_from_its_line():
    design = parse_design("X -Y | Y")
    assert [(statement.affirmed, statement.negated) for statement in design.statements] == [((0,), (1,)), ((1,), ())]
    assert design.concepts == 2 and design.kinds == ("hybrid", "affirmation")


def test_no_design_has_nine_choices():
    with pytest.raises(ValueError, match="between 2 and 8, got 9"):
        designs(9)


def test_the_only_true_images_agree_with_the_obvious_way_of_finding_them(made_up_facts):
    facts = made_up_facts(60, unknown=0.3, seed=3)
    table = FactTable(facts, LEXICON)
    names = table.names
    rng = np.random.default_rng(0)
    for design in (design for choices in (2, 3, 4, 5) for design in designs(choices)):
        concepts = rng.choice(len(names), size=design.concepts, replace=False)
        found = table.only_true(design.statements, concepts)
        for row, column in itertools.product(range(len(design.statements)), range(len(facts))):
            truths = [
                holds(facts[column], [names[concepts[i]] for i in s.affirmed], [names[concepts[i]] for i in s.negated])
                for s in design.statements
            ]
            expected = [index == row for index in range(len(truths))]
            assert found[row, column] == (truths == expected)


@pytest.mark.parametrize(("choices", "unknown"), [(2, 0.0), (3, 0.2), (4, 0.0), (4, 0.2), (5, 0.0), (8, 0.0)])
def test_exactly_the_answer_is_true_of_the_image(choices, unknown, made_up_facts):
    facts = made_up_facts(400, unknown=unknown)
    by_id = {fact.image_id: fact for fact in facts}
    questions = build_questions(FactTable(facts, LEXICON), count=200, choices=choices, phrasebook=Plainly())
    assert len(questions) >= 200
    for question in questions:
        truths = [holds(by_id[question.image_id], *read_back(choice)) for choice in question.choices]
        assert truths == [index == question.answer for index in range(choices)]


def test_each_choice_text_is_the_answer_once_a_group_and_each_position_too(made_up_facts):
    questions = build_questions(FactTable(made_up_facts(), LEXICON), count=400)
    require_counterbalance(questions)
    for _, group in itertools.groupby(questions, key=lambda question: question.group):
        group = list(group)
        assert len({frozenset(question.choices) for question in group}) == 1
        assert {question.choices[question.answer] for question in group} == set(group[0].choices)
        assert sorted(question.answer for question in group) == [0, 1, 2, 3]


def test_whatever_reads_only_the_texts_scores_exactly_chance(made_up_facts):
    questions = build_questions(FactTable(made_up_facts(), LEXICON), count=400)
    for taste in (len, hash, lambda text: -text.count("no"), lambda text: text[::-1]):
        right = sum(
            max(question.choices, key=lambda text: (taste(text), text)) == question.choices[question.answer]
            for question in questions
        )
        assert right / len(questions) == 0.25


def test_kinds_are_about_a_third_each_and_stand_with_their_texts(made_up_facts):
    questions = build_questions(FactTable(made_up_facts(600), LEXICON), count=1200, phrasebook=Plainly())
    shares = Counter(question.kind for question in questions)
    assert all(0.28 < shares[kind] / len(questions) < 0.39 for kind in ("affirmation", "negation", "hybrid"))
    for question in questions:
        for text, kind in zip(question.choices, question.choice_kinds, strict=True):
            affirmed, negated = read_back(text)
            assert kind == ("affirmation" if not negated else "hybrid" if affirmed else "negation")


def test_no_image_and_no_concept_is_used_too_often(made_up_facts):
    questions = build_questions(FactTable(made_up_facts(), LEXICON), count=800)
    assert max(Counter(question.image_id for question in questions).values()) <= PER_IMAGE


def test_incompatible_concepts_never_meet_in_a_question(made_up_facts):
    names = ("dog", "animal", "cat", "man", "person", "woman", "tree", "ball", "car", "vehicle")
    table = FactTable(made_up_facts(400, names=names, unknown=0.1), LEXICON)
    questions = build_questions(table, count=300, phrasebook=Plainly())
    for question in questions:
        used = {name for text in question.choices for part in read_back(text) for name in part}
        assert all(LEXICON.compatible(a, b) for a, b in itertools.combinations(used, 2))


def test_contenders_make_questions_harder(made_up_facts, monkeypatch):
    """The more images compete, the more at home the absent concepts would have been in the one taken."""

    def mean_plausibility(contenders):
        monkeypatch.setattr("notclip.recaption.questions.questions.CONTENDERS", contenders)
        facts = made_up_facts(500)
        questions = build_questions(FactTable(facts, LEXICON), count=400, seed=1)
        chosen = Counter(question.image_id for question in questions)
        plausible = {f.image_id: np.mean([evidence.plausibility for evidence in f.absent.values()]) for f in facts}
        return np.average([plausible[image] for image in chosen], weights=list(chosen.values()))

    assert mean_plausibility(8) > mean_plausibility(1)


def test_the_same_seed_builds_the_same_questions(made_up_facts):
    table = FactTable(made_up_facts(), LEXICON)
    assert build_questions(table, count=80, seed=7) == build_questions(table, count=80, seed=7)
    assert build_questions(table, count=80, seed=7) != build_questions(table, count=80, seed=8)


def test_held_out_forms_stay_out_where_they_are_not_allowed(made_up_facts):
    table = FactTable(made_up_facts(), LEXICON)
    questions = build_questions(table, count=400, phrasebook=load_phrasebook().of_split("train"))
    assert not {form for question in questions for form in question.choice_forms} & HELD_OUT_FORMS


def test_facts_without_a_group_are_refused_with_what_to_do():
    alike = [ImageFacts(str(n), (), frozenset({"dog"}), {"cat": Evidence("annotation")}) for n in range(50)]
    with pytest.raises(BadInputError, match="at least 2 concepts"):
        build_questions(FactTable(alike, LEXICON))
    two = [
        ImageFacts("0", (), frozenset({"dog"}), {"cat": Evidence("annotation")}),
        ImageFacts("1", (), frozenset({"cat"}), {"dog": Evidence("annotation")}),
    ]
    with pytest.raises(BadInputError, match="allow no group of 4"):
        build_questions(FactTable(two, LEXICON), choices=4)
    assert len(build_questions(FactTable(two, LEXICON), choices=2)) == 2


def test_a_group_that_lost_a_question_is_refused(made_up_facts):
    questions = build_questions(FactTable(made_up_facts(), LEXICON), count=40)
    with pytest.raises(BadInputError, match=f"{questions[0].group}.*whole groups"):
        require_counterbalance(questions[1:])
    with pytest.raises(BadInputError, match="different choices"):
        require_counterbalance([replace(questions[0], choices=("a", "b", "c", "d")), *questions[1:]])
