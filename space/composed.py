"""A composition for a base that was never trained: statistics of the photos, and scalars fitted on drawn scenes."""

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from notclip.errors import BadInputError
from notclip.files.derived import derived_key
from notclip.files.json_files import check_record, read_json_object
from notclip.files.whole_files import write_whole
from notclip.fingerprints import image_tower_fingerprint, text_fingerprint
from notclip.remote.composition_notclip import image_statistics
from notclip.remote.configuration_notclip import COMPOSITION_SCALARS
from notclip.remote.modeling_notclip import NotClipModel
from notclip.scoring.suites.suite import open_suite_photo
from notclip.space.photo_set import DRAWN_WORLD, PhotoSet
from notclip.training.calibration import fit_composition
from notclip.training.data import TrainingQuestion

FITTED_ON = 160
ITERATIONS = 30


def compose_base(model: NotClipModel, embeds: NDArray[np.float32], photos: PhotoSet, cache: Path) -> None:
    """Give a base without its NotCLIP a composition that fits it.

    Its image statistics are those of the photos. Where these are drawn, its scalars are fitted on other drawn scenes,
    of the validation split, once; elsewhere they are the defaults.

    Args:
        model: the base as a NotClipModel; changed in place.
        embeds: the photos' embeddings by it, shape (N, D).
        photos: what is searched.
        cache: where the scalars are kept.
    """
    if photos.source == DRAWN_WORLD:
        made_of = [image_tower_fingerprint(model), text_fingerprint(model)]
        key = derived_key(__name__, of=made_of, libraries=("numpy", "pillow", "torch"))
        file = cache / f"composed-{key}.json"
        if not _read(file, model):
            fit(model)
            write_whole(file, json.dumps({name: getattr(model.config, name) for name in COMPOSITION_SCALARS}))
    model.set_statistics(image_statistics(torch.from_numpy(np.array(embeds))))


def _read(file: Path, model: NotClipModel) -> bool:
    """Take the scalars that an earlier start kept; False where there are none, or they were damaged since."""
    try:
        kept = read_json_object(file)
        check_record(kept, dict.fromkeys(COMPOSITION_SCALARS, float), "")
    except BadInputError:
        return False
    for name in COMPOSITION_SCALARS:
        setattr(model.config, name, kept[name])
    return True


def fit(model: NotClipModel) -> None:
    """Fit the composition on drawn scenes."""
    from notclip.space.drawn_photos import draw_photos

    photos = draw_photos(FITTED_ON, split="validation")
    row = {name: number for number, name in enumerate(photos.ids)}
    embeds = model.encode_images([open_suite_photo(photos.photo(name)) for name in photos.ids]).float().cpu()
    model.set_statistics(image_statistics(embeds))
    questions = [TrainingQuestion(row[q.image_id], q.choices, q.answer, q.kind) for q in photos.suite.questions]
    queries = [(query.text, row[query.image_id]) for query in photos.suite.negated_queries]
    fit_composition(model, embeds, questions, queries, iterations=ITERATIONS)
