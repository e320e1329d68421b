"""What newcomers are shown works (issue 3, "a newcomer's test in 20 lines")."""
import os
import re
import subprocess
import sys

import vedette

BUILD = vedette.ROOT / vedette.BUILDS["asan"]


def run(t, *argv):
    folder = t.dir()
    folder.chmod(0o755)
    env = {**os.environ, **vedette.environment(), "TMPDIR": str(folder),
           "VEDETTECTL": str(BUILD / "cli/vedettectl"), "PYTHONDONTWRITEBYTECODE": "1"}
    r = subprocess.run(argv, capture_output=True, text=True, timeout=400, cwd=vedette.ROOT,
                       stdin=subprocess.DEVNULL, env=env)
    logs = [p.read_text(errors="replace") for p in folder.glob("*/cam-*/log")]
    t.check(logs and not any(m in log for m in vedette.REPORTS for log in logs), "".join(logs)[-3000:])
    t.equal((r.returncode, r.stderr), (0, ""), r.stdout + "".join(logs)[-2000:])
    return r.stdout


def test_J4_examples_are_short(t):
    """What a newcomer reads, without what is copied from one test to the next."""
    for name, mark in (("count_cars.py", "#"), ("detect_presence.mjs", "//")):
        lines = (vedette.ROOT / "examples" / name).read_text().splitlines()
        code = [s for s in lines if s.strip() and not s.strip().startswith(mark)]
        t.check(len(code) <= 24 and max(map(len, code)) <= 120, name, len(code))


def test_J4_example_count_cars(t):
    out = run(t, sys.executable, "examples/count_cars.py")
    m = re.match(r"the client counted 3; in truth 3 passed: car at .*, van at .*, bus at ", out)
    t.check(m, out)


test_J4_example_count_cars.seconds = 400


def test_J4_example_detect_presence(t):
    t.need("node")
    out = run(t, "node", "examples/detect_presence.mjs")
    m = re.match(r"a vehicle is in (\d+) of (\d+) pictures; the client is right about (\d+)", out)
    t.check(m and int(m.group(1)) > 3, out)


test_J4_example_detect_presence.seconds = 400
