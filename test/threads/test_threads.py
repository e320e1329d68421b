"""The whole camera under the thread sanitizer, with everything at once."""
import threading
import time

import pictures
import vedette
import web

BUILD = "tsan"
# The sanitizer makes each pixel cost some twenty; the threads are the same ones.
SOURCE = "virtual:640x360"


def test_viewers_and_changes_at_once(t):
    c = t.camera(source=SOURCE)
    c.setup(users=False)
    stop, problems = threading.Event(), []

    def guard(work):
        def run():
            try:
                while not stop.is_set():
                    work()
            except Exception as e:  # a broken thread is a failed test
                if not stop.is_set():
                    problems.append(repr(e))
        return threading.Thread(target=run)

    def watch():
        s = c.rtsp_client("/axis-media/media.amp?resolution=320x180")
        s.start()
        for _ in range(10):
            s.unit()
        s.close()

    def watch_udp():
        s = c.rtsp_client("/axis-media/media.amp?resolution=320x180")
        s.describe(), s.setup_udp(), s.play()
        for _ in range(10):
            s.unit_udp()
        s.call("TEARDOWN")
        s.close(), s.rtp.close(), s.rtcp_sock.close()

    def snap():
        client = c.client(*vedette.ADMIN)
        r = client.get("/axis-cgi/jpg/image.cgi?resolution=320x180")
        assert r.status == 200, r
        pictures.jpeg_stamp(r.body)
        client.close()

    def change():
        client = c.client(*vedette.ADMIN)
        for i in (1, 2):
            client.post("/axis-cgi/param.cgi", web.q(action="update", **{
                "Image.I0.Text.TextEnabled": "yes" if i == 1 else "no", "Image.I0.Text.String": "#r %T"}))
            client.get(f"/axis-cgi/com/ptz.cgi?continuouspantiltmove={10 * i},{-i}")
        client.close()

    threads = [guard(w) for w in (watch, watch_udp, snap, change)]
    [x.start() for x in threads]
    time.sleep(15)
    stop.set()
    [x.join(60) for x in threads]
    t.check(not problems, problems)


test_viewers_and_changes_at_once.seconds = 150


def test_stop_in_the_middle(t):
    """SIGTERM while everything runs."""
    c = t.camera(source=SOURCE)
    c.setup(users=False)
    s = c.rtsp_client("/axis-media/media.amp?resolution=320x180")
    s.start()
    s.unit()
    client = c.client(*vedette.ADMIN)
    client.get("/axis-cgi/usergroup.cgi")
    target = "/axis-cgi/mjpg/video.cgi?resolution=320x180"
    client.send("GET", target, headers=client.authorization("GET", target))
    client.conn.head()
    c.process.terminate()
    c.process.wait(30)
    t.equal(c.process.returncode, 0)
    log = c.log
    for mark in vedette.REPORTS:
        t.check(mark not in log, c.log_tail())
    c.process = None
