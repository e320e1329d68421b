"""Sound for clients that nobody here wrote (row E8): ffmpeg and GStreamer read sound and pictures
in each coding, over TCP and UDP; curl listens and talks; streams without sound stay as they were."""
import json
import os
import re
import struct
import subprocess
import tempfile
import time

import sound
from test_alien import P, U, run, url

BUILD = "release"
SHARED = {"source": "virtual:street,640x360@30"}
CODECS = {"aac": ("aac", 16000), "opus": ("opus", 48000), "g711": ("pcm_mulaw", 8000),
          "pcma": ("pcm_alaw", 8000), "g726": ("adpcm_g726le", 8000), "lpcm": ("pcm_s16be", 16000)}


def line_in(c):
    """A tone of 1000 Hz instead of the street."""
    c.update("AudioSource.A0.InputType", "line")


def test_E8_ffmpeg(t):
    """Each coding, alternately over TCP and UDP: the tone is heard, pictures come, no complaint."""
    t.need("ffmpeg", "ffprobe")
    c = t.shared()
    line_in(c)
    for i, (codec, (name, rate)) in enumerate(CODECS.items()):
        for transport in ("tcp", "udp") if codec in ("aac", "opus") else (("tcp", "udp")[i % 2],):
            query = f"?audio=1&audiocodec={codec}&resolution=320x180"
            p = run(["ffprobe", "-v", "error", "-rtsp_transport", transport, "-of", "json",
                     "-show_streams", url(c, query)])
            streams = {s["codec_type"]: s for s in json.loads(p.stdout or "{}").get("streams", [])}
            t.equal(streams["audio"]["codec_name"], name, p.stderr)
            t.equal(int(streams["audio"]["sample_rate"]), rate)
            t.equal(streams["video"]["codec_name"], "h264")
            with tempfile.NamedTemporaryFile(suffix=".raw") as raw:
                p = run(["ffmpeg", "-nostdin", "-v", "error", "-stats", "-rtsp_transport", transport,
                         "-i", url(c, query), "-t", 2.5, "-map", "0:a", "-f", "s16le", "-ac", 1, "-ar",
                         16000, "-y", raw.name, "-map", "0:v", "-t", 2.5, "-f", "null", "-"])
                t.equal(p.returncode, 0, p.stderr)
                data = open(raw.name, "rb").read()
            samples = struct.unpack(f"<{len(data) // 2}h", data)
            middle = samples[8000:24000]
            t.check(sound.strength(middle, 1000, 16000) > 0.85,
                    codec, transport, sound.strength(middle, 1000, 16000))
            frames = int(re.findall(r"frame=\s*(\d+)", p.stderr)[-1])
            t.check(frames > 15, codec, transport, frames)


def gst(c, codec, chain, protocol, path):
    """A few seconds of both; what it said. When both media begin within microseconds, gst-launch, which
    links a pad with a filter when it appears, at times forgets one of the two: says its source that
    what it wanted to push to was not linked, then that run is made once more."""
    steps = [x for step in chain for x in ("!", step)]
    argv = ["gst-launch-1.0", "-q", "rtspsrc", "name=s", "latency=100", f"protocols={protocol}",
            f"location={url(c, f'?audio=1&audiocodec={codec}&resolution=320x180')}",
            "s.", "!", "application/x-rtp,media=video", "!", "queue", "!", "rtph264depay", "!", "fakesink",
            "s.", "!", "application/x-rtp,media=audio", "!", "queue", *steps, "!", "audioconvert", "!",
            "audioresample", "!", "audio/x-raw,format=S16LE,rate=16000,channels=1", "!", "filesink",
            "buffer-mode=unbuffered", f"location={path}"]
    env = {**os.environ, "GST_DEBUG": "basesrc:2", "GST_DEBUG_NO_COLOR": "1"}
    for _ in range(5):
        with tempfile.NamedTemporaryFile("r") as words:
            p = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=open(words.name, "w"))
            said = ""
            try:
                for _ in range(200):
                    said += words.read()
                    if os.path.getsize(path) > 60000 or "not-linked" in said or p.poll() is not None:
                        break
                    time.sleep(0.1)
            finally:
                p.terminate()
                p.wait(20)
            said += words.read()
        if "not-linked" not in said:
            break
    return said


