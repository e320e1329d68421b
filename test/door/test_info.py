"""Identity, discovery, time, profiles: the JSON and text calls of row J1."""
import json
import re

import web

SOURCE = "virtual"  # as it is delivered


def test_J1_apidiscovery(t):
    c = t.shared()
    path = "/axis-cgi/apidiscovery.cgi"
    r = c.anon.post(path, '{"apiVersion":"1.0","context":"ü","method":"getApiList"}')
    t.match("^application/json", r.get("content-type"))
    j = r.json
    t.equal((j["method"], j["context"]), ("getApiList", "ü"))
    t.match(r"^1\.\d+$", j["apiVersion"])
    ids = {a["id"]: a for a in j["data"]["apiList"]}
    for need in ("api-discovery", "basic-device-info", "systemready", "user-management", "param-cgi",
                 "ptz-control", "stream-profiles", "time-service", "rtsp-over-websocket"):
        t.check(need in ids, need, sorted(ids))
        t.match(r"^\d+\.\d+$", ids[need]["version"])
        for key in ("name", "docLink", "status"):
            t.check(key in ids[need], key)
    j = c.anon.json(path, "getApiList", {"id": "param*"})
    t.equal([a["id"] for a in j["data"]["apiList"]], ["param-cgi"])
    t.equal(c.anon.json(path, "getApiList", {"id": "nothing"})["data"], {"apiList": []})
    j = c.anon.json(path, "getSupportedVersions", version=None)
    t.match(r"^\d+\.\d+$", j["data"]["apiVersions"][0])


def test_J1_json_envelope(t):
    c = t.shared()
    path = "/axis-cgi/apidiscovery.cgi"
    for context in ("c", 7, None, [1, {"a": 2}], {"x": "y"}, True):
        j = c.anon.json(path, "getApiList", {"id": "none"}, context=context)
        t.equal(j["context"], context)
    r = c.anon.post(path, '{"apiVersion":"1.0","method":"getApiList"}')
    t.check("context" not in r.json, "context only if it was sent")
    t.equal(c.anon.json(path, "getApiList", version="1")["method"], "getApiList")

    def code(body):
        r = c.anon.post(path, body)
        t.equal(r.status, 200, body)
        return r.json["error"]["code"]
    t.equal(code("{"), 4000)
    t.equal(code("[]"), 4000)
    t.equal(code(""), 4000)
    t.equal(code('{"apiVersion":"9.0","method":"getApiList"}'), 2003)
    t.equal(code('{"apiVersion":"1.0","method":"dance"}'), 2004)
    t.equal(code('{"apiVersion":"1.0"}'), 4002)
    t.equal(c.anon.get(path).json["error"]["code"], 2002, "GET")


def test_J1_basicdeviceinfo(t):
    c = t.shared()
    path = "/axis-cgi/basicdeviceinfo.cgi"
    free = c.anon.json(path, "getAllUnrestrictedProperties")["data"]["propertyList"]
    names = {"Brand", "BuildDate", "HardwareID", "ProdFullName", "ProdNbr", "ProdShortName", "ProdType",
             "ProdVariant", "SerialNumber", "Version", "WebURL"}
    t.equal(set(free), names)
    every = c.operator.json(path, "getAllProperties")["data"]["propertyList"]
    t.equal(set(every), names | {"Architecture", "Soc", "SocSerialNumber"})
    t.match("^[0-9A-F]{12}$", every["SerialNumber"])
    t.match(r"^\d+\.\d+\.\d+$", every["Version"])
    t.check(int(every["Version"].split(".")[0]) >= 11, every["Version"])
    t.check("axis" not in json.dumps(every).lower(), "another's brand")
    some = c.operator.json(path, "getProperties", {"propertyList": ["Brand", "ProdNbr"]})
    t.equal(set(some["data"]["propertyList"]), {"Brand", "ProdNbr"})
    j = c.operator.json(path, "getProperties", {"propertyList": ["Brand", "Shoe"]})
    t.equal(j["error"]["code"], 1000)
    # Rights by method: nobody and viewers get the free ones only.
    body = json.dumps({"apiVersion": "1.0", "method": "getAllProperties"})
    t.check(c.anon.post(path, body).status == 401)
    t.check(c.viewer.post(path, body).status == 403)


def test_J1_systemready(t):
    c = t.shared()
    j = c.anon.json("/axis-cgi/systemready.cgi", "systemready", {"timeout": 20}, version="1.1")
    data = j["data"]
    t.equal((data["systemready"], data["needsetup"]), ("yes", "no"))
    t.match(r"^\d+$", data["uptime"])
    t.match(r"^[0-9a-f-]+$", data["bootid"])
    # One client sends its params as a text.
    j = c.anon.json("/axis-cgi/systemready.cgi", "systemready", "{}")
    t.equal(j["data"]["systemready"], "yes")


def test_J1_imagesize(t):
    c = t.shared()
    r = c.viewer.get("/axis-cgi/imagesize.cgi")
    t.equal(r.get("content-type").split(";")[0], "text/plain")
    t.equal(r.text, "image width = 1920\nimage height = 1080\n")
    r = c.viewer.get("/axis-cgi/imagesize.cgi?camera=1&resolution=640x360")
    t.equal(r.text, "image width = 640\nimage height = 360\n")
    r = c.viewer.get("/axis-cgi/imagesize.cgi?resolution=640x360&rotation=90")
    t.check(r.status == 400 or r.text == "image width = 360\nimage height = 640\n", r)


