"""Clients that nobody here wrote, unmodified, against the release build in real time
(rows A1, E1, E2, J1: "unmodified third-party clients work")."""
import base64
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

import pictures
import vedette

BUILD = "release"
SOURCE = "virtual"  # as it is delivered
HERE = pathlib.Path(__file__).resolve().parent
SECONDS = float(os.environ.get("VEDETTE_ALIEN_SECONDS", "10"))
CLIP = pathlib.Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
U, P = vedette.ADMIN


def url(c, query="", scheme="rtsp", path="/axis-media/media.amp"):
    return f"{scheme}://{U}:{P}@127.0.0.1:{getattr(c, scheme)}{path}{query}"


def run(argv, timeout=90, **kw):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, **kw)


def gst(t, argv, **env):
    """GStreamer plays to its end. At times rtspsrc shuts its own socket and then wants to send its
    PAUSE there, when all pictures have come: that run is made once more."""
    t.need("gst-launch-1.0")
    env = {**os.environ, "GST_REGISTRY": str(t.dir() / "registry"), **env}
    for _ in range(5):
        p = run(["gst-launch-1.0", "-q", "rtspsrc", *argv], env=env)
        if "gst_rtspsrc_pause" not in p.stderr:
            break
    t.equal(p.returncode, 0, p.stderr[-2000:])
    return p


class Counter(threading.Thread):
    """A viewer of our own of the same stream: how many pictures a second there are to see.
    On a busy machine the camera makes fewer than it could."""

    def __init__(self, c, query):
        super().__init__(daemon=True)
        self.client, self.times, self.over = c.rtsp_client("/axis-media/media.amp" + query), [], False
        self.client.start()
        self.start()

    def run(self):
        while not self.over:
            p = self.client.packet()
            if p.marker:
                self.times.append(p.time)

    def rate(self):
        self.over = True
        self.join(30)
        self.client.close()
        return 90000 * (len(self.times) - 1) / ((self.times[-1] - self.times[0]) & 0xffffffff)


def play(t, c, query="", transport="tcp", scheme="rtsp", seconds=SECONDS, fps=30, extra=()):
    """ffmpeg decodes for a while, without an error, what a viewer of our own sees as well. How
    far apart pictures are is judged exactly by test_E1_steps."""
    t.need("ffmpeg")
    ours = Counter(c, query)
    p = run(["ffmpeg", "-nostdin", "-hide_banner", "-v", "warning", "-stats", "-rtsp_transport", transport,
             *extra, "-i", url(c, query, scheme), "-t", seconds, "-an", "-fps_mode", "passthrough", "-f", "null",
             "-progress", "pipe:1", "-"], timeout=seconds + 40)
    t.equal(p.returncode, 0, p.stderr[-2000:])
    frames = int(re.findall(r"^frame=(\d+)", p.stdout, re.M)[-1])
    # Its null writer complains of pictures that share a tick of the nominal rate, as they do
    # when a busy machine left some out; that is no fault of the stream.
    complaints = [l for l in p.stderr.splitlines() if "monotonically" not in l and re.search(
        r"error|concealing|missed|corrupt|invalid|non-existing|no frame|mmco|overrun|bad cseq", l, re.I)]
    t.check(not complaints, "\n".join(complaints[:20]))
    rate = ours.rate()
    t.check(rate > 1, f"{rate:.2f} pictures a second for our own viewer")
    t.check(0.75 * rate - 1 <= frames / seconds <= fps + 1,
            f"{frames} pictures in {seconds} s; we had {rate:.1f} a second")


def test_E1_steps(t):
    """Pictures are 1/30 s apart, and 1/10 s when that is asked for; a busy machine leaves
    some out or takes them late, but never more come, nor any off the sensor's beat."""
    t.need("ffprobe")
    c = t.shared()
    for query, step in (("", 1 / 30), ("?fps=10&resolution=640x360", 1 / 10)):
        p = run(["ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_entries", "packet=pts_time", "-of",
                 "csv=p=0", "-read_intervals", "%+5", url(c, query)])
        t.equal(p.returncode, 0, p.stderr)
        times = [float(x.split(",")[0]) for x in p.stdout.split() if x[0].isdigit()]
        steps = sorted(b - a for a, b in zip(times, times[1:]))
        t.check(len(steps) > 20, p.stdout)
        t.check(all(b - a > 9 * step for a, b in zip(times, times[10:])), query, times)
        t.check(all(abs(s * 30 - round(s * 30)) < 0.03 for s in steps), query, steps)


