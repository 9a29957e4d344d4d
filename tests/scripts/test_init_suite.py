"""`notclip init-suite`: from nothing to a suite, in less than a second."""

from notclip.scripts import init_suite


def test_it_says_what_it_wrote_and_what_to_do_next(tmp_path, capsys):
    folder = tmp_path / "mine"
    assert init_suite.main([str(folder)]) == 0
    printed = capsys.readouterr().out
    assert f"Edit {folder / 'suite.yaml'}, then:" in printed
    assert f"--suite {folder}" in printed
    assert (folder / "README.md").read_text().count(str(folder)) >= 3
    assert init_suite.main([str(folder)]) == 2
    assert "holds suite.yaml: edit it, or name another folder" in capsys.readouterr().err
    assert init_suite.main([str(folder / "README.md")]) == 2
    assert "must be a folder" in capsys.readouterr().err
