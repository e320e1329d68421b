"""vedettectl stage (row J4): the same hand on the stage, from the command line."""
import json

import vedette
from test_cli import tool


def test_J4_cli(t):
    c = t.camera(clock="sim")
    c.setup()
    p = tool(c, "stage")
    t.equal(p.returncode, 0, p.stderr)
    t.match(r"(?m)^hour +12 h$", p.stdout)
    t.match(r"(?m)^weather +clear$", p.stdout)
    t.equal(tool(c, "stage", "hour", "18.5").returncode, 0)
    t.equal(tool(c, "stage", "weather", "rain", "0s").returncode, 0)
    t.equal(tool(c, "stage", "lens", "spray", "0.5", "0s").returncode, 0)
    t.equal(tool(c, "stage", "wind", "to", "-90").returncode, 0)
    j = json.loads(tool(c, "-j", "stage").stdout)
    t.equal((j["values"]["hour"], j["values"]["weather"], j["values"]["spray"], j["set"]["windTo"]),
            (18.5, "rain", 0.5, -90))
    j = json.loads(tool(c, "-j", "stage", "knock", "4").stdout)
    t.check(abs(j["body"]["acceleration"][0]) > 1)
    j = json.loads(tool(c, "-j", "stage", "advance", "10").stdout)
    t.equal(j["now"], 10)
    t.match("^2026-06-21T12:00:12", tool(c, "stage", "advance", "2").stdout)
    p = tool(c, "stage", "can")
    t.match(r"(?m)^weather clear\|cloudy\|", p.stdout)
    t.match(r"(?m)^hour 0…24 h$", p.stdout)
    can = json.loads(tool(c, "-j", "stage", "can").stdout)
    t.check("knock" in [r["name"] for r in can])


def test_J4_cli_people(t):
    c = t.camera(clock="sim")
    c.setup()
    who = tool(c, "stage", "spawn", "man", "at", "3", "30").stdout.strip()
    p = tool(c, "stage", "cast")
    t.match(f"(?m)^{who} +man +at 3.0 30.0 ", p.stdout)
    t.check(who in [m["id"] for m in json.loads(tool(c, "-j", "stage", "cast").stdout)])
    t.equal(tool(c, "stage", "remove", who).returncode, 0)
    t.equal(tool(c, "stage", "remove", who).returncode, 1)
    t.match(r"(?m)^default +\S", tool(c, "stage", "scenario").stdout)
    t.equal(tool(c, "stage", "scenario", "default").returncode, 0)
    d = t.dir()
    (d / "mine.scenario").write_text("scenario mine\ntitle Mine\nplace street\nlength 60 s loop\n"
                                     "hour 4\nactor me man at 3 30\n")
    t.equal(tool(c, "stage", "scenario", "--file", str(d / "mine.scenario")).returncode, 0)
    j = json.loads(tool(c, "-j", "stage").stdout)
    t.equal((j["scenario"]["name"], j["values"]["hour"]), ("mine", 4))
    t.equal(tool(c, "stage", "scenario", "default").returncode, 0)
    # Kept in the camera, it has a name.
    t.equal(tool(c, "stage", "scenario", "mine").returncode, 1)
    t.equal(tool(c, "stage", "scenario", "--keep", str(d / "mine.scenario")).returncode, 0)
    t.match(r"(?m)^mine +Mine$", tool(c, "stage", "scenario").stdout)
    t.equal(tool(c, "stage", "scenario", "--show", "mine").stdout, (d / "mine.scenario").read_text())
    t.equal(tool(c, "stage", "scenario", "mine").returncode, 0)
    t.equal(tool(c, "stage", "scenario", "--remove", "mine").returncode, 0)
    p = tool(c, "stage", "scenario", "--remove", "mine")
    t.equal((p.returncode, p.stderr), (1, "vedettectl: There is no scenario of this name.\n"))
    p = tool(c, "stage", "scenario", "--remove", "default")
    t.match("came with the camera", p.stderr)


def test_J4_cli_refusals(t):
    c = t.shared()
    for words in (["hour", "25"], ["fly"], ["weather", "sunny"], ["knock", "3", "5s"],
                  ["scenario", "nothing"], ["spawn", "nobody"], ["remove", "nobody"], ["gate", "blow"],
                  ["advance", "5"]):  # this camera lives in real time
        p = tool(c, "stage", *words)
        t.equal(p.returncode, 1, words)
        t.match("^vedettectl: .{8}", p.stderr, words)
    for words in (["advance", "-1"], ["advance", "x"], ["advance"], ["spawn"], ["remove"], ["gate"],
                  ["scenario", "a", "b"], ["scenario", "--file"], ["cast", "x"], ["can", "x"],
                  ["scenario", "--show", "a/b"], ["scenario", "--show", ".."], ["scenario", "--remove", ""]):
        t.equal(tool(c, "stage", *words).returncode, 2, words)
    t.equal(tool(c, "stage", "scenario", "--file", "/nonexistent").returncode, 4)
    own = t.dir() / "own"
    own.write_text("scenario own\nplace street\nactor a man walk 0 20 10 20\n")
    p = tool(c, "stage", "scenario", "--file", str(own))
    t.equal((p.returncode, p.stderr), (1, "vedettectl: line 3: points stand in parentheses: (X Y X Y …)\n"))
    p = tool(c, "stage", "spawn", "man", "walk", "nowhere")
    t.equal((p.returncode, p.stderr), (1, "vedettectl: there is no path nowhere above this line\n"))
    p = tool(c, "stage", login=vedette.USERS["operator"][:2])
    t.equal(p.returncode, 1)
    t.match("may not", p.stderr)