def test_J1_time(t):
    c = t.camera(clock="sim")
    c.setup()
    path = "/axis-cgi/time.cgi"
    d = c.viewer.json(path, "getDateTimeInfo")["data"]
    t.equal(d["dateTime"], "2026-06-21T12:00:00Z")
    for key in ("localDateTime", "timeZone", "posixTimeZone", "dstEnabled", "maxYearSupported"):
        t.check(key in d, key)
    zones = c.viewer.json(path, "getAll")["data"]["timeZones"]
    t.check("Europe/Stockholm" in json.dumps(zones))
    set_zone = json.dumps({"apiVersion": "1.0", "method": "setTimeZone",
                           "params": {"timeZone": "Europe/Stockholm"}})
    t.equal(c.viewer.post(path, set_zone).status, 403)
    r = c.operator.post(path, set_zone).json
    t.check("error" not in r, r)
    d = c.viewer.json(path, "getDateTimeInfo")["data"]
    t.equal(d["timeZone"], "Europe/Stockholm")
    t.equal(d["localDateTime"], "2026-06-21T14:00:00+02:00")
    t.equal(d["dstEnabled"], True)
    j = c.operator.json(path, "setTimeZone", {"timeZone": "Moon/Sea"})
    t.equal(j["error"]["code"], 4004, j)
    j = c.operator.json(path, "setDateTime", {"dateTime": "2030-01-02T03:04:05Z"})
    t.check("error" not in j, j)
    t.equal(c.viewer.json(path, "getDateTimeInfo")["data"]["dateTime"], "2030-01-02T03:04:05Z")
    for bad in ("yesterday", "2030-13-01T00:00:00Z", "2030-01-02", "", 5):
        j = c.operator.json(path, "setDateTime", {"dateTime": bad})
        t.check("error" in j, bad, j)
    c.restart()
    t.equal(c.viewer.json(path, "getDateTimeInfo")["data"]["timeZone"], "Europe/Stockholm")


def test_J1_streamprofile(t):
    c = t.shared()
    path = "/axis-cgi/streamprofile.cgi"
    d = c.viewer.json(path, "list", {"streamProfileName": []})["data"]
    t.equal(d["maxProfiles"], 26)
    names = [p["name"] for p in d["streamProfile"]]
    for name in ("Mobile", "Garden"):
        if name not in names:
            r = c.admin.post("/axis-cgi/param.cgi", web.q(
                action="add", template="streamprofile", group="StreamProfile",
                **{"StreamProfile.S.Name": name, "StreamProfile.S.Parameters": "resolution=320x180"}))
            t.match(r"^S\d+ OK", r.text)
    one = c.viewer.json(path, "list", {"streamProfileName": [{"name": "Mobile"}]})["data"]
    t.equal([p["name"] for p in one["streamProfile"]], ["Mobile"])
    every = c.viewer.json(path, "list", {"streamProfileName": []})["data"]["streamProfile"]
    t.check({"Mobile", "Garden"} <= {p["name"] for p in every}, every)
    for key in ("name", "description", "parameters"):
        t.check(isinstance(one["streamProfile"][0][key], str), key)
    j = c.viewer.json(path, "list", {"streamProfileName": [{"name": "Nobody"}]})
    t.equal(j["error"]["code"], 2006, j)
    j = c.viewer.json(path, "dance")
    t.equal(j["error"]["code"], 2005, j)


def test_headers_of_every_answer(t):
    """SEC-12: what keeps other pages' hands off, and no version before login."""
    c = t.shared()
    for r in (c.anon.get("/"), c.anon.get("/axis-cgi/param.cgi"),
              c.admin.get("/axis-cgi/param.cgi?action=list&group=Brand"), c.admin.get("/nosuch")):
        t.equal(r.get("x-content-type-options"), "nosniff")
        t.match("frame-ancestors 'none'", r.get("content-security-policy"))
        t.check("unsafe" not in r.get("content-security-policy"), r.headers)
        t.check(not re.search(r"\d", r.get("server") or ""), r.get("server"))


def test_tolerant_paths_and_methods(t):
    c = t.shared()
    for path in ("//axis-cgi/param.cgi?action=list&group=Brand.Brand",
                 "/axis-cgi/view/param.cgi?action=list&group=Brand.Brand",
                 "/axis-cgi/admin/param.cgi?action=list&group=Brand.Brand",
                 "/axis-cgi/operator/param.cgi?action=list&group=Brand.Brand"):
        t.match("^root.Brand.Brand=", c.admin.get(path).text, path)
    r = c.admin.call("HEAD", "/axis-cgi/usergroup.cgi")
    t.equal((r.status, r.body), (200, b""))
    r = c.admin.call("DELETE", "/axis-cgi/usergroup.cgi")
    t.equal(r.status, 405)
    t.match("GET", r.get("allow"))
    # HTTP/1.0 and Connection: close.
    conn = c.client().connect()
    conn.send(b"GET / HTTP/1.0\r\n\r\n")
    r = conn.reply()
    t.equal(r.status, 200)
    t.check(conn.closed_within(5), "HTTP/1.0 keeps the connection")
    # Two requests in one packet are both answered, in order.
    conn = c.client().connect()
    conn.send(b"GET /nosuch1 HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
    t.equal((conn.reply().status, conn.reply().status), (401, 200))
    # A request that comes byte by byte.
    conn = c.client().connect()
    for b in b"GET / HTTP/1.1\r\nHost: x\r\n\r\n":
        conn.send(bytes([b]))
    t.equal(conn.reply().status, 200)
    conn.send(b"HELO x\r\n\r\n")
    t.equal(conn.reply().status, 400)
