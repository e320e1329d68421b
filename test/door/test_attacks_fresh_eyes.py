"""Attacks that were tried by somebody who had not written the code: relatives of the
rows in test_attacks.py."""
import json
import os
import signal
import socket
import struct
import time

import vedette
import web

SOURCE = "virtual"  # as it is delivered

SMALL = "/axis-media/media.amp?resolution=320x180"
BROWSER = ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36")


def frame(payload, op=1):
    """A masked WebSocket frame."""
    n = len(payload)
    head = bytes([0x80 | op, 0x80 | n]) if n < 126 else struct.pack(">BBH", 0x80 | op, 0xFE, n)
    return head + bytes(4) + payload


def processor_seconds(c):
    fields = open(f"/proc/{c.process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_ATK_A11_get_from_a_browser_on_plain_http(t):
    """A picture's address in a stranger's page: browsers say nothing about whose page it
    is when they ask on plain HTTP. No account, no setting may come of it."""
    c = t.camera()
    add = "/axis-cgi/pwdgrp.cgi?" + web.q(action="add", user="eve", pwd="Evil-pass-1", grp="root",
                                          sgrp="admin:operator:viewer:ptz")
    # A new camera asks for no password at all.
    t.equal(c.anon.get(add, headers=[BROWSER]).status, 403)
    # A name of the stranger's that leads to the camera makes its page "our" page.
    for host, status in (("evil.example", 403), ("evil.example:8080", 403), ("1.evil.example", 403),
                         ("local", 200), ("camera.local:80", 200), ("[::1]:80", 200),
                         ("192.168.0.90", 200)):
        r = c.anon.post("/axis-cgi/pwdgrp.cgi", "action=get", headers=[
            ("Host", host), ("Origin", "http://" + host), BROWSER])
        t.equal(r.status, status, host)
    c.setup(users=False)
    t.equal(c.admin.get(add, headers=[BROWSER]).status, 403)
    t.check("eve" not in c.admin.get("/axis-cgi/pwdgrp.cgi?action=get").text)
    update = "/axis-cgi/param.cgi?action=update&Image.I0.Appearance.Compression=77"
    t.equal(c.admin.get(update, headers=[BROWSER]).status, 403)
    t.equal(c.param("Image.I0.Appearance.Compression"), "30")
    # Its user may look, and change by what says where it comes from.
    t.equal(c.admin.get("/axis-cgi/param.cgi?action=list&group=Image", headers=[BROWSER]).status, 200)
    t.equal(c.admin.get(update, headers=[BROWSER, ("Sec-Fetch-Site", "none")]).text, "OK\n")
    t.equal(c.admin.post("/axis-cgi/param.cgi", update.partition("?")[2],
                         headers=[BROWSER, ("Origin", "http://127.0.0.1")]).text, "OK\n")


def test_ATK_A38_a_crowd_ends_no_viewer_with_a_token(t):
    """Who came in by a token has logged in: a crowd of silent strangers does not push
    such a viewer out."""
    c = t.camera()
    c.setup(users=False)
    t.equal(c.update("Network.Connections.MaxUnauthenticated", "16").text, "OK\n")
    held = []
    for target, token, arg, protocol in (
            ("/vedette/ws", "/axis-cgi/wssession.cgi", "wssession", None),
            ("/rtsp-over-websocket", "/axis-cgi/rtspwssession.cgi", "rtspwssession", "binary")):
        ticket = c.admin.get(token).text.strip()
        ws = c.websocket(f"{target}?{arg}={ticket}", c.client(), protocol=protocol)
        t.equal(ws.reply.status, 101)
        held.append(ws)
    crowd = [socket.create_connection(("127.0.0.1", c.rtsp)) for _ in range(60)]
    time.sleep(0.5)
    held[0].conn.send(frame(json.dumps({"id": 7, "do": "ping"}).encode()))
    held[1].conn.send(frame(b"OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n", op=2))
    for ws, word in zip(held, (b'"utcMs"', b"RTSP/1.0 200")):
        ws.conn.sock.settimeout(5)
        ws.conn.until(word)
    for s in crowd:
        s.close()


def test_ATK_A37_floods_of_tiny_frames(t):
    """Empty lines and empty '$' frames cost what they weigh, not their number squared."""
    c = t.camera()
    c.setup(users=False)
    s = c.rtsp_client(SMALL)
    s.describe()
    t.equal(s.setup().status, 200)
    for flood in (b"\r\n" * (1 << 20), b"$\0\0\0" * (1 << 19)):
        before = processor_seconds(c)
        s.send_raw(flood)
        t.equal(s.call("OPTIONS").status, 200)
        spent = processor_seconds(c) - before
        t.check(spent < 1.5, f"{spent:.1f} s for {len(flood) >> 20} MB")


def agent_of(c):
    children = open(f"/proc/{c.process.pid}/task/{c.process.pid}/children").read().split()
    return int(children[0])


def test_FLT_F12_key_agent_hangs(t):
    """An agent that does not answer is replaced, and does not hold up the end."""
    c = t.camera()
    c.setup(users=False)
    os.kill(agent_of(c), signal.SIGSTOP)
    t.equal(c.client(*vedette.ADMIN).get("/axis-cgi/usergroup.cgi").status, 200)
    os.kill(agent_of(c), signal.SIGSTOP)
    began = time.monotonic()
    c.stop()
    t.check(time.monotonic() - began < 15, "the end took too long")


def test_ATK_A38_one_account_leaves_room(t):
    """A viewer who opens page after page does not keep the others from theirs."""
    c = t.camera()
    c.setup()
    user = vedette.USERS["viewer"][:2]
    first, statuses = c.client(*user), []
    for _ in range(140):
        client = c.client(*user)
        client.challenge, client.nc = first.challenge, first.nc
        ws = c.websocket("/vedette/ws", client)
        first.challenge, first.nc = client.challenge, client.nc
        statuses.append(ws.reply.status)
    t.equal((statuses.count(101), statuses.count(503)), (128, 12))
    t.equal(c.websocket("/vedette/ws").reply.status, 101)