def test_E1_ffprobe(t):
    t.need("ffprobe")
    c = t.shared()
    for transport in ("tcp", "udp"):
        p = run(["ffprobe", "-v", "error", "-rtsp_transport", transport, "-show_streams", "-of", "json",
                 url(c)])
        t.equal(p.returncode, 0, p.stderr)
        t.equal(p.stderr, "")
        s, = json.loads(p.stdout)["streams"]
        t.equal((s["codec_name"], s["width"], s["height"]), ("h264", 1920, 1080))
        num, den = map(int, s["avg_frame_rate"].split("/"))
        t.near(num / den, 30, 1)
        t.equal(s.get("has_b_frames"), 0)
        t.equal((s.get("color_space"), s.get("color_range")), ("bt709", "tv"))


def test_E2_ffmpeg_tcp(t):
    play(t, t.shared())


def test_E2_ffmpeg_udp(t):
    play(t, t.shared(), transport="udp")


def test_E2_ffmpeg_rtsps(t):
    play(t, t.shared(), scheme="rtsps", seconds=5)


def test_E2_srtp(t):
    """Encrypted media: GStreamer takes its key by MIKEY, over UDP and interleaved; ffmpeg by SDES."""
    t.need("gst-launch-1.0", "ffmpeg")
    c = t.shared()
    query = "?srtp=1&resolution=640x360&fps=15"
    p = run(["ffmpeg", "-nostdin", "-v", "error", "-i", url(c, query, "rtsps"), "-frames:v", "30",
             "-fps_mode", "passthrough", "-f", "null", "-"])
    bad = [l for l in p.stderr.splitlines() if "monotonically" not in l]  # pictures left out by a busy machine
    t.equal((p.returncode, bad), (0, []))
    gst(t, gst_srtp(c, query, "tcp", "identity", "eos-after=30", "!", "fakesink", "sync=false"))
    # Over UDP until its own reports, encrypted with a key of its own, have come.
    out = t.dir() / "pictures"
    p = subprocess.Popen(["gst-launch-1.0", "-q", "rtspsrc",
                          *gst_srtp(c, query, "udp", "filesink", "buffer-mode=unbuffered", f"location={out}")],
                         env={**os.environ, "GST_REGISTRY": str(t.dir() / "registry")}, stdin=subprocess.DEVNULL,
                         preexec_fn=vedette._die_with_parent)
    t.cleanup(lambda: (p.kill(), p.wait()))
    end = time.monotonic() + 40
    while True:
        t.check(p.poll() is None, "it has ended")
        t.check(time.monotonic() < end, "no report of the receiver's came")
        r = c.admin.json("/axis-cgi/streamstatus.cgi", "getAllStreams")
        ours = [s for s in r["data"]["streams"] if s["transport_protocol"] == "UDP" and s.get("receiver_reports")]
        if ours and out.exists() and out.stat().st_size >= 30 * 640 * 360 * 3 // 2:
            break
        time.sleep(0.3)
    t.check(ours[0]["encrypted"] and ours[0]["receiver_loss"] < 0.5, ours)


def test_E2_srtp_key_names(t):
    """srtp=mki: GStreamer's decryption, which rejects packets that name another key or none, takes those of ours."""
    t.need("gst-launch-1.0")
    c = t.shared()
    r = c.rtsp_client("/axis-media/media.amp?srtp=mki&resolution=640x360&fps=15", tls=True)
    key, = re.findall(r"inline:([^|]+)\|1:4", r.describe().text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1] & ~1
    reply = r.setup(f"RTP/SAVP;unicast;client_port={port}-{port + 1}")
    t.equal(reply.status, 200)
    ssrc = int(re.search(r"ssrc=([0-9a-fA-F]{8})", reply.get("transport")).group(1), 16)
    caps = ",".join(["application/x-srtp", "media=video", "clock-rate=90000", "encoding-name=H264", "payload=96",
                     f"ssrc=(uint){ssrc}", f"srtp-key=(buffer){base64.b64decode(key).hex()}", "mki=(buffer)00000001",
                     *(f"{a}-{b}" for a in ("srtp", "srtcp") for b in ("cipher=aes-128-icm", "auth=hmac-sha1-80"))])
    p = subprocess.Popen(["gst-launch-1.0", "-q", "udpsrc", "address=127.0.0.1", f"port={port}", f"caps={caps}", "!",
                          "srtpdec", "!", "rtph264depay", "!", "h264parse", "!", "avdec_h264", "!", "identity",
                          "eos-after=20", "!", "fakesink", "sync=false"], stdin=subprocess.DEVNULL, text=True,
                         stderr=subprocess.PIPE, env={**os.environ, "GST_REGISTRY": str(t.dir() / "registry")},
                         preexec_fn=vedette._die_with_parent)
    t.cleanup(lambda: (p.kill(), p.wait()))
    r.play()
    t.equal((p.communicate(timeout=60)[1][-2000:], p.returncode), ("", 0))


