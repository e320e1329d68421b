"""Preview mode (row A2): without an account the picture can be seen and focused for a while
after the start, and nothing else, and never once there is an account."""
import json
import os
import shutil
import time

import pictures
import web

PREVIEW = "/vedette/preview"
VIDEO = PREVIEW + "/video"
ORDER = PREVIEW + "/order"
BROWSER = ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/120")


def left(c, client=None):
    r = (client or c.anon).get(PREVIEW)
    return r.json["leftS"] if r.status == 200 else None


def watch(c, target=VIDEO, client=None, headers=()):
    """Asks for the stream; its head."""
    client = client or c.client()
    client.send("GET", target, headers=list(headers))
    return client, client.conn.head()


def one_picture(client):
    """The next JPEG of an open stream."""
    head = client.conn.until(b"\r\n\r\n").decode()
    n = int([l for l in head.splitlines() if l.lower().startswith("content-length")][0].split(":")[1])
    return client.conn.exactly(n)


def order(c, body, client=None, **kw):
    return (client or c.anon).post(ORDER, json.dumps(body) if not isinstance(body, str) else body,
                                   type="application/json", **kw)


def test_A2_picture_without_login(t):
    c = t.camera()
    t.near(left(c), 7200, 60, "two hours after the start")
    t.near(c.anon.get("/vedette/session").json["previewS"], 7200, 60)
    client, head = watch(c)
    t.equal(head.status, 200)
    t.match("multipart/x-mixed-replace", head.get("content-type"))
    jpeg = one_picture(client)
    t.check(jpeg[:2] == b"\xff\xd8" and len(jpeg) > 10000, len(jpeg))
    # Over TLS as well.
    client, head = watch(c, client=c.client(tls=True))
    t.equal(head.status, 200)
    t.check(one_picture(client)[:2] == b"\xff\xd8")


def test_A2_view_only(t):
    """Everything else stays shut: the table of routes, walked by a stranger."""
    c = t.camera()
    routes = _routes(t)
    open_now = {r["path"] for r in routes if r["openForPreview"]}
    t.equal(open_now, {PREVIEW, VIDEO, ORDER})
    for row in routes:
        if row["role"] == "anyone" or row["openForSetup"] or row["openForPreview"]:
            continue
        for method in set(row["methods"]) & {"GET", "POST"}:
            client = c.client(timeout=20)
            client.send(method, row["path"], b"{}" if method == "POST" else b"")
            t.equal(client.conn.head().status, 401, f"{method} {row['path']}")
            client.close()
    # Other spellings of what is open open nothing.
    for path in ("/vedette/preview/../stage", "/vedette/preview/", "/vedette/preview/x",
                 "/vedette//preview/../../axis-cgi/param.cgi", "/vedette/preview%2f..%2fstage",
                 "/vedette/preview/video/../../routes"):
        t.check(c.anon.get(path).status in (400, 401, 404), path)
    # Nor does RTSP.
    t.equal(c.rtsp_client("/axis-media/media.amp", None, None).describe().status, 401)
    r = web.WebSocket(c.client(), "/rtsp-over-websocket", protocol="binary").reply
    t.equal(r.status, 401)
    t.equal(web.WebSocket(c.client(), "/vedette/ws").reply.status, 401)


def _routes(t):
    other = t.camera()
    other.setup(users=False)
    rows = other.admin.get("/vedette/routes").json
    other.stop()
    return rows


def test_A2_arguments_mean_nothing(t):
    """One size and one rate for strangers, whatever they ask for."""
    c = t.camera(source="virtual")
    client, head = watch(c, VIDEO + "?resolution=160x90&fps=120&rotation=90&nbrofframes=1&videocodec=h264"
                                    "&streamprofile=Mobile&compression=0")
    t.equal(head.status, 200)
    width, height = pictures.jpeg_size(one_picture(client))
    t.equal((width, height), (1920, 1080))
    t.check(one_picture(client), "nbrofframes means nothing")