def test_E8_gstreamer(t):
    """rtspsrc sets up both; its depayloaders and decoders know each coding."""
    t.need("gst-launch-1.0")
    c = t.shared()
    line_in(c)
    chains = {"aac": ["rtpmp4gdepay", "avdec_aac"], "opus": ["rtpopusdepay", "avdec_opus"],
              "g711": ["rtppcmudepay", "mulawdec"], "lpcm": ["rtpL16depay"]}
    for i, (codec, chain) in enumerate(chains.items()):
        with tempfile.NamedTemporaryFile(suffix=".raw") as raw:
            said = gst(c, codec, chain, ("tcp", "udp")[i % 2], raw.name)
            data = open(raw.name, "rb").read()
        samples = struct.unpack(f"<{len(data) // 2}h", data[:len(data) // 2 * 2])
        t.check(len(samples) > 24000, codec, len(samples), said)
        middle = samples[8000:24000]
        t.check(sound.strength(middle, 1000, 16000) > 0.8, codec, sound.strength(middle, 1000, 16000))


def test_E8_curl(t):
    """receive.cgi and transmit.cgi with curl as everybody writes it."""
    t.need("curl", "ffprobe")
    c = t.shared()
    line_in(c)
    base = f"http://127.0.0.1:{c.http}/axis-cgi/audio/"
    with tempfile.TemporaryDirectory() as d:
        for args, want in (("", "aac"), ("?audiocodec=opus", "opus")):
            p = run(["curl", "-s", "--digest", "-u", f"{U}:{P}", "-m", 2.5, "-o", f"{d}/sound",
                     base + "receive.cgi" + args])
            t.equal(p.returncode, 28, "it has no end")
            p = run(["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of",
                     "default=nk=1:nw=1", f"{d}/sound"])
            t.equal(p.stdout.strip(), want, p.stderr)
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=440:d=1.5", "-ar", "16000",
                        "-ac", "1", "-c:a", "aac", "-f", "adts", f"{d}/tone.aac"], check=True, timeout=60)
        p = run(["curl", "-s", "--digest", "-u", f"{U}:{P}", "-H", "Content-Type: audio/aac",
                 "--data-binary", f"@{d}/tone.aac", "-w", "%{http_code}", base + "transmit.cgi"])
        t.equal(p.stdout, "200", p.stderr)
    for _ in range(50):
        r = c.admin.get("/vedette/stage/speaker?seconds=0.4")
        _, samples = sound.read_wav(r.body)
        if sound.level(samples) > -30 and sound.strength(samples, 440, 48000) > 0.8:
            return
        time.sleep(0.05)
    t.check(False, "the tone was not played")


def test_E8_without_sound_as_before(t):
    """Nobody hears: no thread of sound works, and a stream has one medium."""
    t.need("ffprobe")
    c = t.camera(source="virtual:street,320x180@30").setup(users=False)
    p = run(["ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_entries", "stream=codec_type",
             "-of", "default=nk=1:nw=1", url(c)])
    t.equal(p.stdout.split(), ["video"])

    def cpu():
        for task in os.listdir(f"/proc/{c.process.pid}/task"):
            stat = open(f"/proc/{c.process.pid}/task/{task}/stat").read()
            if "(sound)" in stat:
                f = stat.rpartition(")")[2].split()
                return int(f[11]) + int(f[12])
        raise AssertionError("no sound thread")
    t.equal(cpu(), 0)


def test_E8_media_cgi(t):
    """Sound beside the pictures; a coding that the container does not hold becomes AAC. HLS the same."""
    t.need("curl", "ffmpeg")
    c = t.shared()
    line_in(c)
    with tempfile.TemporaryDirectory() as d:
        for args, want in (("container=mp4", "aac"), ("container=mp4&audiocodec=g711", "aac"),
                           ("container=matroska", "aac"), ("container=matroska&audiocodec=opus", "opus"),
                           ("container=matroska&audiocodec=lpcm", "pcm_s16be")):
            run(["curl", "-s", "--digest", "-u", f"{U}:{P}", "-m", 3, "-o", f"{d}/media",
                 f"http://127.0.0.1:{c.http}/axis-cgi/media.cgi?{args}&audio=1&resolution=320x180"])
            p = run(["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of",
                     "default=nk=1:nw=1", f"{d}/media"])
            t.equal(p.stdout.split(), ["h264", want], args)
            run(["ffmpeg", "-nostdin", "-v", "quiet", "-i", f"{d}/media", "-map", "0:a", "-f", "s16le", "-ac",
                 1, "-ar", 16000, "-y", f"{d}/raw"])
            data = open(f"{d}/raw", "rb").read()
            samples = struct.unpack(f"<{len(data) // 2}h", data)
            t.check(len(samples) > 12000, args, len(samples))
            t.check(sound.strength(samples[4000:12000], 1000, 16000) > 0.85, args)
        where = f"http://{U}:{P}@127.0.0.1:{c.http}/hls/live.m3u8?audio=1&resolution=320x180"
        p = run(["ffmpeg", "-nostdin", "-v", "error", "-i", where, "-t", 3, "-map", "0:a", "-f", "s16le", "-ac", 1,
                 "-ar", 16000, "-y", f"{d}/raw", "-map", "0:v", "-t", 3, "-f", "null", "-"])
        t.equal(p.returncode, 0, p.stderr[-2000:])
        data = open(f"{d}/raw", "rb").read()
        samples = struct.unpack(f"<{len(data) // 2}h", data)
        t.check(len(samples) > 32000, "HLS", len(samples))
        t.check(sound.strength(samples[8000:24000], 1000, 16000) > 0.85, "HLS")