def gst_srtp(c, query, protocol, *end):
    return [f"location={url(c, query, 'rtsps')}", f"protocols={protocol}",
            "tls-validation-flags=0", "!", "rtph264depay", "!", "h264parse", "!", "avdec_h264", "!", *end]


def test_E1_ffmpeg_mjpeg_rtsp(t):
    play(t, t.shared(), "?videocodec=jpeg&resolution=1280x720&fps=15", seconds=5, fps=15)


def test_E1_ffmpeg_mjpeg_http(t):
    t.need("ffmpeg")
    c = t.shared()
    # ffmpeg's HTTP knows MD5 Digest.
    p = run(["ffmpeg", "-nostdin", "-v", "error", "-f", "mpjpeg", "-i",
             f"http://{U}:{P}@127.0.0.1:{c.http}/axis-cgi/mjpg/video.cgi?resolution=640x360&fps=15",
             "-frames:v", "30", "-f", "null", "-"])
    t.equal(p.returncode, 0, p.stderr)


def test_E2_ffmpeg_tunnel(t):
    t.need("ffmpeg")
    c = t.shared()
    p = run(["ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", "http", "-i",
             f"rtsp://{U}:{P}@127.0.0.1:{c.http}/axis-media/media.amp?resolution=640x360&fps=10",
             "-frames:v", "20", "-f", "null", "-"])
    t.equal((p.returncode, [l for l in p.stderr.splitlines() if "monotonically" not in l]), (0, []))  # as in play()


def test_E2_gstreamer_tunnel(t):
    c = t.shared()
    where = f"rtsph://{U}:{P}@127.0.0.1:{c.http}/axis-media/media.amp?resolution=640x360&fps=10"
    gst(t, [f"location={where}", "!", "rtph264depay", "!", "h264parse", "!", "avdec_h264", "!", "identity",
            "eos-after=20", "!", "fakesink", "sync=false"])


def test_E1_h265(t):
    """The same path with the other codec: what it is, and that it plays over TCP and UDP."""
    t.need("ffprobe")
    c = t.shared()
    query = "?videocodec=h265&resolution=640x360&fps=10"
    p = run(["ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_streams", "-of", "json",
             url(c, query)])
    t.equal((p.returncode, p.stderr), (0, ""))
    s, = json.loads(p.stdout)["streams"]
    t.equal((s["codec_name"], s["width"], s["height"]), ("hevc", 640, 360))
    t.equal((s.get("color_space"), s.get("color_range")), ("bt709", "tv"))
    for transport in ("tcp", "udp"):
        play(t, c, query, transport=transport, seconds=3, fps=10)


def test_E3_ffmpeg_arguments(t):
    play(t, t.shared(), "?resolution=640x360&fps=10&compression=50&videokeyframeinterval=10", seconds=5,
         fps=10)


def test_E2_gstreamer(t):
    c = t.shared()
    for protocol in ("tcp", "udp"):
        p = gst(t, [f"location={url(c)}", f"protocols={protocol}", "latency=100", "!", "rtph264depay", "!", "h264parse",
                    "!", "avdec_h264", "!", "identity", "eos-after=60", "silent=false", "!", "fakesink", "sync=false"],
                GST_DEBUG="2")
        bad = [l for l in p.stderr.splitlines() if re.search(r"ERROR|error|not negotiated", l)]
        t.check(not bad, bad[:10])


def test_E2_gstreamer_h265(t):
    gst(t, [f"location={url(t.shared(), '?videocodec=h265&resolution=640x360&fps=10')}", "protocols=tcp", "!",
            "rtph265depay", "!", "h265parse", "!", "avdec_h265", "!", "identity", "eos-after=20", "!", "fakesink",
            "sync=false"])


def test_E2_gstreamer_jpeg(t):
    gst(t, [f"location={url(t.shared(), '?videocodec=jpeg&resolution=640x360')}", "protocols=tcp", "!",
            "rtpjpegdepay", "!", "jpegdec", "!", "identity", "eos-after=30", "!", "fakesink", "sync=false"])


def curl(c, path, *args, tls=False, user=f"{U}:{P}"):
    base = f"https://127.0.0.1:{c.https}" if tls else f"http://127.0.0.1:{c.http}"
    return run(["curl", "-sS", "--digest", "-u", user, "-w", "\n%{http_code}", *args, base + path])


