"""vedettectl against the camera (row J3): what it prints, how it ends."""
import json
import os
import subprocess

import pictures
import vedette


def tool(c, *args, login=vedette.ADMIN, tls=False, env=None, stdin=None):
    program = vedette.ROOT / vedette.BUILDS[c.build] / "cli" / "vedettectl"
    assert program.exists(), f"{program} is not built"
    host = f"{'https' if tls else 'http'}://127.0.0.1:{c.https if tls else c.http}"
    argv = [str(program), "-H", host]
    if login:
        argv += ["-u", f"{login[0]}:{login[1]}"]
    clean = {k: v for k, v in vedette.environment().items() if not k.startswith("VEDETTE_")}
    clean.update(HOME="/nonexistent", XDG_CONFIG_HOME="/nonexistent", **(env or {}))
    return subprocess.run([*argv, *args], capture_output=True, text=True, timeout=60, env=clean,
                          stdin=subprocess.DEVNULL)


def test_J3_status(t):
    c = t.shared()
    p = tool(c, "--json", "status")
    t.equal(p.returncode, 0, p.stderr)
    j = json.loads(p.stdout)
    t.equal((j["ready"], j["needs_setup"]), (True, False))
    t.equal(j["serial"], c.param("Properties.System.SerialNumber"))
    t.check("pan" in j["position"])
    p = tool(c, "status", login=None)
    t.equal(p.returncode, 0, p.stderr)
    t.match(r"(?m)^state +ready$", p.stdout)
    jq = subprocess.run(["jq", "-r", ".serial"], input=tool(c, "--json", "status").stdout,
                        capture_output=True, text=True)
    t.equal(jq.stdout.strip(), j["serial"])


def test_J3_status_in_factory_default(t):
    c = t.camera()
    j = json.loads(tool(c, "-j", "status", login=None).stdout)
    t.equal(j["needs_setup"], True)


def test_J3_snapshot(t):
    c = t.shared()
    d = t.dir()
    p = tool(c, "--json", "snapshot", str(d / "a.jpg"), "--resolution", "640x360")
    t.equal(p.returncode, 0, p.stderr)
    j = json.loads(p.stdout)
    data = (d / "a.jpg").read_bytes()
    t.equal((j["width"], j["height"], j["bytes"]), (640, 360, len(data)))
    t.equal(j["picture"], pictures.jpeg_stamp(data))
    t.equal(os.listdir(d), ["a.jpg"], "nothing else is left")
    (d / "new").touch()
    t.equal((d / "a.jpg").stat().st_mode, (d / "new").stat().st_mode, "rights as of any new file")
    p = tool(c, "snapshot", str(d / "b.jpg"), "--resolution", "5x5")
    t.equal(p.returncode, 1)
    t.match("resolution", p.stderr)
    t.check(not (d / "b.jpg").exists())
    t.equal(tool(c, "snapshot", "/nonexistent/x.jpg").returncode, 4)
    t.equal(tool(c, "snapshot").returncode, 2)


def test_J3_ptz(t):
    c = t.shared()
    p = tool(c, "--json", "ptz", "goto", "30", "-10", "5x", "--wait")
    t.equal(p.returncode, 0, p.stderr)
    j = json.loads(p.stdout)
    t.near(j["pan"], 30, 0.01)
    t.near(j["tilt"], -10, 0.01)
    t.near(j["zoom"], 1 + 4 / 29 * 9998, 2)
    t.match(r"^pan 30\.\d+\ntilt -10\.\d+\nzoom \d+\n$", tool(c, "ptz", "position").stdout)
    t.equal(tool(c, "ptz", "move", "by", "-10", "0", "--wait").returncode, 0)
    t.near(c.position()["pan"], 20, 0.01)
    t.equal(tool(c, "ptz", "move", "at", "20", "0", "--for", "0.3", "--wait").returncode, 0)
    t.check(c.position()["pan"] > 20.5)
    t.equal(tool(c, "ptz", "home", "--wait").returncode, 0)
    t.near(c.position()["pan"], 0, 0.01)
    t.equal(tool(c, "ptz", "stop").returncode, 0)
    p = tool(c, "ptz", "goto", "400", "0")
    t.equal(p.returncode, 1)
    t.match("pan", p.stderr)
    for bad in (["ptz"], ["ptz", "goto", "1"], ["ptz", "goto", "a", "b"], ["ptz", "goto", "nan", "0"],
                ["ptz", "goto", "0x10", "0"], ["ptz", "position", "--speed"],
                ["ptz", "home", "--speed", "900"]):
        t.equal(tool(c, *bad).returncode, 2, bad)
    t.equal(tool(c, "ptz", "move", "sideways").returncode, 1)
    t.equal(tool(c, "ptz", "home", login=vedette.USERS["viewer"][:2]).returncode, 1)


