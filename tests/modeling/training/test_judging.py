import pytest
import torch

from notclip.training.data import Caption, Question, TrainingSplit
from notclip.training.held_out import LEAST_QUESTIONS, find_domain, hold_out
from notclip.training.judging import Judged, joined
from notclip.training.validation import gain

START = {"macro_accuracy": 0.5, "recall_at_5": 0.4, "away_macro_accuracy": 0.5, "away_recall_at_5": 0.4}


def gained(**now: float) -> float:
    return gain(START, START | now, recall_tolerance=0.01)


def test_a_gain_is_the_mean_of_home_and_away():
    assert gained(macro_accuracy=0.6, away_macro_accuracy=0.7) == pytest.approx(0.15)


def test_what_helps_at_home_and_hurts_away_is_worth_less_than_nothing():
    assert gained(macro_accuracy=0.9, away_macro_accuracy=0.499) == -1
    assert gained(macro_accuracy=0.499, away_macro_accuracy=0.9) == -1


@pytest.mark.parametrize("place", ["", "away_"])
def test_ordinary_search_may_be_lost_neither_at_home_nor_away(place):
    better = {"macro_accuracy": 0.6, "away_macro_accuracy": 0.6}
    assert gained(**better, **{f"{place}recall_at_5": 0.391}) == pytest.approx(0.1)
    assert gained(**better, **{f"{place}recall_at_5": 0.389}) == -1


def world(photos: int) -> Judged:
    """Photos of two kinds that lie far apart, each with a caption, a query and a group of two questions."""
    water = torch.arange(photos) % 4 == 0
    noise = 0.05 * torch.randn(photos, 8, generator=torch.Generator().manual_seed(photos))
    middle = torch.where(water[:, None], torch.eye(8)[0], torch.eye(8)[1])
    names = ["water" if kind else "street" for kind in water]
    split = TrainingSplit(
        [b""] * photos,
        [b""] * photos,
        [Caption(image, name, ()) for image, name in enumerate(names)],
        [[Question(i, ("a", "b"), 0, "affirmation"), Question(i, ("b", "a"), 0, "hybrid")] for i in range(photos)],
        [(name, image) for image, name in enumerate(names)],
    )
    return Judged(split, torch.nn.functional.normalize(middle + noise, dim=-1))


def test_a_held_out_domain_is_nowhere_in_what_is_learnt_from_and_all_of_what_judges_away():
    train, validation = world(800), world(400)
    embeds = train.image_embeds
    seed = next(seed for seed in range(50) if 0 in find_domain(embeds, share=0.2, seed=seed).photos(embeds))
    kept, home, away = hold_out(train, validation, share=0.2, seed=seed)
    assert {caption.text for caption in away.captions} == {"water"} and len(away.questions) >= LEAST_QUESTIONS
    held = find_domain(embeds, share=0.2, seed=seed).photos(embeds)
    for learnt in (kept.captions, kept.questions):
        assert held.isdisjoint(item.image for item in learnt)
    images = [{question.image for question in split.questions} for split in (home, away)]
    assert images[0].isdisjoint(images[1]) and len(images[0] | images[1]) == 400
    assert 0.1 < len(held) / 800 < 0.3


def test_too_few_photos_hold_nothing_out():
    train, validation = world(60), world(40)
    assert hold_out(train, validation, share=0.1, seed=0) == (train.split, validation.split, None)


def test_splits_that_are_joined_keep_what_is_said_of_each_photo():
    first, second = world(5).split, world(3).split
    both = joined([first, second])
    assert len(both.image_bytes) == 8
    assert [caption.image for caption in both.captions] == list(range(8))
    assert [caption.text for caption in both.captions[5:]] == [caption.text for caption in second.captions]
    assert [question.image for question in both.questions] == [i for i in range(8) for _ in range(2)]
    assert both.negated_queries[5:] == [(query, image + 5) for query, image in second.negated_queries]
