"""Starts cameras for tests and talks to them as strangers and users do."""
import contextlib
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time

import pictures
import web
from rtsp import Rtsp

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILDS = {k: os.environ.get("VEDETTE_BUILD_" + k.upper(), v) for k, v in
          (("release", "build"), ("asan", "build-asan"), ("tsan", "build-tsan"))}
# What the sanitizers say when they found something.
REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
           "WARNING: ThreadSanitizer", "DEADLYSIGNAL")
ADMIN = ("root", "Correct-horse-7")
USERS = {"operator": ("olof", "opPass.22", "operator:viewer"),
         "viewer": ("vera", "viewPass.33", "viewer"),
         "ptz": ("paul", "ptzPass.44", "viewer:ptz")}
# What cameras of tests look through unless a file (SOURCE) or a test says another: a small sensor
# shows most things as well, and each of its pictures costs an eighth.
SMALL = "virtual:street,640x360@30"
TICK = 0.033334  # just over one picture at 30 a second


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def environment():
    env = dict(os.environ)
    env.setdefault("ASAN_OPTIONS", "detect_leaks=1:detect_stack_use_after_return=0:"
                                   "allocator_may_return_null=1")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
    env.setdefault("TSAN_OPTIONS", "halt_on_error=0:second_deadlock_stack=1:"
                   f"suppressions={ROOT}/test/lib/tsan.supp")
    env.setdefault("LSAN_OPTIONS", f"suppressions={ROOT}/test/lib/lsan.supp:print_suppressions=0")
    return env