def test_J3_ptz_presets(t):
    c = t.shared()
    ok = lambda *args: tool(c, *args)
    r = ok("ptz", "preset", "add", "Gate & yard")
    t.equal((r.returncode, r.stdout, r.stderr), (0, "", ""))
    t.match(r"(?m)^1\tHome\tpan=0\.0000:tilt=0\.0000:zoom=1", ok("ptz", "preset", "list").stdout)
    listed = json.loads(ok("--json", "ptz", "preset", "list").stdout)
    t.equal([(p["number"], p["name"]) for p in listed], [(1, "Home"), (2, "Gate & yard")])
    t.equal(ok("ptz", "preset", "go", "Gate & yard").returncode, 0)
    t.equal(ok("ptz", "preset", "go", "1", "--wait").returncode, 0)
    r = ok("ptz", "preset", "go", "Nowhere")
    t.equal(r.returncode, 1)
    t.check("Nowhere" in r.stderr, r.stderr)
    t.equal(ok("ptz", "preset", "remove", "2").returncode, 0)
    t.equal(ok("ptz", "tour", "list").stdout, "")
    t.equal(ok("ptz", "tour", "start", "3").returncode, 1)
    for words in (("preset",), ("preset", "go"), ("preset", "jump", "1"), ("tour", "start", "x"), ("tour",)):
        t.equal(ok("ptz", *words).returncode, 2, words)


def test_J3_param(t):
    c = t.shared()
    name = "Image.I0.Appearance.Compression"
    was = tool(c, "param", "get", name).stdout.strip()
    p = tool(c, "param", "set", name + "=61")
    t.equal(p.returncode, 0, p.stderr)
    t.equal(tool(c, "param", "get", name).stdout, "61\n")
    t.equal(json.loads(tool(c, "-j", "param", "get", name).stdout), {name: "61"})
    j = json.loads(tool(c, "-j", "param", "list", "Image.I0.Appearance").stdout)
    t.equal(j[name], "61")
    p = tool(c, "param", "set", name + "=900")
    t.equal(p.returncode, 1)
    t.match(name, p.stderr)
    t.equal(tool(c, "param", "get", "Foo.Bar").returncode, 1)
    t.equal(tool(c, "param", "get", "Brand").returncode, 1)
    t.equal(tool(c, "param", "set", "noequals").returncode, 2)
    text = "a=b & 100% \"ü\" #"
    t.equal(tool(c, "param", "set", "Image.I0.Text.String=" + text).returncode, 0)
    t.equal(tool(c, "param", "get", "Image.I0.Text.String").stdout, text + "\n")
    tool(c, "param", "set", "Image.I0.Text.String=", name + "=" + was)


def test_J3_logins(t):
    c = t.shared()
    p = tool(c, "param", "list", login=None)
    t.equal(p.returncode, 1)
    t.match("login", p.stderr)
    t.equal(tool(c, "param", "list", login=("root", "wrong")).returncode, 1)
    env = {"VEDETTE_USER": vedette.ADMIN[0], "VEDETTE_PASSWORD": vedette.ADMIN[1]}
    t.equal(tool(c, "param", "get", "Brand.Brand", login=None, env=env).returncode, 0)
    d = t.dir()
    (d / "vedette").mkdir()
    path = d / "vedette" / "credentials"
    path.write_text("%s:%s\n" % vedette.ADMIN)
    path.chmod(0o600)
    t.equal(tool(c, "-c", str(path), "param", "get", "Brand.Brand", login=None).returncode, 0)
    path.chmod(0o644)
    p = tool(c, "-c", str(path), "param", "get", "Brand.Brand", login=None)
    t.equal(p.returncode, 4)
    t.match("chmod 600", p.stderr)


def test_J3_reach(t):
    c = t.shared()
    p = tool(c, "status", tls=True)
    t.equal(p.returncode, 3, "a self-signed certificate")
    t.match("-k", p.stderr)
    t.equal(tool(c, "-k", "status", tls=True).returncode, 0)
    program = str(vedette.ROOT / vedette.BUILDS[c.build] / "cli" / "vedettectl")

    def run(*args):
        return subprocess.run([program, *args], capture_output=True, text=True, timeout=60,
                              env=vedette.environment())
    t.equal(run("-H", "127.0.0.1:1", "status").returncode, 3)
    t.equal(run("-H", "ftp://x", "status").returncode, 2)
    t.equal(run().returncode, 2)
    t.equal(run("dance").returncode, 2)
    t.equal(run("--nonsense").returncode, 2)
    p = run("--help")
    t.equal(p.returncode, 0)
    t.match("exit status", p.stdout)
