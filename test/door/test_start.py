"""First start, set-up, restart: rows A1, A3, A4, I14 and the run contract."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time

import vedette
import web

SOURCE = "virtual"  # as it is delivered


def test_contract_ready_file(t):
    c = t.camera()
    ready = json.loads(pathlib.Path(c.state, "run/ready.json").read_text())
    t.equal(sorted(ready), ["http", "https", "pid", "rtsp", "rtsps"])
    t.equal(ready["pid"], c.process.pid)
    for name in ("http", "https", "rtsp", "rtsps"):
        t.check(ready[name] > 1024, name)
        socket.create_connection(("127.0.0.1", ready[name]), 5).close()
    c.process.send_signal(signal.SIGTERM)
    t.equal(c.process.wait(20), 0, "exit status after SIGTERM")
    t.check(not os.path.exists(pathlib.Path(c.state, "run/ready.json")), "ready.json stays behind")
    c.start()


def test_contract_stop_of_the_whole_group(t):
    """Ctrl-C and service managers signal the key agent too: it stays until the camera ends."""
    c = t.camera()
    c.setup(users=False)
    children = pathlib.Path(f"/proc/{c.process.pid}/task/{c.process.pid}/children")
    agent = children.read_text()
    for sig in (signal.SIGINT, signal.SIGTERM):
        os.kill(int(agent), sig)
    t.equal(c.client(*vedette.ADMIN).get("/axis-cgi/usergroup.cgi").status, 200)
    t.equal(children.read_text(), agent)


def test_contract_options(t):
    program = str(vedette.Camera().program)

    def run(*args):
        return subprocess.run([program, *args], capture_output=True, text=True, timeout=30,
                              env=vedette.environment())
    p = run("--help")
    t.equal(p.returncode, 0)
    for word in ("--state", "--bind", "--http-port", "--https-port", "--rtsp-port", "--rtsps-port",
                 "--source", "--seed", "--clock"):
        t.check(word in p.stdout, word)
    for bad in (["--http-port", "70000"], ["--http-port", "x"], ["--clock", "lunar"], ["stray"],
                ["--seed", "-1"], ["--unknown"]):
        p = run(*bad)
        t.equal(p.returncode, 2, bad)
        t.check(p.stderr.strip(), bad)
    d = t.dir()
    ports = ["--bind", "127.0.0.1", "--http-port", "0", "--https-port", "0", "--rtsp-port", "0",
             "--rtsps-port", "0"]
    p = run("--state", str(d), "--source", "teapot:", *ports)
    t.equal(p.returncode, 1)
    t.match("teapot", p.stderr)


def test_contract_port_taken(t):
    c = t.camera()
    p = subprocess.run([str(c.program), "--state", str(t.dir()), "--bind", "127.0.0.1",
                        "--http-port", str(c.http)], capture_output=True, text=True, timeout=30,
                       env=vedette.environment())
    t.equal(p.returncode, 1)
    t.match(f"--http-port: port {c.http} is in use", p.stderr)


def test_contract_state_is_private(t):
    c = t.camera()
    c.setup(users=False)
    for path in [pathlib.Path(c.state), *pathlib.Path(c.state).rglob("*")]:
        mode = path.lstat().st_mode
        t.check(not mode & 0o077 or stat.S_ISLNK(mode), f"{path}: {mode:o}")


def test_contract_unprivileged(t):
    c = t.camera()
    status = pathlib.Path(f"/proc/{c.process.pid}/status").read_text()
    uid = re.search(r"^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", status, re.M).groups()
    t.check("0" not in uid, f"runs as root: {uid}")
    t.match(r"CapEff:\s+0+\n", status)
    t.match(r"NoNewPrivs:\s+1", status)


def test_A1_serves_the_page(t):
    c = t.camera()
    r = c.anon.get("/")
    t.equal(r.status, 200)
    t.match("text/html", r.get("content-type"))
    t.check(b"<" in r.body)


def test_A1_serves_the_page_where_it_is_installed(t):
    built, prefix = vedette.Camera().program.parent, t.dir()
    (prefix / "bin").mkdir()
    shutil.copy(built / "vedetted", prefix / "bin")
    shutil.copy(built / "agent/vedette-agent", prefix / "bin")
    shutil.copytree(built / "web", prefix / "share/vedette/web")
    (prefix / "share/vedette/places").symlink_to(vedette.ROOT / "build/places")

    class Installed(vedette.Camera):
        program = prefix / "bin/vedetted"

    with Installed() as c:
        t.equal(c.anon.get("/").body, (built / "web/index.html").read_bytes())


def test_A3_create_administrator(t):
    c = t.camera()
    ready = c.anon.json("/axis-cgi/systemready.cgi", "systemready", {"timeout": 20})
    t.equal(ready["data"]["needsetup"], "yes")
    t.equal(ready["data"]["systemready"], "yes")
    # Nothing but set-up is reachable before.
    for path in ("/axis-cgi/param.cgi?action=list", "/axis-cgi/com/ptz.cgi?query=position",
                 "/axis-cgi/usergroup.cgi", "/axis-cgi/mjpg/video.cgi", "/vedette/routes",
                 "/vedette/stage/truth"):
        t.equal(c.anon.get(path).status, 401, path)
    # No default account.
    for user, pwd in (("root", "pass"), ("root", "root"), ("root", ""), ("admin", "admin")):
        t.equal(c.client(user, pwd).get("/axis-cgi/usergroup.cgi").status, 401, (user, pwd))
    for args, want in (
            ({"sgrp": "viewer"}, "Error: not a valid initial admin user."),
            ({"sgrp": "operator:viewer", "grp": "users"}, "Error: not a valid initial admin user."),
            ({"user": "", "sgrp": "admin:operator:viewer:ptz"}, "Error: ")):
        a = {"action": "add", "user": "root", "pwd": "x1", "grp": "root", **args}
        r = c.anon.get("/axis-cgi/pwdgrp.cgi?" + web.q(**a))
        t.equal(r.status, 200, a)
        t.match(want, r.text, a)
    r = c.anon.get("/axis-cgi/pwdgrp.cgi?action=remove&user=root")
    t.match("Error: initial admin user must be created first", r.text)
    r = c.first_admin()
    t.equal((r.status, r.get("content-type").split(";")[0]), (200, "text/html"))
    t.match(r"<body>.*Created account root\.", r.text.replace("\n", " "))
    # Once.
    r = c.first_admin("mallory", "x")
    t.equal(r.status, 401)
    t.equal(c.admin.get("/axis-cgi/usergroup.cgi").text, "root\nusers admin operator viewer ptz\n")
    ready = c.anon.json("/axis-cgi/systemready.cgi", "systemready", {"timeout": 20})
    t.equal(ready["data"]["needsetup"], "no")


def test_A3_on_https_too(t):
    c = t.camera()
    r = c.first_admin(client=c.client(tls=True))
    t.match("Created account root", r.text)
    t.equal(c.client(*vedette.ADMIN, tls=True).get("/axis-cgi/usergroup.cgi").status, 200)


def test_A3_post_form(t):
    c = t.camera()
    r = c.anon.post("/axis-cgi/pwdgrp.cgi", web.q(action="add", user="anna", pwd="pw", grp="users",
                                                  sgrp="ptz:viewer:admin:operator", comment="x"),
                    type="text/plain")
    t.match("Created account anna", r.text)


def test_A3_race_one_wins(t):
    c = t.camera()
    barrier, results = threading.Barrier(12), []

    def try_it(i):
        client = web.Client(c.https if i % 2 else c.http, tls=bool(i % 2))
        client.connect()
        barrier.wait()
        results.append((i, c.first_admin(f"user{i}", f"password{i}", client)))
        client.close()

    threads = [threading.Thread(target=try_it, args=(i,)) for i in range(12)]
    [x.start() for x in threads]
    [x.join() for x in threads]
    won = [i for i, r in results if r.status == 200 and "Created account" in r.text]
    t.equal(len(won), 1, results)
    t.equal(len(results), 12)
    r = c.client(f"user{won[0]}", f"password{won[0]}").get("/axis-cgi/pwdgrp.cgi?action=get")
    t.match(f'(?m)^digusers="user{won[0]}"\r$', r.text)


def test_A4_tls(t):
    c = t.camera()
    c.setup(users=False)
    t.equal(c.client(*vedette.ADMIN, tls=True).get("/axis-cgi/usergroup.cgi").status, 200)

    def certificate():
        with socket.create_connection(("127.0.0.1", c.https)) as s:
            with web.tls_context().wrap_socket(s) as tls:
                return tls.getpeercert(True), tls.version()
    der, version = certificate()
    t.equal(version, "TLSv1.3")
    text = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-text"], input=der,
                          capture_output=True).stdout.decode()
    t.match("(prime256v1|secp384r1)", text)
    t.match("ecdsa-with-SHA(256|384)", text)
    # Old versions are refused.
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        context = web.tls_context(lowest=version, highest=version)
        context.set_ciphers("ALL:@SECLEVEL=0")
        with socket.create_connection(("127.0.0.1", c.https)) as s:
            try:
                context.wrap_socket(s)
            except (ssl.SSLError, ConnectionError):
                continue
            raise AssertionError(f"{version} accepted")
    # The same after a restart; the key is nowhere in the state folder in clear.
    c.restart()
    t.equal(certificate()[0], der)
    for path in pathlib.Path(c.state).rglob("*"):
        if path.is_file():
            t.check(b"PRIVATE KEY" not in path.read_bytes() or "agent" in path.parts, path)


def test_A4_rtsps(t):
    c = t.camera()
    c.setup(users=False)
    r = c.rtsp_client(tls=True).call("OPTIONS")
    t.equal(r.status, 200)
    t.match("DESCRIBE", r.get("public"))


def test_settings_survive_restart(t):
    c = t.camera()
    c.setup()
    t.equal(c.update("Image.I0.Appearance.Compression", "47").text.strip(), "OK")
    t.equal(c.update("Image.I0.Text.String", "Nördlich & süd=1 #").text.strip(), "OK")
    serial = c.param("Properties.System.SerialNumber")
    c.restart()
    t.equal(c.param("Image.I0.Appearance.Compression"), "47")
    t.equal(c.param("Image.I0.Text.String"), "Nördlich & süd=1 #")
    t.equal(c.param("Properties.System.SerialNumber"), serial)
    for name in ("operator", "viewer", "ptz"):
        t.equal(getattr(c, name).get("/axis-cgi/usergroup.cgi").status, 200, name)
    t.equal(c.first_admin("other").status, 401)


def test_settings_survive_kill(t):
    c = t.camera()
    c.setup()
    for value in range(20, 30):
        t.equal(c.update("Image.I0.Appearance.Compression", str(value)).text.strip(), "OK")
    c.kill()  # an acknowledged write is kept
    c.start()
    t.equal(c.param("Image.I0.Appearance.Compression"), "29")
    t.equal(c.viewer.get("/axis-cgi/usergroup.cgi").status, 200)


def test_serial_follows_seed(t):
    a, b = t.camera(seed=7), t.camera(seed=8)
    serials = []
    for c in (a, b):
        c.setup(users=False)
        serials.append(c.param("Properties.System.SerialNumber"))
        t.match("^[0-9A-F]{12}$", serials[-1])
        r = c.anon.get("/axis-cgi/param.cgi?action=list")
        t.equal(web.challenges(r)[0][1]["realm"], "AXIS_" + serials[-1])
    t.check(serials[0] != serials[1], serials)


def test_I14_clock_port(t):
    """Simulated time stands still until it is told to go on."""
    c = t.camera(clock="sim")
    c.setup(users=False)

    def now():
        return c.admin.json("/axis-cgi/time.cgi", "getDateTimeInfo")["data"]["dateTime"]
    first = now()
    t.equal(first, "2026-06-21T12:00:00Z")
    t.equal(now(), first)
    began = c.cpu()
    c.advance(3600)
    t.equal(now(), "2026-06-21T13:00:00Z")
    t.check(c.cpu() - began < 30, f"an idle hour took {c.cpu() - began:.1f} s of a core")
    for bad in ('{"advance":-1}', '{"advance":"x"}', '{}', '[]', '{"advance":1e300}', '{"advance":NaN}'):
        r = c.admin.post("/vedette/stage/clock", bad, type="application/json")
        t.equal(r.status, 400, bad)
    t.equal(now(), "2026-06-21T13:00:00Z")


def test_I14_no_advance_of_real_time(t):
    c = t.camera()
    c.setup(users=False)
    r = c.admin.post("/vedette/stage/clock", '{"advance":1}', type="application/json")
    t.check(400 <= r.status < 500, r)
