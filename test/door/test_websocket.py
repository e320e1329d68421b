"""RTSP over WebSocket, and the public WebSocket /vedette/ws (rows E9, J1)."""
import json
import re

import pictures
import rtsp
import vedette
import web

PATH = "/rtsp-over-websocket"


class Wire:
    """Makes a WebSocket look like the connection that Rtsp reads from."""

    def __init__(self, ws):
        self.ws, self.buf, self.messages = ws, b"", []

    def send(self, data):
        self.ws.send(data)

    def fill(self):
        m = self.ws.receive()
        if m is None:
            raise web.Closed("WebSocket closed")
        assert isinstance(m, bytes), "text inside a binary subprotocol"
        self.messages.append(m)
        self.buf += m

    def close(self):
        self.ws.close()

    until, exactly, head, reply, rest = (web.Conn.until, web.Conn.exactly, web.Conn.head,
                                         web.Conn.reply, web.Conn.rest)


def play(t, c, ws, query="?resolution=640x360"):
    t.check(ws.open, ws.reply)
    s = rtsp.Rtsp(4567, "/axis-media/media.amp" + query, host="192.0.2.10", conn=Wire(ws))
    r = s.describe()
    t.equal(r.status, 200, "no second login inside")
    t.check(s.conn.messages[-1].endswith(r.body), "the reply is one message that ends with its body")
    t.equal(s.setup("RTP/AVP/TCP;unicast;interleaved=0-1").status, 200)
    t.equal(s.play().status, 200)
    for _ in range(10):
        _, unit = s.unit()
    t.check(pictures.sei_stamp(unit))
    return s


def test_E2_rtsp_over_websocket(t):
    c = t.shared()
    ws = c.websocket(PATH, protocol="binary")
    t.equal(ws.reply.get("sec-websocket-protocol"), "binary")
    play(t, c, ws)
    # The upgrade after a 401 on the same connection, as one client does.
    client = c.client(*vedette.ADMIN)
    client.connect()
    play(t, c, c.websocket(PATH, client, protocol="binary"))


def test_E2_rtsp_over_websocket_token(t):
    c = t.shared()
    r = c.viewer.get("/axis-cgi/rtspwssession.cgi?1700000000000")
    t.equal(r.get("content-type").split(";")[0], "text/plain")
    token = r.text.strip()
    t.match("^[!-~]{16,}$", token)
    target = PATH + "?rtspwssession=" + token
    ws = c.websocket(target, c.client(), protocol="binary",
                     headers=[("Origin", "https://elsewhere.example")])
    play(t, c, ws)
    t.equal(c.websocket(target, c.client(), protocol="binary").reply.status, 401, "used twice")
    t.equal(c.websocket(PATH + "?rtspwssession=guess", c.client(), protocol="binary").reply.status, 401)
    t.equal(c.websocket(PATH, c.client(), protocol="binary").reply.status, 401)
    t.equal(c.anon.get("/axis-cgi/rtspwssession.cgi").status, 401)


def test_E2_token_lives_15_seconds(t):
    c = t.camera(clock="sim")
    c.setup(users=False)
    token = c.admin.get("/axis-cgi/rtspwssession.cgi").text.strip()
    c.advance(16)
    ws = c.websocket(PATH + "?rtspwssession=" + token, c.client(), protocol="binary")
    t.equal(ws.reply.status, 401)