class Camera:
    """One running camera. Use as a context manager; leaving it stops the camera
    and judges how it ended."""

    def __init__(self, build="asan", clock="real", source="virtual", seed=1, state=None, args=(),
                 ports=(0, 0, 0, 0), bind="127.0.0.1", env=None, wrap=()):
        self.build, self.clock, self.source, self.seed = build, clock, source, seed
        self.own_state = None
        if state is None:
            self.own_state = tempfile.TemporaryDirectory(prefix="vedette-")
            os.chmod(self.own_state.name, 0o755)  # a camera started by root gives up root
            state = os.path.join(self.own_state.name, "state")
        self.state = str(state)
        self.args, self.ports, self.bind = list(args), ports, bind
        self.extra_env, self.wrap = env or {}, list(wrap)
        self.process = None
        self.log_path = None
        self.clients = []
        self.running_clocks = 0  # that let simulated time pass in the background

    # Life

    @property
    def program(self):
        return ROOT / BUILDS[self.build] / "vedetted"

    def start(self, wait=True):
        os.makedirs(self.state, mode=0o700, exist_ok=True)
        handle, self.log_path = tempfile.mkstemp(prefix="vedette-log-")
        argv = [*self.wrap, str(self.program), "--state", self.state, "--bind", self.bind,
                "--source", self.source, "--clock", self.clock]
        if self.seed is not None:
            argv += ["--seed", str(self.seed)]
        for name, port in zip(("http", "https", "rtsp", "rtsps"), self.ports):
            argv += [f"--{name}-port", str(port)]
        self.started = time.monotonic()
        self.process = subprocess.Popen(argv + self.args, stdin=subprocess.DEVNULL, stdout=handle,
                                        stderr=handle, env={**environment(), **self.extra_env},
                                        preexec_fn=_die_with_parent)
        os.close(handle)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=60):
        path, end = pathlib.Path(self.state, "run/ready.json"), time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"the camera ended with {self.process.returncode}\n"
                                     + self.log_tail())
            with contextlib.suppress(OSError, ValueError):
                ready = json.loads(path.read_text())
                if ready["pid"] == self.process.pid or self.wrap:
                    self.ready = ready
                    self.ready_after = time.monotonic() - self.started
                    self.http, self.https = ready["http"], ready["https"]
                    self.rtsp, self.rtsps = ready["rtsp"], ready["rtsps"]
                    return
            time.sleep(0.01)
        raise AssertionError(f"not ready after {seconds} s\n" + self.log_tail())

    @property
    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def log_tail(self, lines=40):
        text = self.log
        for mark in REPORTS:
            if mark in text:
                at = max(0, text.index(mark) - 200)
                return text[at:at + 6000]
        return "\n".join(text.splitlines()[-lines:])

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        """The power is gone."""
        self.close_clients()
        self.process.kill()
        self.process.wait()
        self.forget_log()

    def stop(self, judge=True):
        """SIGTERM; must end by itself, cleanly."""
        self.close_clients()
        if self.process is None:
            return
        early = self.process.poll()
        if early is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGABRT)
                self.process.wait()
                if judge:
                    raise AssertionError("SIGTERM did not end the camera within 30 s\n"
                                         + self.log_tail())
        code, log = self.process.returncode, self.log
        self.process = None
        if judge:
            bad = [m for m in REPORTS if m in log]
            if early is not None or code != 0 or bad:
                raise AssertionError(
                    f"the camera {'died' if early is not None else 'ended'} with {code}"
                    f"{', ' + bad[0] if bad else ''}\n" + self.log_tail())
        self.forget_log()

    def forget_log(self):
        with contextlib.suppress(OSError):
            os.unlink(self.log_path)

    def restart(self):
        self.stop()
        return self.start()

    def close_clients(self):
        for c in self.clients:
            c.close()
        self.clients = []
        for name in ("admin", "operator", "viewer", "ptz", "anon", "clock_client"):
            self.__dict__.pop(name, None)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__(AssertionError)
            raise

    def __exit__(self, kind=None, *_):
        try:
            self.stop(judge=kind is None)
        finally:
            if self.process and self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            if self.own_state:
                self.own_state.cleanup()

    # Users

    def client(self, user=None, password=None, tls=False, **kw):
        c = web.Client(self.https if tls else self.http, user, password, tls, **kw)
        self.clients.append(c)
        return c

    def __getattr__(self, name):
        """admin, operator, viewer, ptz, anon: clients at the HTTP port."""
        if name == "anon":
            c = self.client()
        elif name == "admin":
            c = self.client(*ADMIN)
        elif name in USERS:
            c = self.client(*USERS[name][:2])
        else:
            raise AttributeError(name)
        self.__dict__[name] = c
        return c

    def first_admin(self, user=ADMIN[0], password=ADMIN[1], client=None):
        return (client or self.anon).get("/axis-cgi/pwdgrp.cgi?" + web.q(
            action="add", user=user, pwd=password, grp="root", sgrp="admin:operator:viewer:ptz"))

    def setup(self, users=True):
        """The first administrator, and one user of each other role."""
        r = self.first_admin()
        assert r.status == 200 and "Created account" in r.text, r
        for user, password, groups in USERS.values() if users else ():
            r = self.admin.get("/axis-cgi/pwdgrp.cgi?" + web.q(
                action="add", user=user, pwd=password, grp="users", sgrp=groups))
            assert r.status == 200 and "Created account" in r.text, r
        return self

    # Time

    def advance(self, seconds):
        # A connection of its own: the others may be waiting for an answer.
        if "clock_client" not in self.__dict__:
            self.clock_client = self.client(*ADMIN)
        for _ in range(600):  # another advance may be on its way
            r = self.clock_client.post("/vedette/stage/clock", json.dumps({"advance": seconds}),
                                       type="application/json")
            if r.status != 409:
                break
            time.sleep(0.05)
        assert r.status == 200, r
        return r

    @contextlib.contextmanager
    def ticking(self, step=TICK):
        """Simulated time runs as fast as the camera can, in the background."""
        stop = threading.Event()
        clock = self.client(*ADMIN)
        failed = []

        def run():
            while not stop.is_set():
                r = clock.post("/vedette/stage/clock", json.dumps({"advance": step}),
                               type="application/json")
                if r.status == 409:  # the test advances it, too
                    stop.wait(0.01)
                elif r.status != 200:
                    failed.append(r)
                    return

        thread = threading.Thread(target=run, daemon=True)
        self.running_clocks += 1
        thread.start()
        try:
            yield
        finally:
            self.running_clocks -= 1
            stop.set()
            thread.join(30)
        assert not failed, failed

    def answer(self, client, method="GET"):
        """The reply to a request already sent; lets simulated time pass until it comes."""
        still = self.clock == "sim" and not self.running_clocks
        for _ in range(600):
            if client.conn.readable(0.02 if still else 30):
                return client.conn.reply(method)
            if still:
                self.advance(TICK)
        raise AssertionError("no reply")

    # Pictures and movement

    def snapshot(self, args="", client=None):
        """A JPEG of the newest picture. Bytes."""
        client = client or self.admin
        target = "/axis-cgi/jpg/image.cgi" + ("?" + args if args else "")
        if self.clock != "sim":
            r = client.get(target)
        else:
            if not client.challenge:  # log in with something that needs no picture
                client.get("/axis-cgi/usergroup.cgi")
            for _ in range(2):
                client.send("GET", target, headers=client.authorization("GET", target))
                r = self.answer(client)
                if not client.renew(r):
                    break
        assert r.status == 200, r
        assert r.get("content-type") == "image/jpeg", r.headers
        return r.body

    def ptz_command(self, args, client=None):
        r = (client or self.admin).get("/axis-cgi/com/ptz.cgi?" + args)
        assert r.status == 204 and not r.body, f"{args}: {r}"

    def position(self, client=None):
        r = (client or self.admin).get("/axis-cgi/com/ptz.cgi?query=position")
        assert r.status == 200, r
        return {k: float(v) for k, v in (line.split("=") for line in r.text.split("\r\n") if line)
                if k in ("pan", "tilt", "zoom")}

    def rest(self, seconds=30):
        """Until the head stands still, so many of the camera's seconds at most. Position."""
        step = 0.1 if self.clock == "sim" else 0.05
        was = None
        for _ in range(int(seconds / step)):
            now = self.position()
            if now == was:
                return now
            was = now
            if self.clock == "sim":
                self.advance(step)
            else:
                time.sleep(step)
        raise AssertionError(f"still moving: {now}")

    def truth(self, **args):
        r = self.admin.get("/vedette/stage/truth" + ("?" + web.q(**args) if args else ""))
        assert r.status == 200, r
        return r.json

    def rtsp_client(self, path="/axis-media/media.amp", user=ADMIN[0], password=ADMIN[1],
                    tls=False, **kw):
        c = Rtsp(self.rtsps if tls else self.rtsp, path, user, password, tls, **kw)
        self.clients.append(c)
        return c

    def websocket(self, target, client=None, **kw):
        c = client or self.client(*ADMIN)
        ws = web.WebSocket(c, target, **kw)
        self.clients.append(ws)
        return ws

    def param(self, name, client=None):
        r = (client or self.admin).get("/axis-cgi/param.cgi?" + web.q(action="list", group=name))
        assert r.status == 200, r
        for line in r.text.splitlines():
            k, _, v = line.partition("=")
            if k == "root." + name:
                return v
        return None

    def set_param(self, client=None, **values):
        args = {k.replace("__", "."): v for k, v in values.items()}
        return (client or self.admin).post("/axis-cgi/param.cgi", web.q(action="update", **args))

    def update(self, name, value, client=None):
        return (client or self.admin).post("/axis-cgi/param.cgi",
                                           web.q(action="update", **{name: value}))

    # The process

    def cpu(self):
        """Seconds of a core that the process has used: what a busy machine does not stretch."""
        f = open(f"/proc/{self.process.pid}/stat").read().rpartition(")")[2].split()
        return (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK")

    def memory_kb(self):
        """Anonymous resident memory."""
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("RssAnon"):
                return int(line.split()[1])

    def handles(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))


def stamp(jpeg):
    s = pictures.jpeg_stamp(jpeg)
    assert s, "no stamp in the JPEG"
    return s
