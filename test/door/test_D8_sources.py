"""Another camera as the sensor (issue 4: other sources): chained, lost, and nonsense."""
import os
import socket
import threading
import time

import pictures
import vedette

PASSWORD = vedette.ADMIN[1]
SMALL = "virtual:320x180@10"


def address(c, path="/axis-media/media.amp?resolution=320x180", fragment=""):
    return f"rtsp://root:{PASSWORD}@127.0.0.1:{c.rtsp}{path}{fragment}"


def wait_for(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s")


def difference(a, b):
    a, b = (pictures.gray(j, 64, 36)[2] for j in (a, b))
    return sum(abs(x - y) for x, y in zip(a, b)) / len(a)


class Server:
    """Accepts connections for ever; talk(connection) in a thread each."""

    def __init__(self, t, talk):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.calls, self.held = 0, []
        self.talk = talk
        threading.Thread(target=self.run, daemon=True).start()
        t.cleanup(self.close)

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            self.held.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            self.talk(connection)
        except OSError:
            pass

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        for s in (self.socket, *self.held):
            s.close()


def test_D8_rtsp_source_shows_the_other_camera(t):
    a = t.camera(source=SMALL).setup(users=False)
    b = t.camera(source=address(a)).setup(users=False)
    t.equal(pictures.jpeg_size(b.snapshot()), (320, 180), "size as the other camera says")
    t.check(difference(a.snapshot(), b.snapshot()) < 12, "not the other camera's picture")
    a.ptz_command("pan=120&tilt=-30&speed=100")
    a.rest()
    wait_for("the other direction", lambda: difference(a.snapshot(), b.snapshot()) < 12)
    # its own digital head cuts a part out
    before = b.snapshot()
    b.ptz_command("zoom=9999")
    wait_for("the digital zoom", lambda: difference(before, b.snapshot()) > 5)
    t.check(PASSWORD not in b.log, "the password is in the log")
    for name in ("", "root.Image", "root.ImageSource"):
        r = b.admin.get("/axis-cgi/param.cgi?action=list" + (f"&group={name}" if name else ""))
        t.check(PASSWORD not in r.text, "the password can be read back")


def test_D8_rtsp_source_runs_only_when_watched(t):
    a = t.camera(source=SMALL).setup(users=False)
    b = t.camera(source=address(a)).setup(users=False)

    def viewers():
        lines = [line.split() for line in open("/proc/net/tcp").readlines()[1:]]
        return len([f for f in lines if f[3] == "01" and f[1].endswith(f":{a.rtsp:04X}")])

    wait_for("nobody watches: no connection", lambda: viewers() == 0)
    s = b.rtsp_client("/axis-media/media.amp?resolution=320x180")
    s.start()
    s.unit()
    t.check(viewers() > 0, "somebody watches, but the other camera is not asked")
    s.close()
    wait_for("nobody watches any more", lambda: viewers() == 0)


def test_D8_rtsp_source_lost_and_found(t):
    a = t.camera(source=SMALL).setup(users=False)
    b = t.camera(source=address(a, fragment="#size=320x180&fps=10")).setup(users=False)
    s = b.rtsp_client("/axis-media/media.amp?resolution=320x180")
    s.start()
    wait_for("its picture", lambda: difference(a.snapshot(), b.snapshot()) < 12)
    good = b.snapshot()
    port = a.rtsp
    a.kill()
    wait_for("the loss is told", lambda: "gives no picture" in b.log)
    wait_for("no picture of the camera that is gone", lambda: difference(good, b.snapshot()) > 8)
    a.ports = (0, 0, port, 0)
    a.start()
    wait_for("it is back", lambda: difference(good, b.snapshot()) < 8, 40)
    t.match("gives pictures again", b.log)
    s.close()
    t.check(PASSWORD not in b.log, "the password is in the log")


def test_D8_rtsp_source_from_nonsense(t):
    """Who answers rubbish, nothing, or half of it is no signal and harms nobody."""
    sdp = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 x=" + b"A" * 5000

    def reply(body, status=b"200 OK"):
        def talk(c):
            while True:
                text = c.recv(4096)
                if not text:
                    return
                cseq = text.split(b"CSeq: ")[-1].split(b"\r\n")[0]
                c.sendall(b"RTSP/1.0 " + status + b"\r\nCSeq: " + cseq +
                          b"\r\nSession: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n"
                          b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(body)
                          + body + os.urandom(200))
        return talk

    def once(bytes_):
        def talk(c):
            c.recv(4096)
            c.sendall(bytes_)
            c.close()
        return talk

    for scheme, talk in (("rtsp", lambda c: c.sendall(os.urandom(100000))),
                         ("rtsp", lambda c: time.sleep(60)),
                         ("rtsp", lambda c: c.close()),
                         ("rtsp", reply(sdp)), ("rtsp", reply(b"", b"404 Not Found")),
                         ("http", once(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/"
                                       b"x-mixed-replace; boundary=b\r\n\r\n--b\r\n" +
                                       b"Content-Type: image/jpeg\r\n\r\n\xff\xd8" + os.urandom(5000))),
                         ("http", once(b"HTTP/1.1 200 OK\r\n\r\n#EXTM3U\n#EXTINF:1,\n"
                                       b"file:///etc/passwd\n"))):
        server = Server(t, talk)
        c = t.camera(source=f"{scheme}://u:Secret77@127.0.0.1:{server.port}/x#size=320x180&fps=10",
                     build="asan").setup(users=False)
        r = c.admin.get("/axis-cgi/jpg/image.cgi?resolution=320x180")
        t.equal(r.status, 200, "a placeholder")
        t.check(server.calls > 0, "it was never asked")
        t.check("Secret77" not in c.log, "the password is in the log")
        began = time.monotonic()
        c.stop()
        t.check(time.monotonic() - began < 5, "stopping waits for the other camera")
        t.cameras.remove(c)


def test_D8_http_mjpeg_source(t):
    """A camera that only knows JPEG pictures in a multipart reply, with Digest."""
    a = t.camera(source=SMALL).setup(users=False)
    b = t.camera(source=f"http://root:{PASSWORD}@127.0.0.1:{a.http}"
                        "/axis-cgi/mjpg/video.cgi?resolution=320x180#size=320x180&fps=10")
    b.setup(users=False)
    wait_for("its picture", lambda: difference(a.snapshot(), b.snapshot()) < 12)


def test_D8_source_addresses_that_are_none(t):
    for source, what in (("rtsp://", "host"), ("rtsp://host/#size=9x9", "size"),
                         ("rtsp://host/#fps=0", "fps"), ("rtsp://host/#colour=red", "after #"),
                         ("rtsp://host/#transport=pigeon", "transport"),
                         ("rtsp:host", "SCHEME"), ("gopher://x", "there is no source"),
                         ("rtsp://" + "a" * 2000, "too long")):
        c = vedette.Camera(build="asan", source=source)
        try:
            c.start(wait=False)
            t.equal(c.process.wait(30), 1, source)
            t.match(what, c.log, source)
        finally:
            c.__exit__(AssertionError)
    c = vedette.Camera(build="asan", source="rtsp://127.0.0.1:1/", clock="sim")
    try:
        c.start(wait=False)
        t.equal(c.process.wait(30), 1)
        t.match("real time", c.log)
    finally:
        c.__exit__(AssertionError)
