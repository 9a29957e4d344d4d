"""What holds for all tests: no network, no writes outside a temporary folder, no display."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tiny_models"]

# Other jobs may share the machine: that inputs take long to make or to try says nothing.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# Before anything imports huggingface_hub, datasets, evaluate or matplotlib, all of which read these once.
_HOME = tempfile.TemporaryDirectory(prefix="notclip-tests-")
os.environ.update(
    HF_HOME=_HOME.name,
    XDG_CACHE_HOME=_HOME.name,
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_XET="1",  # The loopback Hub has large-file storage in its older form.
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    MPLBACKEND="Agg",
    MPLCONFIGDIR=_HOME.name,
    TOKENIZERS_PARALLELISM="false",
)


@pytest.fixture(scope="session")
def in_parts():
    """Cut each Parquet file of a dataset in parts, as a build of several shards writes them; returns the folder."""
    import pyarrow.parquet as pq

    def cut(folder: Path, parts: int = 2) -> Path:
        for file in sorted(folder.glob("*/*.parquet")):
            table = pq.read_table(file)
            for part in range(parts):
                start, end = (table.num_rows * place // parts for place in (part, part + 1))
                name = f"{file.stem}-{part:05d}-of-{parts:05d}.parquet"
                pq.write_table(table.slice(start, end - start), file.with_name(name), row_group_size=2)
            file.unlink()
        return folder

    return cut


@pytest.fixture
def change_code(monkeypatch):
    """Go on as if a module of the package, or a data file beside its modules, had another content from now on."""
    from importlib.util import find_spec

    from notclip.files import derived

    def change(name: str | Path) -> None:
        file = name if isinstance(name, Path) else Path(find_spec(name).origin)
        content = derived.file_digest
        monkeypatch.setattr(derived, "file_digest", lambda path: "changed" if path == file else content(path))
        derived.code_digest.cache_clear()

    yield change
    monkeypatch.undo()
    derived.code_digest.cache_clear()
