"""Video over HTTP as players and proxies that nobody here wrote take it: fragmented MP4,
Matroska and HTTP Live Streaming (rows E2, L2), in real time."""
import base64
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import urllib.request

import vedette

BUILD = "release"
SOURCE = "virtual"  # as it is delivered
U, P = vedette.ADMIN


def run(argv, timeout=80, **kw):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, **kw)


def address(c, path):
    return f"http://{U}:{P}@127.0.0.1:{c.http}{path}"


def ffmpeg(t, where, frames, *extra):
    p = run(["ffmpeg", "-nostdin", "-v", "repeat+warning", *extra, "-i", where, "-frames:v", frames, "-an",
             "-fps_mode", "passthrough", "-f", "null",
             "-progress", "pipe:1", "-"])
    t.equal(p.returncode, 0, p.stderr[-2000:])
    t.equal(re.findall(r"^frame=(\d+)", p.stdout, re.M)[-1], str(frames), where)
    # Its null writer complains of pictures that share a tick of the nominal rate; "repeat": in full
    # each time, else what repeats cannot be told from other trouble.
    bad = [l for l in p.stderr.splitlines() if not re.search("duplicated MOOV|monotonically", l)]
    t.check(not bad, bad[:5])


SMALL = "resolution=640x360&fps=15"


def test_E2_ffmpeg_media_cgi(t):
    t.need("ffmpeg")
    c = t.shared()
    for codec, container in (("h264", "mp4"), ("h265", "mp4"), ("av1", "mp4"), ("h264", "matroska"),
                             ("jpeg", "matroska")):
        ffmpeg(t, address(c, f"/axis-cgi/media.cgi?{SMALL}&videocodec={codec}&container={container}"), 20)


def test_E2_curl_then_ffprobe(t):
    """What was saved is a file as others: its times begin with its first picture."""
    t.need("curl", "ffprobe")
    c = t.shared()
    for container in ("mp4", "matroska"):
        path = t.dir() / f"saved.{container}"
        where = f"http://127.0.0.1:{c.http}/axis-cgi/media.cgi?{SMALL}&nbrofframes=30&container={container}"
        p = run(["curl", "-sS", "--digest", "-u", f"{U}:{P}", "-o", path, where])
        t.equal((p.returncode, p.stderr), (0, ""))
        p = run(["ffprobe", "-v", "error", "-count_packets", "-show_entries",
                 "stream=codec_name,width,height,nb_read_packets,color_space,color_range:format=start_time", "-of",
                 "csv=p=0", path])
        t.equal((p.stdout.split(), p.stderr), (["h264,640,360,tv,bt709,30", "0.000000"], ""))


def test_L2_ffmpeg_hls(t):
    t.need("ffmpeg")
    c = t.shared()
    for codec in ("h264", "h265", "av1"):
        ffmpeg(t, address(c, f"/hls/live.m3u8?{SMALL}&videocodec={codec}"), 40)


def test_L2_gstreamer_hls(t):
    """Its HLS reads segments only, and knows passwords by properties alone."""
    t.need("gst-launch-1.0")
    c = t.shared()
    env = {**os.environ, "GST_REGISTRY": str(t.dir() / "registry")}
    out = t.dir() / "pictures.yuv"
    p = subprocess.Popen(["gst-launch-1.0", "-q", "souphttpsrc",
                          f"location=http://127.0.0.1:{c.http}/hls/live.m3u8?{SMALL}", f"user-id={U}",
                          f"user-pw={P}", "!", "hlsdemux", "!", "qtdemux", "!", "h264parse", "!", "avdec_h264", "!",
                          "filesink", "buffer-mode=unbuffered", f"location={out}"], env=env,
                         stdin=subprocess.DEVNULL, preexec_fn=vedette._die_with_parent)
    t.cleanup(lambda: (p.kill(), p.wait()))
    end = time.monotonic() + 40
    while not out.exists() or out.stat().st_size < 40 * 640 * 360 * 3 // 2:  # it never ends by itself
        t.check(p.poll() is None, "it has ended")
        t.check(time.monotonic() < end, "40 pictures took too long")
        time.sleep(0.1)