def test_websocket_bad_upgrades(t):
    c = t.shared()
    for headers, protocol in (([], "soap"), ([("Origin", "http://evil.example")], "binary")):
        ws = c.websocket(PATH, protocol=protocol, headers=headers)
        t.check(ws.reply.status in (400, 403), headers, protocol, ws.reply)
    r = c.admin.get(PATH)
    t.check(400 <= r.status < 500, r)
    r = c.admin.get(PATH, headers=[("Upgrade", "websocket"), ("Connection", "Upgrade"),
                                   ("Sec-WebSocket-Version", "12"),
                                   ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")])
    t.check(r.status in (400, 426), r)


def test_websocket_protocol_errors(t):
    c = t.shared()

    def fresh():
        return c.websocket("/vedette/ws")
    ws = fresh()
    ws.send("x", mask=False)
    t.check(ws_ends(ws), "unmasked frame")
    ws = fresh()
    ws.conn.send(b"\x81\xff" + b"\x7f" + b"\xff" * 7 + b"abcd")
    t.check(ws_ends(ws), "frame of 2^63 bytes")
    ws = fresh()
    ws.send("x" * 70000)
    t.check(ws_ends(ws), "too long a message")
    ws = fresh()
    ws.send(b"\xff\xfe", opcode=1)
    t.check(ws_ends(ws), "text that is no UTF-8")
    ws = fresh()
    ws.send("", opcode=9, fin=False)
    t.check(ws_ends(ws), "fragmented ping")
    ws = fresh()
    ws.send("x", opcode=0)
    t.check(ws_ends(ws), "continuation of nothing")
    ws = fresh()
    ws.send("hi", opcode=9)
    while True:
        fin, op, data = ws.frame()
        if op == 10:
            t.equal(data, b"hi")
            break


def ws_ends(ws):
    for _ in range(200):
        if ws.receive(5) is None:
            return True
    return False


class Talk:
    """Requests and answers of /vedette/ws."""

    def __init__(self, ws):
        assert ws.open, ws.reply
        self.ws, self.n, self.news = ws, 0, []

    def receive(self):
        m = self.ws.receive()
        assert isinstance(m, str), m
        return json.loads(m)

    def ask(self, do, **args):
        self.n += 1
        self.ws.send(json.dumps({"id": self.n, "do": do, **args}))
        while True:
            m = self.receive()
            if m.get("id") == self.n:
                return m
            self.news.append(m)


def test_E9_ws(t):
    c = t.shared()
    talk = Talk(c.websocket("/vedette/ws"))
    hello = talk.receive()
    t.equal(hello["type"], "hello")
    for key in ("utc", "version", "you", "resolutions", "serial", "head"):
        t.check(key in hello, key)
    r = talk.ask("get", names=["Image.I0.Appearance.Compression"], describe=True)
    t.check(r["ok"], r)
    was = r["values"]["Image.I0.Appearance.Compression"]
    r = talk.ask("set", values={"Image.I0.Appearance.Compression": 33})
    t.equal(r["ok"], True, str(r))
    t.equal(c.param("Image.I0.Appearance.Compression"), "33")
    r = talk.ask("set", values={"Image.I0.Appearance.Compression": 34,
                                "Image.I0.Appearance.Rotation": 77})
    t.equal(r["ok"], False, "all or nothing")
    t.check("Rotation" in r["error"]["name"], r)
    t.equal(c.param("Image.I0.Appearance.Compression"), "33")
    talk.ask("set", values={"Image.I0.Appearance.Compression": int(was)})
    r = talk.ask("goto", pan=15, tilt=-5)
    t.check(r["ok"], r)
    p = c.rest()
    t.near(p["pan"], 15, 0.01)
    t.equal(talk.ask("dance")["ok"], False)
    for bad in ("{", "[]", '"x"', "7", '{"do":5}', '{"id":"a","do":"ping"}', '{"id":1,"do":"goto","pan":"x"}',
                '{"id":1,"do":"goto","pan":1e400}'):
        ws = c.websocket("/vedette/ws")
        ws.receive()
        ws.send(bad)
        answer = ws.receive(10)
        t.check(answer is None or not json.loads(answer).get("ok", False), bad, answer)
    talk.ask("home")
    c.rest()


def test_E9_ws_roles(t):
    c = t.shared()
    talk = Talk(c.websocket("/vedette/ws", c.client(*vedette.USERS["viewer"][:2])))
    t.equal(talk.ask("move", pan=0.1, tilt=0, zoom=0)["ok"], False)
    t.equal(talk.ask("set", values={"Image.I0.Appearance.Compression": 5})["ok"], False)
    t.equal(talk.ask("position")["ok"], True)
    t.equal(c.websocket("/vedette/ws", c.client()).reply.status, 401)
    t.check(c.websocket("/vedette/ws", headers=[("Origin", "http://evil.example")]).reply.status
            in (400, 403))


def test_W_MK11_dead_man(t):
    """A held move stops by itself one second after its last renewal."""
    c = t.camera(clock="sim")
    c.setup(users=False)
    talk = Talk(c.websocket("/vedette/ws"))
    t.check(talk.ask("move", pan=0.2, tilt=0, zoom=0)["ok"])
    for _ in range(3):
        c.advance(0.5)
        t.check(talk.ask("move", pan=0.2, tilt=0, zoom=0)["ok"])
    a = c.position()["pan"]
    t.check(a > 5, a)
    c.advance(3)
    b = c.rest()["pan"]
    c.advance(3)
    t.near(c.position()["pan"], b, 0.001, "still moving")
    # The client vanishes in the middle of a move: the same.
    talk.ask("move", pan=0.2, tilt=0, zoom=0)
    talk.ws.close()
    c.advance(3)
    b = c.rest()["pan"]
    c.advance(2)
    t.near(c.position()["pan"], b, 0.001)


def test_E9_ws_reports_position(t):
    c = t.camera(clock="sim")
    c.setup(users=False)
    talk = Talk(c.websocket("/vedette/ws"))
    talk.receive()
    c.ptz_command("continuouspantiltmove=20,0")
    c.advance(2)
    seen = []
    while talk.ws.conn.readable(0.3):
        m = talk.receive()
        if "position" in json.dumps(m):
            seen.append(m)
    t.check(len(seen) >= 10, f"{len(seen)} positions in two seconds", seen[:2])
    c.ptz_command("move=stop")


def test_ws_ends_with_its_account(t):
    c = t.camera()
    c.setup()
    ws = c.websocket("/vedette/ws", c.client(*vedette.USERS["viewer"][:2]))
    t.check(ws.open)
    r = c.admin.get("/axis-cgi/pwdgrp.cgi?action=remove&user=vera")
    t.match("Removed account vera", r.text)
    t.check(ws_ends(ws), "still open")
