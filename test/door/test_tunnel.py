"""RTSP through HTTP (row E2): GET carries what the camera says, POST what the client says."""
import base64
import re

import vedette
import web

PATH = "/axis-media/media.amp"
TYPE = "application/x-rtsp-tunnelled"


def authorization(c, method, target, user=vedette.ADMIN, tls=False):
    client = web.Client(c.https if tls else c.http, *user, tls=tls, algorithm="MD5")
    r = client.call(method, target, headers=[("x-sessioncookie", "probe")], login=False)
    assert r.status == 401, r
    client.challenge, client.nc = client.pick(r), 0
    headers = client.authorization(method, target)
    client.close()
    return headers


def begin(c, cookie, user=vedette.ADMIN, tls=False, target=PATH):
    conn = web.Conn("127.0.0.1", c.https if tls else c.http, tls)
    conn.send(web.request_bytes("GET", target, headers=[
        ("x-sessioncookie", cookie), ("Accept", TYPE), *authorization(c, "GET", target, user, tls)],
        version="HTTP/1.0"))
    return conn, conn.head()


def way_in(c, cookie, user=vedette.ADMIN, tls=False, target=PATH):
    conn = web.Conn("127.0.0.1", c.https if tls else c.http, tls)
    conn.send(web.request_bytes("POST", target, headers=[
        ("x-sessioncookie", cookie), ("Content-Type", TYPE), ("Content-Length", "32767"),
        *authorization(c, "POST", target, user, tls)], version="HTTP/1.0"))
    return conn


def say(conn, text, pieces=1):
    coded = base64.b64encode(text.encode())
    step = -(-len(coded) // pieces)
    for i in range(0, len(coded), step):
        conn.send(coded[i:i + step])


def options(c, n):
    return f"OPTIONS rtsp://127.0.0.1:{c.http}{PATH} RTSP/1.0\r\nCSeq: {n}\r\n\r\n"


def test_E2_tunnel_carries_pictures(t):
    c = t.camera(clock="sim", source="virtual:640x360@10")
    c.setup(users=False)
    for tls in (False, True):
        out, head = begin(c, "one", tls=tls)
        t.equal((head.status, head.get("content-type")), (200, TYPE))
        post = way_in(c, "one", tls=tls)
        url = f"rtsp://127.0.0.1:{c.http}{PATH}"
        say(post, options(c, 1), pieces=7)
        t.equal(out.head().get("cseq"), "1")
        with c.ticking():
            say(post, f"DESCRIBE {url} RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n\r\n")
            r = out.reply()
            t.equal(r.status, 200)
            t.check(b"H264" in r.body, r.body)
            # The way in may be renewed.
            say(post, f"SETUP {url}/stream=0 RTSP/1.0\r\nCSeq: 3\r\n"
                      "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n")
            r = out.head()
            t.equal(r.status, 200)
            session = r.get("session").split(";")[0]
            post.close()
            post = way_in(c, "one", tls=tls)
            say(post, f"PLAY {url} RTSP/1.0\r\nCSeq: 4\r\nSession: {session}\r\n\r\n")
            t.equal(out.head().status, 200)
            for _ in range(20):
                mark, channel, n1, n2 = out.exactly(4)
                t.equal((mark, channel in (0, 1)), (ord("$"), True))
                out.exactly(n1 << 8 | n2)
        out.close()
        post.close()


def test_E2_tunnel_refuses(t):
    c = t.camera(clock="sim", source="virtual:640x360@10")
    c.setup()
    t.equal(c.admin.get(PATH).status, 405)
    t.equal(c.anon.get(PATH, headers=[("x-sessioncookie", "x")]).status, 401)
    t.equal(c.admin.post(PATH, b"", headers=[("x-sessioncookie", "nobody")]).status, 404)
    for bad in ("", "a b", "x" * 65):
        t.equal(c.admin.get(PATH, headers=[("x-sessioncookie", bad)]).status, 400, bad)
    out, head = begin(c, "mine")
    t.equal(head.status, 200)
    t.equal(c.admin.get(PATH, headers=[("x-sessioncookie", "mine")]).status, 409)
    # Somebody else's cookie is nothing.
    t.equal(c.viewer.post(PATH, b"", headers=[("x-sessioncookie", "mine")]).status, 404)
    # What is no base64 ends it, and nothing else.
    post = way_in(c, "mine")
    post.send(b"T1BUSU9OUyA*")
    t.check(out.closed_within(10))
    t.check(c.alive())
    out, head = begin(c, "mine")
    t.equal(head.status, 200)
    out.close()


def test_E2_tunnel_without_messages_ends(t):
    c = t.camera(clock="sim", source="virtual:640x360@10")
    c.setup(users=False)
    out, head = begin(c, "silent")
    t.equal(head.status, 200)
    for _ in range(5):
        c.advance(5)
    t.check(out.closed_within(10))
    t.check(not re.search("silent", c.log_tail()))
