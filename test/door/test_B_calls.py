"""The calls of the picture's controls (rows B1, B7, B11): exact answers, roles,
bad input. What they do to the picture is measured elsewhere (test_B*_*.py)."""
import json
import time

import vedette

SHARED = {"clock": "sim"}
CGI = "/axis-cgi/"
I0 = "ImageSource.I0."


def call(t, client, cgi, method, params=None, version="1.0", **more):
    """Data of a JSON call that must succeed."""
    body = {"apiVersion": version, "context": "x", "method": method, **more}
    if params is not None:
        body["params"] = params
    r = client.post(CGI + cgi, json.dumps(body))
    t.equal(r.status, 200, method)
    t.equal(r.get("content-type").split(";")[0], "application/json")
    t.equal((r.json["context"], r.json["method"]), ("x", method))
    t.check("error" not in r.json, method, params, r.json)
    return r.json["data"]


def code(client, cgi, method, params=None, version="1.0", **more):
    """The error's number; None: it was none."""
    body = {"apiVersion": version, "method": method, "params": params or {}, **more}
    r = client.post(CGI + cgi, json.dumps(body))
    return r.json["error"]["code"] if r.status == 200 and "error" in r.json else \
        None if r.status == 200 else f"HTTP {r.status}"


def envelope(t, c, cgi, codes):
    """What every JSON call has in common, in the numbers of its family."""
    post_only, version, method, bad_json, missing = codes
    r = c.admin.get(CGI + cgi)
    t.equal(r.json["error"]["code"], post_only, "GET")
    for body in ("x", "[]", '{"a":1,"a":2}', '{"x":1e999}', "{" * 40):
        r = c.admin.post(CGI + cgi, body)
        t.equal((r.status, r.json["error"]["code"]), (200, bad_json), body)
    t.equal(c.admin.post(CGI + cgi, "{}").json["error"]["code"], missing, "no method")
    t.equal(code(c.admin, cgi, "fly"), method, "no such method")
    some = {"capturemode.cgi": "getCaptureModes", "daynight.cgi": "getConfiguration",
            "lightcontrol.cgi": "getLightInformation"}[cgi]
    t.equal(code(c.admin, cgi, some, version="7.0"), version, "no such version")
    for good in ("1", "1.0", "1.9"):
        t.equal(code(c.admin, cgi, some, version=good), None, good)
    t.equal(c.anon.post(CGI + cgi, "{}").status, 401)


# ---- B7: day and night ----

def test_B7_daynight(t):
    c = t.shared()
    want = [{"channel": 0, "DayNightShiftLevel": 100, "DayNightDwellTime": 3, "NightDayShiftLevel": 50,
             "NightDayDwellTime": 3, "Autotune": False, "NightFilter": "clear"}]
    cgi = "daynight.cgi"
    t.equal(call(t, c.operator, cgi, "getConfiguration", {"channel": 0}), want)
    t.equal(call(t, c.operator, cgi, "getConfiguration"), want)
    want[0].update(DayNightShiftLevel=20, NightDayDwellTime=60)
    t.equal(call(t, c.operator, cgi, "setConfiguration",
                 {"channel": 0, "DayNightShiftLevel": 20, "NightDayDwellTime": 60}), want)
    t.equal(call(t, c.operator, cgi, "getConfiguration"), want)
    t.equal(c.param(I0 + "DayNight.ShiftLevel"), "20")
    t.equal(c.param(I0 + "DayNight.NightDayDwellTime"), "60")
    # All or nothing.
    t.equal(code(c.operator, cgi, "setConfiguration", {"DayNightDwellTime": 9, "DayNightShiftLevel": 101}), 2104)
    for bad in ({"channel": 1}, {"channel": "0"}, {"DayNightShiftLevel": -1}, {"DayNightShiftLevel": 1.5},
                {"DayNightShiftLevel": "5"}, {"DayNightDwellTime": 3601}, {"Autotune": True},
                {"NightFilter": "850"}, {"DayNightShiftLevel": 1 << 40}):
        t.equal(code(c.operator, cgi, "setConfiguration", bad), 2104, bad)
    t.equal(call(t, c.operator, cgi, "getConfiguration"), want)
    can = call(t, c.operator, cgi, "getCapabilities", {"channel": 0})
    t.equal((can[0]["Autotune"], can[0]["DayNightShiftLevel"]), (False, True))
    t.equal(call(t, c.operator, cgi, "getSupportedVersions"), {"apiVersions": ["1.0"]})
    envelope(t, c, cgi, (2107, 2100, 2102, 2101, 2103))
    for client in (c.viewer, c.ptz):
        t.equal(code(client, cgi, "getConfiguration"), "HTTP 403")
    call(t, c.operator, cgi, "setConfiguration", {"DayNightShiftLevel": 100, "NightDayDwellTime": 3})


