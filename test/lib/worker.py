#!/usr/bin/env python3
"""Runs the test functions of one file, one after another.

usage: worker.py FILE [PATTERN]   (lists with --list)
Each is test_NAME(t). Prints "ok NAME SECONDS", how long it took and what CPU
time that was, "skip NAME REASON" or "not ok NAME SECONDS", the reasons of failures indented below."""
import importlib.util
import os
import pathlib
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import vedette  # noqa: E402

TEST_SECONDS = 90


class Skip(Exception):
    pass


class TooLong(BaseException):
    pass


class T:
    """What a test is handed."""

    def __init__(self, module):
        self.module, self.cameras, self.dirs, self.later = module, [], [], []

    def camera(self, **kw):
        """A camera of this test's own; stopped and judged when the test ends."""
        kw.setdefault("build", getattr(self.module, "BUILD", "asan"))
        kw.setdefault("source", getattr(self.module, "SOURCE", vedette.SMALL))
        c = vedette.Camera(**kw)
        if not c.program.exists():
            raise AssertionError(f"{c.program} is not built")
        self.cameras.append(c)
        return c.start()

    def shared(self):
        """The file's common camera, set up with users of every role. For tests that
        leave it as they found it."""
        c = self.module.__dict__.get("_shared")
        if c and not c.alive():
            raise AssertionError("the shared camera died in an earlier test\n" + c.log_tail())
        if not c:
            c = vedette.Camera(**{"build": getattr(self.module, "BUILD", "asan"),
                                  "source": getattr(self.module, "SOURCE", vedette.SMALL),
                                  **getattr(self.module, "SHARED", {})})
            if not c.program.exists():
                raise AssertionError(f"{c.program} is not built")
            c.start()
            self.module._shared = c
            c.setup()
        return c

    def dir(self):
        d = tempfile.mkdtemp(prefix="vedette-test-")
        self.dirs.append(d)
        return pathlib.Path(d)

    def cleanup(self, call):
        self.later.append(call)

    def skip(self, reason):
        raise Skip(reason)

    def need(self, *programs):
        for p in programs:
            if not shutil.which(p):
                raise AssertionError(f"{p} is not installed; see tools/deps.sh")

    @staticmethod
    def check(ok, *what):
        if not ok:
            raise AssertionError(" ".join(str(w) for w in what) or "not true")

    @staticmethod
    def equal(got, want, what=""):
        if got != want:
            raise AssertionError(f"{what + ': ' if what else ''}got {got!r}, expected {want!r}")

    @staticmethod
    def near(got, want, tolerance, what=""):
        if not abs(got - want) <= tolerance:
            raise AssertionError(f"{what + ': ' if what else ''}got {got}, expected {want} ± {tolerance}")

    @staticmethod
    def match(pattern, text, what=""):
        if not re.search(pattern, text):
            raise AssertionError(f"{what + ': ' if what else ''}{text!r} does not match {pattern!r}")

    def finish(self, judge):
        problems = []
        for call in reversed(self.later):
            try:
                call()
            except Exception as e:
                problems.append(f"clean-up: {e!r}")
        for c in reversed(self.cameras):
            try:
                c.__exit__(None if judge else AssertionError)
            except Exception as e:
                problems.append(str(e))
        for d in self.dirs:
            shutil.rmtree(d, ignore_errors=True)
        if judge and problems:
            raise AssertionError("\n".join(problems))


def on_alarm(signum, frame):
    raise TooLong()


def patience():
    """A busy machine gets more time: what hangs, hangs for longer."""
    return max(1, min(5, os.getloadavg()[0] / os.cpu_count() / 2))


def used(module):
    """Seconds of CPU time so far: of this program, of what it waited for, of the shared camera."""
    shared = module.__dict__.get("_shared")
    alive = shared.cpu() if shared and shared.process and shared.alive() else 0
    return sum(os.times()[:4]) + alive


def run(module, name, test):
    t, began, failure, used_before = T(module), time.monotonic(), None, used(module)
    seconds = int(getattr(test, "seconds", TEST_SECONDS) * patience())
    signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(seconds)
    verdict = "ok"
    try:
        try:
            test(t)
        except Skip as e:
            verdict, failure = "skip", str(e)
        except TooLong:
            verdict, failure = "not ok", "took longer than %d s\n%s" % (seconds, traceback.format_exc())
        except Exception as e:
            verdict, failure = "not ok", traceback.format_exc()
            logs = [c.log_tail() for c in t.cameras if c.process and c.log_path]
            shared = module.__dict__.get("_shared")
            if shared and shared.process and not t.cameras:
                logs.append(shared.log_tail(15))
            if logs:
                failure += "the camera's log:\n" + "\n--\n".join(logs)
        signal.alarm(int(40 * patience()))
        t.finish(verdict == "ok")
    except (TooLong, Exception) as e:
        verdict, failure = "not ok", (failure or "") + f"at its end: {e!s}"
    signal.alarm(0)
    took = time.monotonic() - began
    if verdict == "skip":
        print(f"skip {name} {failure}", flush=True)
        return True
    print(f"{verdict} {name} {took:.1f} s, CPU {used(module) - used_before:.1f} s", flush=True)
    if verdict != "ok":
        print("    " + failure.rstrip().replace("\n", "\n    "), flush=True)
    return verdict == "ok"


def main():
    listing = "--list" in sys.argv
    argv = [a for a in sys.argv[1:] if a != "--list"]
    path, pattern = pathlib.Path(argv[0]), argv[1] if len(argv) > 1 else ""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tests = [(n[5:], f) for n, f in vars(module).items()
             if n.startswith("test_") and callable(f) and re.search(pattern, f"{path.stem}:{n}")]
    if listing:
        print("\n".join(n for n, _ in tests))
        return 0
    # A login shell gives 1024 descriptors, a crowd of clients needs more.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    good = True
    for name, test in tests:
        good &= run(module, name, test)
    shared = module.__dict__.get("_shared")
    if shared:
        try:
            shared.__exit__(None)
        except Exception as e:
            good = False
            print("not ok shared_camera_ends_clean 0.0\n    " + str(e).replace("\n", "\n    "))
    return 0 if good else 1


if __name__ == "__main__":
    os.environ.setdefault("TZ", "UTC")
    sys.exit(main())