def test_J1_curl_digest(t):
    t.need("curl")
    c = t.shared()
    p = curl(c, "/axis-cgi/param.cgi?action=list&group=Brand.Brand", "-v")
    t.match(r"^root.Brand.Brand=.*\n\n200$", p.stdout)
    t.match(r"> Authorization: Digest .*algorithm=SHA-256", p.stderr, "curl picks SHA-256")
    p = curl(c, "/axis-cgi/param.cgi?action=list&group=Brand.Brand", user=f"{U}:wrong")
    t.match("401$", p.stdout)
    p = curl(c, "/axis-cgi/com/ptz.cgi?move=stop")
    t.equal(p.stdout, "\n204")
    p = curl(c, "/axis-cgi/param.cgi", "--data-urlencode", "action=update", "--data-urlencode",
             "Image.I0.Text.String=hello & bye")
    t.match(r"^OK\n?\n200$", p.stdout)
    t.equal(c.param("Image.I0.Text.String"), "hello & bye")
    c.update("Image.I0.Text.String", "")
    p = curl(c, "/axis-cgi/usergroup.cgi", "-k", tls=True)
    t.match("200$", p.stdout)
    p = run(["curl", "-sSk", "-u", f"{U}:{P}", f"https://127.0.0.1:{c.https}/axis-cgi/usergroup.cgi"])
    t.match("^root\n", p.stdout, "Basic over TLS")
    out = t.dir() / "a.jpg"
    p = curl(c, "/axis-cgi/jpg/image.cgi", "-o", out)
    t.equal(pictures.jpeg_size(out.read_bytes()), (1920, 1080))
    p = curl(c, "/axis-cgi/apidiscovery.cgi", "-X", "POST", "-d",
             '{"apiVersion":"1.0","context":"c","method":"getApiList"}')
    t.match("200$", p.stdout)
    # Keep-alive: three requests over one connection.
    p = run(["curl", "-sSv", "--digest", "-u", f"{U}:{P}", *[
        f"http://127.0.0.1:{c.http}/axis-cgi/usergroup.cgi"] * 3])
    t.equal(p.stdout.count("users admin operator viewer ptz"), 3)
    t.equal(len(re.findall("Connected to", p.stderr)), 1)


def test_J1_curl_md5(t):
    """The parameter that offers MD5 alone."""
    t.need("curl")
    c = t.camera()
    c.setup(users=False)
    t.equal(c.update("Network.HTTP.DigestAlgorithms", "md5").text.strip(), "OK")
    p = curl(c, "/axis-cgi/usergroup.cgi", "-v")
    t.match("200$", p.stdout)
    t.match("> Authorization: Digest .*algorithm=MD5", p.stderr)


def test_A4_tls_seen_by_curl(t):
    t.need("curl")
    c = t.shared()
    p = run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_version} %{ssl_verify_result}", "-k", "--tls-max",
             "1.2", f"https://127.0.0.1:{c.https}/"])
    t.match(r"^1\.1 ", p.stdout)
    p = run(["curl", "-sSk", "--tls-max", "1.1", f"https://127.0.0.1:{c.https}/"])
    t.check(p.returncode != 0, "TLS 1.1")


def msl(t, *args):
    t.need("node", "npm")
    where = pathlib.Path(tempfile.gettempdir()) / "vedette-msl"
    if not (where / "node_modules/media-stream-library").exists():
        where.mkdir(exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            (where / name).write_bytes((HERE / name).read_bytes())
        p = run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=where, timeout=80)
        t.equal(p.returncode, 0, p.stderr)
    script = where / "msl.mjs"
    script.write_bytes((HERE / "msl.mjs").read_bytes())
    p = run(["node", script, *args], timeout=80)
    t.equal(p.returncode, 0, p.stderr[-2000:] + p.stdout)
    return json.loads(p.stdout.splitlines()[-1])


def test_E2_media_stream_library(t):
    c = t.shared()
    bare = f"rtsp://127.0.0.1:{c.rtsp}/axis-media/media.amp"
    r = msl(t, "h264", bare, U, P, "90")
    t.check(r["keys"] >= 1 and r["synced"], r)
    t.equal(r["sdp"], "video")
    r = msl(t, "jpeg", bare + "?videocodec=jpeg&resolution=640x360", U, P, "30")
    t.check(r["bytes"] > 30 * 2000, r)