def test_B7_lightcontrol(t):
    c = t.shared()
    cgi, who = "lightcontrol.cgi", c.operator
    light = {"lightID": "led0"}
    items = call(t, who, cgi, "getLightInformation", version="1.1")["items"]
    if not items:
        t.skip("this source has no lamp yet")
    t.equal(set(items[0]), {"lightID", "lightType", "enabled", "synchronizeDayNightMode", "lightState",
                            "automaticIntensityMode", "automaticAngleOfIlluminationMode", "nrOfLEDs",
                            "error", "errorInfo"})
    t.equal((items[0]["lightID"], items[0]["lightType"], items[0]["enabled"],
             items[0]["synchronizeDayNightMode"]), ("led0", "IR", True, True))
    can = call(t, who, cgi, "getServiceCapabilities")
    t.equal(set(can), {"automaticIntensitySupport", "manualIntensitySupport", "individualIntensitySupport",
                       "getCurrentIntensitySupport", "manualAngleOfIlluminationSupport",
                       "automaticAngleOfIlluminationSupport", "dayNightSynchronizeSupport"})
    t.equal(can["individualIntensitySupport"], False)
    t.equal(call(t, who, cgi, "getValidIntensity", light), {"ranges": [{"low": 0, "high": 100}]})
    t.equal(call(t, who, cgi, "activateLight", light), {})
    t.equal(c.param(I0 + "Infrared.Mode"), "on")
    t.equal(call(t, who, cgi, "getLightSynchronizationDayNightMode", light), {"synchronize": False})
    t.equal(call(t, who, cgi, "setManualIntensity", {**light, "intensity": 40}), {})
    t.equal(call(t, who, cgi, "getManualIntensity", light), {"intensity": 40})
    t.equal((c.param(I0 + "Infrared.Intensity"), c.param(I0 + "Infrared.IntensityMode")), ("40", "manual"))
    ranges = call(t, who, cgi, "getValidAngleOfIllumination", light)["ranges"][0]
    t.check(0 < ranges["low"] < ranges["high"] <= 90, ranges)
    middle = (ranges["low"] + ranges["high"]) // 2
    t.equal(call(t, who, cgi, "setManualAngleOfIllumination", {**light, "angleOfIllumination": middle}), {})
    t.equal(call(t, who, cgi, "getManualAngleOfIllumination", light), {"angleOfIllumination": middle})
    t.equal(call(t, who, cgi, "setAutomaticAngleOfIlluminationMode", {**light, "enabled": True}), {})
    t.equal(c.param(I0 + "Infrared.Angle"), "0")
    t.equal(call(t, who, cgi, "setAutomaticIntensityMode", {**light, "enabled": True}), {})
    t.equal(c.param(I0 + "Infrared.IntensityMode"), "auto")
    t.equal(call(t, who, cgi, "deactivateLight", light), {})
    t.equal(c.param(I0 + "Infrared.Mode"), "off")
    t.equal(call(t, who, cgi, "enableLight", light), {})
    t.equal(c.param(I0 + "Infrared.Mode"), "auto")
    t.equal(call(t, who, cgi, "setLightSynchronizationDayNightMode", {**light, "enabled": False}), {})
    t.equal(c.param(I0 + "Infrared.Mode"), "off", "it is day: as it is just now")
    t.equal(call(t, who, cgi, "setLightSynchronizationDayNightMode", {**light, "enabled": True}), {})
    t.equal(call(t, who, cgi, "setManualIntensity", {**light, "intensity": 100}), {})
    t.equal(call(t, who, cgi, "setAutomaticIntensityMode", {**light, "enabled": True}), {})
    for params, want in (({}, 4001), ({"lightID": 0}, 4002), ({"lightID": "led1"}, 1002),
                         ({"lightID": ""}, 1002)):
        for method in ("activateLight", "getLightStatus", "setManualIntensity", "getValidIntensity"):
            t.equal(code(who, cgi, method, params), want, f"{method} {params}")
    for method, params, want in (
            ("setManualIntensity", {}, 4001), ("setManualIntensity", {"intensity": "40"}, 4002),
            ("setManualIntensity", {"intensity": 101}, 1000), ("setManualIntensity", {"intensity": -1}, 1000),
            ("setManualIntensity", {"intensity": 4.5}, 4002),
            ("setManualAngleOfIllumination", {"angleOfIllumination": 0}, 1000),
            ("setAutomaticIntensityMode", {}, 4001), ("setAutomaticIntensityMode", {"enabled": 1}, 4002),
            ("getIndividualIntensity", {"LEDID": 1}, 1001),
            ("setIndividualIntensity", {"LEDID": 1, "intensity": 3}, 1001)):
        t.equal(code(who, cgi, method, {**light, **params}), want, f"{method} {params}")
    envelope(t, c, cgi, (2002, 2003, 2004, 4000, 4001))
    for client in (c.viewer, c.ptz):
        t.equal(code(client, cgi, "getLightInformation"), "HTTP 403")
    t.equal(c.param("Properties.LightControl.LightControl2"), "yes")
    t.equal([a["id"] for a in call(t, c.anon, "apidiscovery.cgi", "getApiList", {"id": "light*"})["apiList"]],
            ["light-control"])


