import json
import os

import pytest

from notclip.errors import BadInputError
from notclip.space.settings import ENCODER, ModelName, read_settings


def test_without_files_and_variables_the_embedded_default_is_shown(tmp_path):
    settings = read_settings(tmp_path, {})
    assert settings.base.name == str(ENCODER) and settings.model is None and settings.photos == "drawn-world"


def test_a_pushed_space_loads_the_released_models_by_their_revisions(tmp_path):
    released = {"base": {"id": "me/base", "revision": "a1"}, "model": {"id": "me/ours", "revision": "b2"}}
    (tmp_path / "release.json").write_text(json.dumps(released))
    settings = read_settings(tmp_path, {})
    assert settings.base == ModelName("me/base", "a1") and settings.model == ModelName("me/ours", "b2")
    assert settings.model.url == "https://huggingface.co/me/ours"


def test_the_environment_comes_before_the_files_and_another_base_leaves_the_released_model_out(tmp_path):
    released = {"base": {"id": "me/base"}, "model": {"id": "me/ours"}}
    (tmp_path / "release.json").write_text(json.dumps(released))
    variables = {"BASE": "you/clip@main", "MODELS": "a/b@c, d/e", "SUITES": os.pathsep.join(("x.csv", "y"))}
    settings = read_settings(tmp_path, {f"NOTCLIP_SPACE_{name}": value for name, value in variables.items()})
    assert settings.base == ModelName("you/clip", "main") and settings.model is None
    assert settings.models == (ModelName("a/b", "c"), ModelName("d/e"))
    assert [path.name for path in settings.suites] == ["x.csv", "y"]


def test_a_misspelt_variable_is_named(tmp_path):
    with pytest.raises(BadInputError, match="NOTCLIP_SPACE_PHOTO is no setting"):
        read_settings(tmp_path, {"NOTCLIP_SPACE_PHOTO": "x"})


def test_a_folder_that_is_no_stage_is_refused(tmp_path):
    with pytest.raises(BadInputError, match=r"without manifest\.json"):
        read_settings(tmp_path, {"NOTCLIP_SPACE_RELEASE": str(tmp_path)})
