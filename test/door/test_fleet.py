"""vedettectl fleet: many cameras on one machine (row L1)."""
import json
import os
import pathlib
import signal
import subprocess

import pictures
import vedette

SMALL = "virtual:320x180@30"


class Fleet:
    def __init__(self, t):
        self.program = vedette.ROOT / vedette.BUILDS["asan"] / "cli/vedettectl"
        t.check(self.program.exists(), f"{self.program} is not built")
        self.t, self.dir = t, t.dir()
        self.dir.chmod(0o755)  # cameras started by root give up root
        t.cleanup(lambda: self.run("stop", "--all"))

    def run(self, *argv, login=()):
        return subprocess.run([self.program, *login, "fleet", *argv, "--dir", self.dir / "all"],
                              capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
                              env={**os.environ, **vedette.environment()})

    def start(self, n, *argv, login=()):
        r = self.run("start", str(n), "--source", SMALL, "--first-port", "0", *argv, login=login)
        self.t.equal((r.returncode, r.stderr), (0, ""), "start")
        return r.stdout

    def list(self):
        r = self.run("list", "--json")
        self.t.equal((r.returncode, r.stderr), (0, ""), "list")
        return json.loads(r.stdout)["cameras"]

    def logs_are_clean(self):
        for log in self.dir.glob("all/*/log"):
            text = log.read_text(errors="replace")
            self.t.check(not any(m in text for m in vedette.REPORTS), text[-3000:])


def client(camera, *who):
    import web
    return web.Client(int(camera["http"].rpartition(":")[2]), *who)


def test_L1_fleet(t):
    f = Fleet(t)
    t.equal(f.list(), [])
    out = f.start(3, login=("-u", ":".join(vedette.ADMIN)))
    t.equal(len(out.splitlines()), 3)
    cameras = f.list()
    t.equal([c["name"] for c in cameras], ["cam-01", "cam-02", "cam-03"])
    t.check(all(c["running"] for c in cameras), cameras)
    for what in ("pid", "serial", "seed", "http", "https", "rtsp", "rtsps", "dir"):
        t.equal(len({c[what] for c in cameras}), 3, what)
    # detached: sessions of their own, nobody's children, nothing of ours in hand
    for c in cameras:
        stat = open(f"/proc/{c['pid']}/stat").read().rpartition(")")[2].split()
        t.equal(int(stat[3]), c["pid"], "leads its session")
        t.check(int(stat[1]) != os.getpid())
        t.equal(os.readlink(f"/proc/{c['pid']}/fd/0"), "/dev/null")
        t.match("/log$", os.readlink(f"/proc/{c['pid']}/fd/1"))
        t.equal(os.readlink(f"/proc/{c['pid']}/cwd"), "/")
    # each is a camera, with the administrator that was asked for and a world of its own
    seen = set()
    for c in cameras:
        a = client(c, *vedette.ADMIN)
        t.equal(a.get("/axis-cgi/usergroup.cgi").status, 200)
        info = a.json("/axis-cgi/basicdeviceinfo.cgi", "getAllUnrestrictedProperties")
        t.equal(info["data"]["propertyList"]["SerialNumber"], c["serial"])
        jpeg = a.get("/axis-cgi/jpg/image.cgi").body
        t.equal(pictures.jpeg_size(jpeg), (320, 180))
        seen.add(jpeg)
        a.close()
    t.equal(len(seen), 3)
    # what runs is left alone; what was killed is told from what runs, and starts again
    os.kill(cameras[1]["pid"], signal.SIGKILL)
    while os.path.exists(f"/proc/{cameras[1]['pid']}/exe"):
        pass
    t.equal([c["running"] for c in f.list()], [True, False, True])
    f.start(3)
    again = f.list()
    t.equal([c["pid"] == d["pid"] for c, d in zip(again, cameras)], [True, False, True])
    t.equal([c["serial"] for c in again], [c["serial"] for c in cameras])
    t.equal(client(again[1], *vedette.ADMIN).get("/axis-cgi/usergroup.cgi").status, 200, "its state")
    r = f.run("stop", "cam-03", "cam-01")
    t.equal((r.returncode, r.stderr), (0, ""))
    t.equal([c["running"] for c in f.list()], [False, True, False])
    r = f.run("stop", "--all")
    t.equal((r.returncode, r.stderr), (0, ""))
    t.equal([c["running"] for c in f.list()], [False] * 3)
    for c in again:
        t.check(not os.path.exists(f"/proc/{c['pid']}/exe"), "still there")
        t.check(not pathlib.Path(c["dir"], "state/run/ready.json").exists(), "no clean end")
    f.logs_are_clean()


test_L1_fleet.seconds = 240


def test_L1_fleet_addresses_and_simulated_time(t):
    """Addresses of their own, the same ports, and time that stands still."""
    f = Fleet(t)
    out = f.start(2, "--first-address", "127.0.17.9", "--clock", "sim", "--seed", "40",
                  login=("-u", ":".join(vedette.ADMIN)))
    t.check("simulated time" in out, out)
    cameras = f.list()
    t.equal([c["http"].rpartition(":")[0] for c in cameras], ["http://127.0.17.9", "http://127.0.17.10"])
    t.equal([c["seed"] for c in cameras], [40, 41])
    import web
    for c in cameras:
        host, _, port = c["http"][7:].rpartition(":")
        a = web.Client(int(port), *vedette.ADMIN, host=host)
        r = a.post("/vedette/stage/clock", '{"advance": 60}', type="application/json")
        t.near(r.json["now"], 60, 1e-6)
        a.close()
    t.equal(f.run("stop", "--all").returncode, 0)
    f.logs_are_clean()


test_L1_fleet_addresses_and_simulated_time.seconds = 180


def test_L1_fleet_is_refused(t):
    f = Fleet(t)
    for argv in (("start",), ("start", "0"), ("start", "x"), ("start", "2", "3"), ("start", "501"),
                 ("start", "1", "--clock", "fast"), ("start", "1", "--first-address", "here"),
                 ("start", "1", "--nonsense", "1"), ("start", "100", "--first-port", "65500"),
                 ("start", "1", "--first-port", "70000"), ("stop",), ("stop", "--all", "cam-01"),
                 ("stop", "cam-77"), ("list", "x"), ("restart",)):
        r = f.run(*argv)
        t.equal((r.returncode, r.stdout), (2, ""), " ".join(argv))
        t.check(r.stderr.startswith("vedettectl: "), r.stderr)
    t.check(not (f.dir / "all").exists() or not any((f.dir / "all").iterdir()), "something was made")
    # what cannot start says why
    r = f.run("start", "1", "--source", "nosuch:thing", "--first-port", "0")
    t.equal((r.returncode, r.stdout.count("running")), (4, 0))
    t.match("cam-01 ended at once: .*nosuch", r.stderr)
    r = subprocess.run([f.program, "fleet", "start", "1", "--dir", "/proc/nowhere"], capture_output=True,
                       text=True, timeout=60)
    t.equal(r.returncode, 4, r.stderr)
