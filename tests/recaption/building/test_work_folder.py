"""Records of a build that a machine which died, or somebody else, left otherwise than they were written."""

import pytest

from notclip.errors import BadInputError
from notclip.recaption.building.builder import build_dataset
from notclip.recaption.building.config import BuildConfig


def build(tmp_path):
    return build_dataset(BuildConfig(source=str(tmp_path / "none"), out=tmp_path / "data", progress=False))


@pytest.mark.parametrize("plan", ["[]", "{}", "null", '{"fingerprint": 3}'])
def test_a_plan_of_nothing_is_no_beginning_of_this_build(tmp_path, plan):
    (tmp_path / ".data.unfinished").mkdir()
    (tmp_path / ".data.unfinished" / "plan.json").write_text(plan)
    with pytest.raises(BadInputError, match=r"`source` .*neither .*file nor .*folder"):
        build(tmp_path)


def test_a_plan_that_is_no_json_is_named(tmp_path):
    (tmp_path / ".data.unfinished").mkdir()
    (tmp_path / ".data.unfinished" / "plan.json").write_text("{")
    with pytest.raises(BadInputError, match=r"plan\.json .*not what was written"):
        build(tmp_path)
