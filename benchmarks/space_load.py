"""Twenty visitors at once on the Space: errors, waiting times, and whether its memory stays flat.

    python benchmarks/space_load.py                         # 20 visitors for two minutes, 1 to 3 s between their calls
    NOTCLIP_SPACE_RELEASE=build/hub python benchmarks/space_load.py
    python benchmarks/space_load.py --sessions 10000        # before them, sessions of one search each

Starts `space/app.py` and calls its endpoints by gradio_client as a program would: seven of ten calls are searches that
nobody made before, two are questions, one reads a query. Memory is the server's resident set, from /proc; it is flat
when its median over the last quarter is at most a tenth above that over the second quarter; the first fills caches.
Of sessions, in which a visitor who never comes back makes one search, it is flat when its median over the last tenth
of them is at most a tenth above that over the second tenth: what the server keeps of those who are gone is bounded.
"""

import argparse
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

THINGS = ("dog", "car", "tree", "boat", "cat", "cloud", "house", "bird", "ball", "flower")
APP = Path(__file__).resolve().parents[1] / "space" / "app.py"


def visit(address: str, seed: int, until: float, waited: dict[str, list[float]], errors: list[str]) -> None:
    """One visitor, until her time is over."""
    from gradio_client import Client

    rng = random.Random(seed)
    try:
        client = Client(address, verbose=False)
    except Exception as error:
        errors.append(f"connecting: {error!r}")
        return
    image = "drawn-0-test-000000"
    while time.monotonic() < until:
        wanted, excluded = rng.sample(THINGS, 2)
        query = f"a {wanted} number {rng.randrange(10**6)} with no {excluded}s"
        kind = rng.choices(("search", "answer_question", "read_query"), (7, 2, 1))[0]
        call = {
            "search": (query, 1.0),
            "answer_question": (image, [f"a {wanted}", f"no {wanted}", f"a {excluded}", f"no {excluded}"]),
            "read_query": (query,),
        }[kind]
        started = time.perf_counter()
        try:
            found = client.predict(*call, api_name=f"/{kind}")
        except Exception as error:  # Each counts; which they are is printed.
            errors.append(f"{kind}: {error!r}")
        else:
            waited[kind].append(time.perf_counter() - started)
            image = found["base"][0]["image_id"] if kind == "search" else image
        time.sleep(rng.uniform(1, 3))


def open_sessions(address: str, count: int, process: int, errors: list[str]) -> list[float]:
    """One search by each of so many sessions, one after another; returns the server's memory after each, in MB."""
    import httpx

    memory = []
    with httpx.Client(base_url=address, timeout=60) as web:
        for number in range(count):
            call = {"data": [f"a dog number {number} with no cats", 1.0, 12], "session_hash": f"session-{number}"}
            answer = web.post("/gradio_api/run/search", json=call)
            if answer.status_code != 200:
                errors.append(f"session {number}: {answer.status_code} {answer.text[:200]}")
            memory.append(resident_mb(process))
    return memory


def resident_mb(process: int) -> float:
    """Resident memory of a process in MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def wait_for(port: int, server: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait until the server accepts a connection; RuntimeError when it ends or is too slow."""
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError as error:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError("app.py did not start") from error
            time.sleep(0.2)


def main() -> int:
    """Start, visit, print; 1 when there was an error or memory grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--sessions", type=int, default=0, help="sessions of one search each, before the visits")
    options = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.monotonic()
    server = subprocess.Popen([sys.executable, str(APP)], env=os.environ | {"GRADIO_SERVER_PORT": str(port)})
    try:
        wait_for(port, server, 600)
        print(f"up after {time.monotonic() - started:.0f} s")
        errors: list[str] = []
        opened = open_sessions(f"http://127.0.0.1:{port}", options.sessions, server.pid, errors)
        until = time.monotonic() + options.seconds
        waited: dict[str, list[float]] = defaultdict(list)
        memory: list[float] = []
        visitors = [
            threading.Thread(target=visit, args=(f"http://127.0.0.1:{port}", seed, until, waited, errors))
            for seed in range(options.visitors)
        ]
        for visitor in visitors:
            visitor.start()
        while any(visitor.is_alive() for visitor in visitors):
            memory.append(resident_mb(server.pid))
            time.sleep(1)
    finally:
        server.terminate()
        server.wait()
    if tenth := len(opened) // 10:
        early, late = (statistics.median(part) for part in (opened[tenth : 2 * tenth], opened[-tenth:]))
        grew = late > 1.1 * early
        print(f"{len(opened)} sessions: {early:.0f} MB in the second tenth, {late:.0f} MB in the last")
    else:
        grew = False
    print(f"{'seconds':18}{'calls':>7}{'median':>9}{'95 %':>9}{'longest':>9}")
    for kind, seconds in sorted(waited.items()):
        late = sorted(seconds)[int(0.95 * (len(seconds) - 1))]
        print(f"{kind:18}{len(seconds):7}{statistics.median(seconds):9.2f}{late:9.2f}{max(seconds):9.2f}")
    quarter = len(memory) // 4
    second, last = (statistics.median(part) for part in (memory[quarter : 2 * quarter], memory[-quarter:]))
    print(f"errors: {len(errors)}{''.join(chr(10) + error for error in errors[:5])}")
    print(f"memory of the server: {second:.0f} MB in the second quarter, {last:.0f} MB in the last")
    return int(bool(errors) or grew or last > 1.1 * second)


if __name__ == "__main__":
    sys.exit(main())