NGINX = """
daemon off;
worker_processes 1;
pid {dir}/pid;
error_log {dir}/error.log;
events {{ worker_connections 512; }}
http {{
    log_format upstream '$upstream_cache_status $request_uri';
    access_log {dir}/access.log upstream;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/temp; fastcgi_temp_path {dir}/f;
    uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
    proxy_cache_path {dir}/cache keys_zone=video:10m max_size=200m;
    server {{
        listen 127.0.0.1:{port};
        location /hls/ {{
            proxy_pass https://127.0.0.1:{https};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Authorization "Basic {basic}";
            proxy_cache video;
            proxy_cache_lock on;
            proxy_read_timeout 10s;
        }}
    }}
}}
"""


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def nginx(t, c):
    where = pathlib.Path(t.dir())
    os.chmod(where, 0o777)
    port = free_port()
    conf = where / "nginx.conf"
    conf.write_text(NGINX.format(dir=where, port=port, https=c.https,
                                 basic=base64.b64encode(f"{U}:{P}".encode()).decode()))
    p = subprocess.Popen(["nginx", "-c", str(conf), "-e", str(where / "error.log")],
                         stdin=subprocess.DEVNULL, preexec_fn=vedette._die_with_parent)

    def end():
        p.send_signal(signal.SIGQUIT)
        p.wait(20)
    t.cleanup(end)
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
            return port, where
        except OSError:
            time.sleep(0.05)
    raise AssertionError((where / "error.log").read_text())


class Viewer(threading.Thread):
    """A low-latency player as RFC 8216bis describes: blocking reloads, part by part."""

    def __init__(self, port, segments):
        super().__init__(daemon=True)
        self.base, self.segments = f"http://127.0.0.1:{port}/hls/", segments
        self.requests, self.bytes, self.seen, self.failed = 0, 0, [], None

    def get(self, path):
        self.requests += 1
        with urllib.request.urlopen(self.base + path, timeout=20) as r:
            data = r.read()
        self.bytes += len(data)
        return data

    def play(self):
        media = self.get(f"live.m3u8?{SMALL}").decode().split()[-1]
        text = self.get(media).decode()
        folder = media.rpartition("/")[0] + "/"
        self.get(folder + "init.mp4")
        hint = re.search(r'PRELOAD-HINT:TYPE=PART,URI="s(\d+)\.(\d+)', text)
        number, part = map(int, hint.groups())
        last = number + self.segments
        while number < last:
            text = self.get(f"{media}?_HLS_msn={number}&_HLS_part={part}").decode()
            if f"s{number}.{part}.m4s" in text:
                self.seen.append((number, part, hash(self.get(f"{folder}s{number}.{part}.m4s"))))
                part += 1
            else:
                number, part = number + 1, 0

    def run(self):
        try:
            self.play()
        except Exception as e:
            self.failed = repr(e)


def test_L2_nginx_multiplies(t):
    """A crowd behind an ordinary caching proxy costs the camera what one viewer costs."""
    t.need("nginx")
    c = t.shared()
    t.equal(c.update("Network.HLS.SharedCache", "yes").text.strip(), "OK")
    t.cleanup(lambda: c.update("Network.HLS.SharedCache", "no"))
    port, where = nginx(t, c)
    crowd = [Viewer(port, 3) for _ in range(30)]
    for v in crowd:
        v.start()
    for v in crowd:
        v.join(60)
    t.check(not any(v.failed or v.is_alive() for v in crowd), [v.failed for v in crowd if v.failed][:3])
    lines = (where / "access.log").read_text().splitlines()
    asked, reached = sum(v.requests for v in crowd), [l for l in lines if not l.startswith("HIT")]
    reached = [l for l in reached if "/hls/" in l]
    unique = {l.split(" ", 1)[1] for l in lines if "/hls/" in l}
    t.check(asked > 30 * 20, asked)
    # The playlist without directives and the first one may be asked for again a second later.
    t.check(len(reached) <= len(unique) + 6, len(reached), len(unique), reached[-10:])
    t.check(len(reached) < asked / 15, len(reached), asked)
    pieces = {}
    for v in crowd:
        t.check(len(v.seen) >= 8, v.seen)
        for number, part, digest in v.seen:
            t.equal(pieces.setdefault((number, part), digest), digest, "the same bytes for all")
    print(f"# {asked} requests of 30 viewers, {len(reached)} reached the camera")