def test_A2_focus_is_all_that_moves(t):
    c = t.camera()
    t.equal(order(c, {"focus": 0.25}).status, 200)
    for _ in range(100):
        focus = c.anon.get(PREVIEW).json["eye"]["focus"]
        if abs(focus - 0.25) < 0.01:
            break
        time.sleep(0.05)
    t.near(focus, 0.25, 0.01)
    t.equal(order(c, {"focusOnce": True}).status, 200)
    t.equal(order(c, {"focusAuto": True}).status, 200)
    for body in ({"recall": "add"}, {"assist": True}, {"spot": [0.5, 0.5]}, {"focus": 0.5, "recall": "add"},
                 {"pan": 3}, {"focus": 0.5, "x": 1}):
        t.equal(order(c, body).status, 403, body)
    for body in ({}, {"focus": 2}, {"focus": -1}, {"focus": "x"}, {"focusOnce": False}, "[]", "x", "",
                 '{"focus":1e999}', '{"focus":NaN}'):
        t.equal(order(c, body).status, 400, body)
    t.equal(order(c, '{"focus":0.5,"pad":"' + "x" * 300 + '"}').status, 413)
    t.equal(c.anon.get(ORDER).status, 405)


def test_A2_ends_with_the_first_administrator(t):
    c = t.camera()
    client, head = watch(c)
    t.equal(head.status, 200)
    one_picture(client)
    c.first_admin()
    t.check(client.conn.closed_within(10), "the stream goes on")
    for path in (PREVIEW, VIDEO):
        t.equal(c.anon.get(path).status, 401, path)
    t.equal(order(c, {"focus": 0.5}).status, 401)
    t.check("previewS" not in c.anon.get("/vedette/session").json)
    # Not even for those who have logged in: theirs is the live view.
    for path in (PREVIEW, VIDEO):
        t.equal(c.admin.get(path).status, 409, path)
    t.equal(order(c, {"focus": 0.5}, c.admin).status, 409)
    # A restart does not bring it back.
    c.restart()
    t.equal(c.anon.get(PREVIEW).status, 401)
    t.equal(c.anon.get(VIDEO).status, 401)


def test_A2_of_many_who_watch_none_stays(t):
    """The administrator is made while eight watch and others try to begin."""
    c = t.camera()
    watchers = []
    for _ in range(8):
        client, head = watch(c)
        t.equal(head.status, 200)
        watchers.append(client)
    t.equal(c.client().get(VIDEO).status, 503, "a ninth")
    watchers.pop().close()
    for _ in range(100):
        client = c.client()
        client.send("GET", VIDEO)
        head = client.conn.head()
        if head.status == 200:
            watchers.append(client)
            break
        time.sleep(0.05)
    t.equal(head.status, 200, "a place became free")
    c.first_admin()
    for client in watchers:
        t.check(client.conn.closed_within(10), "one goes on")


def test_A2_other_pages_get_nothing(t):
    """A page of somebody else's, or a name that points here, cannot look or focus."""
    c = t.camera()
    foreign = [BROWSER, ("Origin", "http://evil.example"), ("Sec-Fetch-Site", "cross-site")]
    rebound = [BROWSER, ("Host", f"evil.example:{c.http}")]
    for headers in (foreign, foreign[:2], [BROWSER, foreign[2]], rebound):
        t.equal(c.client().get(PREVIEW, headers=headers).status, 403, headers)
        t.equal(watch(c, headers=headers)[1].status, 403, headers)
        t.equal(order(c, {"focus": 0.1}, c.client(), headers=headers).status, 403, headers)
    own = [BROWSER, ("Host", f"127.0.0.1:{c.http}"), ("Origin", f"http://127.0.0.1:{c.http}")]
    t.equal(c.client().get(PREVIEW, headers=own).status, 200)
    t.equal(order(c, {"focus": 0.1}, c.client(), headers=own).status, 200)


def test_A2_setting_ends_it(t):
    """Preview.Time is an administrator's; 0: there is none. (That time ends it: unit_gate.)"""
    c = t.camera()
    c.setup()
    t.equal(c.param("ImageSource.I0.Preview.Time"), "120")
    t.match("# Error", c.update("ImageSource.I0.Preview.Time", "0", c.operator).text)
    t.match("# Error", c.update("ImageSource.I0.Preview.Time", "-1").text)
    t.equal(c.update("ImageSource.I0.Preview.Time", "0").text.strip(), "OK")
    # Back to the state before the first account, settings kept.
    c.stop()
    shutil.rmtree(os.path.join(c.state, "agent"))
    c.start()
    t.equal(c.anon.get("/vedette/session").json["needsetup"], True)
    t.check("previewS" not in c.anon.get("/vedette/session").json)
    for path in (PREVIEW, VIDEO):
        t.equal(c.anon.get(path).status, 401, path)
    t.equal(order(c, {"focus": 0.5}).status, 401)