def test_E2_media_stream_library_websocket(t):
    c = t.shared()
    token = c.viewer.get("/axis-cgi/rtspwssession.cgi").text.strip()
    ws = f"ws://127.0.0.1:{c.http}/rtsp-over-websocket?rtspwssession={token}"
    r = msl(t, "ws", "rtsp://192.0.2.10/axis-media/media.amp?resolution=1280x720", "-", "-", "90", ws)
    t.check(r["keys"] >= 1 and r["synced"], r)


def test_device_file_clip(t):
    """Debian's clip of walking people: decoded by ffmpeg, steered by the digital head."""
    if not CLIP.exists():
        raise AssertionError(f"{CLIP} is missing; see tools/deps.sh")
    c = t.camera(source=f"file:{CLIP}")
    c.setup(users=False)
    p = run(["ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_streams", "-of", "json", url(c)])
    s, = json.loads(p.stdout)["streams"]
    t.equal((s["width"], s["height"]), (768, 576))
    play(t, c, seconds=6, fps=10)
    wide = pictures.gray(c.snapshot(), 96, 72)[2]
    c.ptz_command("zoom=9999")
    c.rest()
    end = time.monotonic() + 20
    while vedette.stamp(close := c.snapshot())["pose"]["zoom"] < 7.9:  # a picture taken since
        t.check(time.monotonic() < end, "no picture of the new zoom")
    near = pictures.gray(close, 96, 72)[2]
    t.check(sum(abs(a - b) for a, b in zip(wide, near)) / len(wide) > 8, "zoom changes nothing")
    c.ptz_command("move=home")


def test_E7_many_viewers_one_encoder(t):
    """Twenty viewers of one stream cost little more than one."""
    c = t.shared()

    def cost(n):
        viewers = [c.rtsp_client() for _ in range(n)]
        for v in viewers:
            v.start()
            v.unit()
        for v in viewers:
            v.drain(0.01)
        import selectors
        sel = selectors.DefaultSelector()
        for v in viewers:
            sel.register(v.conn.sock, selectors.EVENT_READ)
        began, used = time.monotonic(), c.cpu()
        while time.monotonic() - began < 3:
            for key, _ in sel.select(0.1):
                key.fileobj.recv(1 << 20)
        used = (c.cpu() - used) / (time.monotonic() - began)
        for v in viewers:
            v.close()
        return used
    one, many = cost(1), cost(20)
    t.check(many < one * 1.5 + 0.1, f"1 viewer {one:.2f}, 20 viewers {many:.2f} of a core")


def test_ready_within_a_second(t):
    """A second of work; a busy machine takes longer over it."""
    c = t.camera()
    t.check(c.cpu() < 1, f"ready after {c.ready_after:.2f} s, {c.cpu():.2f} s of a core")


def test_E2_motion(t):
    """motion, as recorders do: it takes our stream and shows what it sees in a stream of its own."""
    t.need("motion")
    c = t.shared()
    small = "resolution=640x360&fps=10"
    sources = [url(c, f"?videocodec={codec}&{small}") for codec in ("h264", "h265", "jpeg")]
    for source in [*sources, f"http://127.0.0.1:{c.http}/axis-cgi/mjpg/video.cgi?{small}"]:
        where = pathlib.Path(t.dir())
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        (where / "motion.conf").write_text(
            f"daemon off\nsetup_mode off\nnetcam_url {source}\nnetcam_userpass {U}:{P}\n"
            f"width 640\nheight 360\nframerate 10\nstream_port {port}\nstream_localhost on\nstream_maxrate 10\n"
            f"webcontrol_port 0\npicture_output off\nmovie_output off\ntarget_dir {where}\n"
            f"log_file {where / 'log'}\nlog_level 6\n")
        p = subprocess.Popen(["motion", "-n", "-c", where / "motion.conf"], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=vedette._die_with_parent)
        try:
            end = time.monotonic() + 30
            while True:
                if time.monotonic() > end or p.poll() is not None:
                    raise AssertionError(f"{source}\n" + (where / "log").read_text()[-1500:])
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as r:
                        data = r.read(60000)
                except OSError:
                    time.sleep(0.2)
                    continue
                jpeg = data[data.find(b"\xff\xd8"):]
                jpeg = jpeg[:jpeg.find(b"\xff\xd9") + 2]
                # Until it has our stream it says so on a grey picture.
                if len(jpeg) > 1000 and len(set(pictures.gray(jpeg, 64, 36)[2][::7])) > 40:
                    break
                time.sleep(0.2)
            t.equal(pictures.jpeg_size(jpeg), (640, 360))
        finally:
            p.terminate()
            p.wait(20)
