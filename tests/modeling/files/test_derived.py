from pathlib import Path

import pytest

from notclip.files.derived import code_digest, derived_key, folder_digest, script_digest
from notclip.recaption.concepts import lexicon

WRITER = "notclip.recaption.drawn_world.write"


@pytest.mark.parametrize("changed", [WRITER, "notclip.recaption.drawn_world.pen", "notclip.errors"])
def test_a_step_whose_own_or_imported_code_changed_has_another_key(changed, change_code):
    before = derived_key(WRITER, of=None)
    assert derived_key(WRITER, of=None) == before
    change_code(changed)
    assert derived_key(WRITER, of=None) != before


def test_code_that_a_step_does_not_use_leaves_its_key_alone(change_code):
    before = derived_key(WRITER, of=None)
    change_code("notclip.remote.negation_scope")
    assert derived_key(WRITER, of=None) == before


def test_what_a_module_imports_inside_a_function_counts(change_code):
    before = derived_key("notclip.recaption.sources.opening", of=None)  # imports the drawn world where it is asked for
    change_code(WRITER)
    assert derived_key("notclip.recaption.sources.opening", of=None) != before


def test_a_data_file_that_a_module_names_counts(change_code):
    before = derived_key("notclip.recaption.concepts.lexicon", of=None)
    change_code(lexicon.LEXICON_FILE)
    assert derived_key("notclip.recaption.concepts.lexicon", of=None) != before


def test_modules_set_apart_do_not_count(change_code):
    apart = ("notclip.recaption.drawn_world.pen",)
    before = derived_key(WRITER, of=None, apart_from=apart)
    change_code("notclip.recaption.drawn_world.pen")
    assert derived_key(WRITER, of=None, apart_from=apart) == before


def test_other_options_and_versions_of_libraries_make_another_key(monkeypatch):
    keys = {derived_key(WRITER, of={"seed": seed}, libraries=("pillow",)) for seed in (0, 1)}
    monkeypatch.setattr("notclip.files.derived.version", lambda library: "99")
    keys.add(derived_key(WRITER, of={"seed": 0}, libraries=("pillow",)))
    assert len(keys) == 3


def test_a_key_is_the_same_in_every_process_and_needs_no_heavy_import():
    import subprocess
    import sys

    program = (
        "import sys; from notclip.files.derived import code_digest; print(code_digest(('notclip.scoring.run',)))"
        ";"
        "sys.exit(len({'torch', 'transformers'} & set(sys.modules)))"
    )
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == code_digest(("notclip.scoring.run",))


def test_a_script_counts_with_what_it_imports_from_its_folder(tmp_path: Path):
    (tmp_path / "model.py").write_text("import json\nfrom parts import helper\n")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "__init__.py").write_text("")
    (tmp_path / "parts" / "helper.py").write_text("SCALE = 1\n")
    (tmp_path / "other.py").write_text("")
    before = script_digest(tmp_path / "model.py")
    (tmp_path / "other.py").write_text("changed")
    assert script_digest(tmp_path / "model.py") == before
    (tmp_path / "parts" / "helper.py").write_text("SCALE = 2\n")
    assert script_digest(tmp_path / "model.py") != before


def test_a_folder_is_told_by_names_and_content_not_by_times(tmp_path: Path):
    (tmp_path / "a").write_text("one")
    before = folder_digest(tmp_path)
    (tmp_path / "a").touch()
    assert folder_digest(tmp_path) == before
    (tmp_path / "a").rename(tmp_path / "b")
    renamed = folder_digest(tmp_path)
    (tmp_path / "b").write_text("two")
    assert len({before, renamed, folder_digest(tmp_path)}) == 3