# ---- B11, B1: capture modes, mains, restart ----

def test_B11_capturemode(t):
    c = t.shared()
    cgi = "capturemode.cgi"
    data = call(t, c.viewer, cgi, "getCaptureModes")
    t.equal([d["channel"] for d in data], [1])
    modes = data[0]["captureMode"]
    t.equal([m["captureModeId"] for m in modes], list(range(len(modes))))
    t.equal([m["enabled"] for m in modes].count(True), 1)
    for m in modes:
        t.equal(set(m), {"captureModeId", "enabled", "maxFPS", "description"})
        t.match(r"^\d+x\d+( \(\d+:\d+\))? @ [\d.]+ fps$", m["description"])
        t.check(m["maxFPS"] > 0, m)
    on = next(m["captureModeId"] for m in modes if m["enabled"])
    t.equal(call(t, c.operator, cgi, "setCaptureMode", channel=1, captureModeId=on), {}, "no news")
    t.check(c.alive())
    for bad in ({}, {"channel": 1}, {"captureModeId": 0}, {"channel": 2, "captureModeId": 0},
                {"channel": 1, "captureModeId": len(modes)}, {"channel": 1, "captureModeId": -1},
                {"channel": 1, "captureModeId": "0"}, {"channel": "1", "captureModeId": 0}):
        t.equal(code(c.operator, cgi, "setCaptureMode", **bad), 4001, bad)
    for client in (c.viewer, c.ptz):
        t.equal(code(client, cgi, "setCaptureMode", channel=1, captureModeId=0), "HTTP 403")
    envelope(t, c, cgi, (2000, 2000, 4001, 4000, 4001))


def pid_and_start(c):
    fields = open(f"/proc/{c.process.pid}/stat").read().rpartition(")")[2].split()
    return c.process.pid, fields[19]


def came_anew(t, c):
    """The same process has begun anew and serves at its old addresses or new ones."""
    c.close_clients()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            c.wait_ready(30)
            c.client(*vedette.ADMIN).get("/axis-cgi/usergroup.cgi")
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("it did not come back")


def test_B1_save_and_restart(t):
    """What holds from the next start on: set, then restart.cgi. (row B1)"""
    c = t.camera()
    c.setup()
    for client in (c.operator, c.viewer, c.ptz):
        t.equal(client.get(CGI + "restart.cgi").status, 403)
        t.equal(client.get(CGI + "admin/restart.cgi").status, 403)
    t.equal(c.anon.get(CGI + "restart.cgi").status, 401)
    t.match("# Error", c.update(I0 + "CaptureFrequency", "60Hz", c.operator).text)
    t.match("# Error", c.update(I0 + "CaptureFrequency", "55Hz").text)
    t.equal(c.update(I0 + "CaptureFrequency", "60Hz").text.strip(), "OK")
    # A page of somebody else's does not restart it.
    for headers in ([("Origin", "http://evil.example")], [("Sec-Fetch-Site", "cross-site")],
                    [("User-Agent", "Mozilla/5.0")]):
        t.equal(c.client(*vedette.ADMIN).get(CGI + "restart.cgi", headers=headers).status, 403)
    t.equal(c.client(*vedette.ADMIN).call("HEAD", CGI + "restart.cgi").status, 200)
    before = c.admin.json(CGI + "systemready.cgi", "systemready", {"timeout": 1})["data"]["bootid"]
    r = c.admin.get(CGI + "restart.cgi")
    t.equal((r.status, r.get("content-type").split(";")[0]), (200, "text/html"))
    t.match("restartMessage", r.text)
    def again():
        came_anew(t, c)
        return c.admin.json(CGI + "systemready.cgi", "systemready", {"timeout": 1})["data"]["bootid"]
    end = time.monotonic() + 60
    while (after := again()) == before and time.monotonic() < end:
        time.sleep(0.1)
    t.check(after != before, "it did not start anew")
    t.equal(c.param(I0 + "CaptureFrequency"), "60Hz")
