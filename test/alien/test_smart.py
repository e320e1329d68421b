"""Recorders that nobody here wrote, on streams of the smart codec (row E6: "smart streams must not break
recorders"): long and uneven intervals of keys, pictures left out, B pictures."""
import re
import signal
import subprocess

from test_alien import P, U, run, url

BUILD = "release"
SOURCE = "virtual:street,640x360@30"
SIZE = "?videocodec=h264&resolution=640x360&fps=15"
DYNAMIC = SIZE + "&videozstrength=30&videozgopmode=dynamic&videozmaxgoplength=30"


def packets(t, path):
    """(seconds, key) of each packet; the file decodes without a word."""
    p = run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0",
             path])
    t.equal((p.returncode, p.stderr), (0, ""), str(path))
    d = run(["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-f", "null", "-"])
    complaints = [line for line in d.stderr.splitlines() if "monotonically" not in line and "repeated" not in line]
    t.equal((d.returncode, complaints), (0, []), str(path))
    return [(float(a), "K" in b) for a, b in re.findall(r"([\d.]+),(\S*)", p.stdout)]


def test_E6_ffmpeg_hls(t):
    """A segmenter that cuts at keys: each piece begins with one and stands alone."""
    t.need("ffmpeg", "ffprobe")
    c, d = t.shared(), t.dir()
    p = run(["ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", url(c, DYNAMIC), "-t", 9, "-c", "copy",
             "-f", "hls", "-hls_time", 1, "-hls_list_size", 0, d / "list.m3u8"])
    t.equal(p.returncode, 0, p.stderr)
    pieces = sorted(d.glob("list*.ts"))
    t.check(len(pieces) >= 2, [x.name for x in pieces])
    for x in pieces[:3]:
        seen = packets(t, x)
        t.check(seen[0][1], x.name)
        t.equal(sum(k for _, k in seen), 1, x.name)
        t.check(len(seen) <= 30, len(seen))


def test_E6_ffmpeg_mp4(t):
    """Dynamic frame rate and a long interval, copied into a file: times go on, and the first is a key."""
    t.need("ffmpeg", "ffprobe")
    c, d = t.shared(), t.dir()
    query = SIZE + "&videozstrength=30&videozgopmode=dynamic&videozmaxgoplength=300&videozfpsmode=dynamic"
    p = run(["ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", url(c, query), "-t", 6, "-c", "copy",
             d / "one.mp4"])
    t.equal(p.returncode, 0, p.stderr)
    seen = packets(t, d / "one.mp4")
    t.check(seen[0][1] and seen[-1][0] - seen[0][0] > 3.5, seen[:2], seen[-2:])
    times = [s for s, _ in seen]
    # (ffmpeg puts the first two together when it begins between two keys)
    t.check(all(b - a > 0.03 for a, b in zip(times[1:], times[2:])), times)


def test_E6_ffmpeg_storage(t):
    """B pictures come in the order of decoding and are shown in their own. RTP tells no times of decoding, which
    ffmpeg needs to copy into a file; MP4 over HTTP does."""
    t.need("ffmpeg", "ffprobe")
    c, d = t.shared(), t.dir()
    for codec in ("h264", "h265"):
        query = f"videocodec={codec}&resolution=640x360&fps=15&videozprofile=storage"
        p = run(["ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", url(c, "?" + query), "-t", 4, "-fps_mode",
                 "passthrough", "-enc_time_base", "1/1000", "-f", "framecrc", "-"])
        t.equal(p.returncode, 0, p.stderr)
        shown = [int(x.split(",")[2]) for x in p.stdout.splitlines() if x[0] != "#"]
        t.check(len(shown) > 15 and shown == sorted(shown) and len(set(shown[8:])) == len(shown[8:]), codec, shown)
        p = run(["ffmpeg", "-nostdin", "-v", "error", "-f", "mp4", "-i",
                 f"http://{U}:{P}@127.0.0.1:{c.http}/axis-cgi/media.cgi?container=mp4&{query}", "-t", 4, "-c", "copy",
                 d / f"{codec}.mkv"])
        t.equal(p.returncode, 0, p.stderr)
        times = [s for s, _ in packets(t, d / f"{codec}.mkv")]
        t.check(any(b < a for a, b in zip(times, times[1:])), codec, "nothing is reordered: nothing is shown")
        t.check(len(set(times)) >= len(times) - 1, codec, times)  # as above


def test_E6_gstreamer_splitmux(t):
    """Files of two seconds, cut at keys."""
    t.need("gst-launch-1.0", "ffprobe")
    c, d = t.shared(), t.dir()
    p = subprocess.Popen(["gst-launch-1.0", "-q", "-e", "rtspsrc", f"location={url(c, DYNAMIC)}", "protocols=tcp",
                          "latency=0", "!", "rtph264depay", "!", "h264parse", "!", "splitmuxsink",
                          "max-size-time=1000000000", f"location={d}/%02d.mp4"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        p.communicate(timeout=9)
    except subprocess.TimeoutExpired:
        p.send_signal(signal.SIGINT)
    out, _ = p.communicate(timeout=20)
    files = sorted(d.glob("*.mp4"))
    t.check(len(files) >= 2, out[-2000:])
    for x in files[:3]:
        seen = packets(t, x)
        t.check(seen[0][1], x.name)
