#!/usr/bin/env python3
"""Many cameras on one machine: what twenty that nobody watches cost each.

usage: fleet.py [CAMERAS]. Also a part of run.py."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test/lib"))
import vedette  # noqa: E402
import web  # noqa: E402


def cpu_ns(pid):
    return sum(int((p / "schedstat").read_text().split()[0])
               for p in pathlib.Path(f"/proc/{pid}/task").iterdir())


def kept_kb(pid):
    """Memory that is this process's alone: anonymous, also when it was swapped out."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(l.split()[1]) for l in lines if l.startswith(("RssAnon", "VmSwap")))


def family(pid):
    """The camera and its key agent."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def measure(n=20, seconds=10):
    """Idle CPU (share of a core) and anonymous bytes of the dearest one, before anybody has
    watched and after everybody has; and how long it took to start them all."""
    with tempfile.TemporaryDirectory(prefix="vedette-fleet-") as folder:
        os.chmod(folder, 0o755)

        def fleet(*argv):
            return subprocess.run([ROOT / "build/cli/vedettectl", "-u", ":".join(vedette.ADMIN), "--json",
                                   "fleet", *argv, "--dir", folder + "/all"], capture_output=True,
                                  text=True, check=True, stdin=subprocess.DEVNULL).stdout

        began = time.monotonic()
        try:
            cameras = json.loads(fleet("start", str(n), "--first-port", "0"))["cameras"]
            result = {"start_s": time.monotonic() - began, "cameras": len(cameras)}
            families = [family(c["pid"]) for c in cameras]

            def idle():
                before, began = [sum(map(cpu_ns, f)) for f in families], time.monotonic()
                time.sleep(seconds)
                took = time.monotonic() - began
                used = [(sum(map(cpu_ns, f)) - b) / 1e9 / took for f, b in zip(families, before)]
                kept = [sum(map(kept_kb, f)) * 1024 for f in families]
                return {"cpu": max(used), "bytes": max(kept), "median_bytes": statistics.median(kept)}

            time.sleep(1)
            result["fresh"] = idle()
            for c in cameras:  # one picture each, one after another
                client = web.Client(int(c["http"].rpartition(":")[2]), *vedette.ADMIN)
                assert client.get("/axis-cgi/jpg/image.cgi").status == 200
                client.close()
            time.sleep(8)  # encoders linger for five seconds
            result["after"] = idle()
            return result
        finally:
            fleet("stop", "--all")


def main():
    r = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    print(f"{r['cameras']} cameras, ready after {r['start_s']:.1f} s")
    for when, what in (("fresh", "before anybody watched"), ("after", "after each was watched")):
        print(f"{what}: {100 * r[when]['cpu']:.3f} % of a core and {r[when]['bytes'] / 1e6:.1f} MB of "
              f"anonymous memory each at most (key agent included)")


if __name__ == "__main__":
    main()
