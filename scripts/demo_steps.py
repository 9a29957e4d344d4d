"""Which steps of a demo are done, and of what: a step whose code, options or input changed is done again."""

import shutil
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from notclip.errors import BadInputError
from notclip.files.derived import derived_key, file_digest, folder_digest
from notclip.files.json_files import check_record, read_json_object
from notclip.files.only_writer import only_writer
from notclip.files.whole_files import clear_partials
from notclip.recaption.building.work_folder import write_work_file

_LIBRARIES = ("numpy", "peft", "pillow", "scikit-learn", "tokenizers", "torch", "transformers")
_KEPT = "cache"  # of a training run: embeddings, under keys of their own


class DemoSteps:
    """The steps of one demo, remembered in OUT/demo.json with the key of what each was made of.

    Args:
        out: the demo's folder.
        options: the demo's options, by name.
        folders: names of what its steps make in `out`.

    Raises:
        BadInputError: `out` holds a demo of other options or of an earlier version, or what no demo left there.
    """

    def __init__(self, out: Path, options: Mapping[str, str | None], *, folders: tuple[str, ...]) -> None:
        self._file = out / "demo.json"
        self._remembered: dict[str, Any] = {"options": dict(options), "steps": {}}
        if self._file.exists():
            self._remembered = _goes_on(out, read_json_object(self._file, "The demo's record"), options)
        elif there := [name for name in folders if (out / name).exists()]:
            raise BadInputError(
                f"`out` {out} holds {there[0]}, which no demo left there: name another folder, or remove it."
            )
        out.mkdir(parents=True, exist_ok=True)
        self._write()

    def run(
        self,
        title: str,
        script: str,
        arguments: list[str],
        *,
        code: str,
        made_of: Any,
        makes: Path,
        done: Path,
        work: Path | None = None,
    ) -> None:
        """Run a step, unless just this one was done before.

        Args:
            title: what is printed.
            script: module of `notclip.scripts`.
            arguments: its command line.
            code: full name of the module that does the work.
            made_of: options, and digests of the input.
            makes: the file or folder that it makes.
            done: the file that is there when it is done.
            work: the folder that it works in, and removes at its very end: where both are there, it was killed
                between the two, and the same command ends it.

        Raises:
            SystemExit: it failed.
        """
        steps, name = self._remembered["steps"], makes.name
        key = derived_key(code, of=made_of, libraries=_LIBRARIES)
        known = steps.get(name) == key
        if known and done.exists() and not (work and work.exists()):
            with only_writer(makes):  # Clears away what it left if it was killed when all was done.
                if makes.is_dir():
                    clear_partials(makes)
            print(f"\n== {title}: done before, {done} is there", flush=True)
            return
        again = ""
        if not known:
            if done.exists():
                again = f": again, since its code or its input has changed since it made {makes}"
            _remove(makes)
            steps[name] = key
            self._write()
        print(f"\n== {title}{again}\n$ notclip {script.replace('_', '-')} {' '.join(arguments)}", flush=True)
        status = run_script(script, arguments)
        if status > 1 or not done.exists():
            raise SystemExit(status or 1)

    def _write(self) -> None:
        write_work_file(self._file, self._remembered)


def run_script(script: str, arguments: list[str]) -> int:
    """Run a script of `notclip.scripts`; returns its exit status."""
    run: Callable[[list[str]], int] = import_module(f"notclip.scripts.{script}").main
    return run(arguments)


def content_of(named: Path | str) -> str:
    """Digest of a file's or folder's content; a name on the Hub stands for itself."""
    path = Path(named)
    if path.is_dir():
        return folder_digest(path)
    return file_digest(path) if path.is_file() else str(named)


def _goes_on(out: Path, remembered: Any, options: Mapping[str, str | None]) -> dict[str, Any]:
    if "steps" not in remembered:
        raise BadInputError(
            f"`out` {out} holds a demo of an earlier version of notclip: name another folder, or remove this one."
        )
    check_record(remembered, {"options": dict, "steps": dict}, f"`out` {out / 'demo.json'}")
    before = remembered["options"]
    if changed := [name for name in options if options[name] != before.get(name)]:
        raise BadInputError(
            f"`out` {out} holds a demo whose `{changed[0]}` was {before.get(changed[0])}, not "
            f"{options[changed[0]]}: name another folder, or remove this one."
        )
    return {"options": before, "steps": dict(remembered["steps"])}


def _remove(made: Path) -> None:
    if made.is_dir():
        for path in made.iterdir():
            if path.name != _KEPT:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    else:
        made.unlink(missing_ok=True)
