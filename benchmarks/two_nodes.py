"""`build-dataset` and `embed-images` on a real Slurm or Ray of two nodes on this machine, against one process.

    apt-get install -y slurm-wlm munge; python benchmarks/two_nodes.py slurm --out build/two-nodes    # as root
    pip install ray; python benchmarks/two_nodes.py ray --out build/two-nodes

Slurm is munge, slurmctld and two slurmd with ports of their own, all files under OUT; Ray is a head and a second node
with a process and an object store each. Drawn scenes are built with the cluster and with one worker, and their photos
embedded by two tasks and by one; exit status 1 unless all bytes are the same. Prints one line of JSON.
"""

import argparse
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENCODER = ROOT / "recaption" / "drawn_world" / "encoder"
# What makes two tasks of a cluster the two processes of one command, in Slurm's names.
RANKS = "RANK=$SLURM_PROCID LOCAL_RANK=0 WORLD_SIZE=$SLURM_NTASKS MASTER_ADDR=127.0.0.1 MASTER_PORT=29611"
_MUNGE = ("key-file", "socket", "pid-file", "log-file", "seed-file")


def main(argv: list[str] | None = None) -> int:
    """Run both commands both ways, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cluster", choices=("slurm", "ray"))
    parser.add_argument("--limit", type=int, default=60, help="scenes of each split")
    parser.add_argument("--out", type=Path, default=Path("build/two-nodes"))
    options = parser.parse_args(argv)
    out = options.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    report: dict[str, object] = {"cluster": options.cluster, "limit": options.limit}
    build = ["build-dataset", "--source", "drawn-world", "--limit", str(options.limit), "--shard-images", "20"]
    run([*build, "--workers", "1", "--out", str(out / "here")])
    with slurm(out / "slurm") if options.cluster == "slurm" else ray() as environment:
        began = time.monotonic()
        cluster = ["--executor", options.cluster, "--tasks", "2", "--memory-gb", "2"]
        cluster += ["--slurm-partition", "cpu"] if options.cluster == "slurm" else []
        run([*build, *cluster, "--out", str(out / "built")], environment)
        while not (out / "built" / "build.json").is_file():  # Slurm returns when the jobs are submitted.
            if time.monotonic() - began > 1800:
                raise TimeoutError(f"the build did not end; see {out}/.built.unfinished/logs and {out}/slurm/log")
            time.sleep(1)
        report["build_seconds"] = round(time.monotonic() - began, 1)
        report["build_files"] = len(digests(out / "here"))
        report["build_same_bytes"] = digests(out / "here") == digests(out / "built")
        began = time.monotonic()
        embed_by_two(options.cluster, out, environment)
        report["embed_seconds"] = round(time.monotonic() - began, 1)
    run(["embed-images", "--base", str(ENCODER), "--data", str(out / "here"), "--cache", str(out / "cache-here")])
    here, there = (digests(out / name, "*/*/*.npy") for name in ("cache-here", "cache"))
    report["embed_files"], report["embed_same_bytes"] = len(here), here == there
    print(json.dumps(report))
    return 0 if report["build_same_bytes"] and report["embed_same_bytes"] else 1


def embed_by_two(cluster: str, out: Path, environment: Mapping[str, str]) -> None:
    """Embed what was built, by a task on each node."""
    options = ["--base", str(ENCODER), "--data", str(out / "built"), "--cache", str(out / "cache")]
    command = [sys.executable, str(ROOT / "scripts" / "embed_images.py"), *options]
    if cluster == "slurm":
        line = f"{RANKS} exec {' '.join(command)}"
        two = ["srun", "-N2", "-n2", "bash", "-c", line]
        subprocess.run(two, env={**os.environ, **environment}, check=True)
        return
    import ray as library

    library.init(address="auto", log_to_driver=False)

    @library.remote(num_cpus=1, scheduling_strategy="SPREAD")
    def task(rank: int) -> str:
        own = {
            "RANK": str(rank),
            "LOCAL_RANK": "0",
            "WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": "29612",
        }
        subprocess.run(command, env={**os.environ, **own}, check=True)
        return library.get_runtime_context().get_node_id()

    nodes = library.get([task.remote(rank) for rank in (0, 1)])
    library.shutdown()
    if len(set(nodes)) != 2:
        raise RuntimeError(f"both tasks ran on the node {nodes[0]}")


def run(arguments: list[str], environment: Mapping[str, str] | None = None) -> None:
    """Run a command of ours."""
    command = [sys.executable, "-m", "notclip.command_line", *arguments]
    subprocess.run(command, env={**os.environ, **(environment or {})}, check=True, stdout=sys.stderr)


def digests(folder: Path, pattern: str = "**/*") -> dict[str, str]:
    """SHA-256 of the files of a folder, but for the record of options, in which the workers stand."""
    files = sorted(path for path in folder.glob(pattern) if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name not in ("build.json", "README.md")
    }


@contextmanager
def slurm(folder: Path) -> Iterator[dict[str, str]]:
    """A Slurm of one controller and two nodes, ended at the end."""
    for name in ("state", "log", "run", "n1", "n2", "munge"):
        (folder / name).mkdir(parents=True)
    host = socket.gethostname().partition(".")[0]
    file = folder / "slurm.conf"
    nodes = "\n".join(
        f"NodeName=n{number} NodeHostname={host} NodeAddr=127.0.0.1 Port={17000 + number} CPUs=2 RealMemory=8000"
        for number in (1, 2)
    )
    settings = {
        "ClusterName": "notclip",
        "SlurmctldHost": f"{host}(127.0.0.1)",
        "SlurmctldPort": "16817",
        "SlurmUser": "root",
        "AuthInfo": f"socket={folder}/munge/socket",
        "StateSaveLocation": f"{folder}/state",
        "SlurmdSpoolDir": f"{folder}/%n",
        "SlurmctldPidFile": f"{folder}/run/slurmctld.pid",
        "SlurmdPidFile": f"{folder}/run/slurmd-%n.pid",
        "SlurmctldLogFile": f"{folder}/log/slurmctld.log",
        "SlurmdLogFile": f"{folder}/log/slurmd-%n.log",
        "ProctrackType": "proctrack/linuxproc",
        "TaskPlugin": "task/none",
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_Core",
        "ReturnToService": "2",
    }
    text = "\n".join(f"{name}={value}" for name, value in settings.items())
    file.write_text(f"{text}\n{nodes}\nPartitionName=cpu Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP\n")
    (folder / "munge" / "key-file").write_bytes(os.urandom(1024))
    (folder / "munge" / "key-file").chmod(0o400)
    (folder / "munge").chmod(0o700)
    places = [f"--{name}={folder}/munge/{'socket' if name == 'socket' else name}" for name in _MUNGE]
    daemons = [
        subprocess.Popen(command)
        for command in (
            ["munged", "--foreground", "--force", *places],
            ["slurmctld", "-D", "-c", "-f", str(file)],
            *(["slurmd", "-D", "-N", f"n{number}", "-f", str(file)] for number in (1, 2)),
        )
    ]
    try:
        yield {"SLURM_CONF": str(file)}
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            daemon.wait()


@contextmanager
def ray() -> Iterator[dict[str, str]]:
    """A Ray of a head and one more node, ended at the end."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    try:
        yield {"RAY_ADDRESS": cluster.address}
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    sys.exit(main())
