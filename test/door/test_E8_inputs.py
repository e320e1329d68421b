"""Where sound comes from and goes to (row E8): the clip of a file, another camera, ALSA (its file
plug-in stands in for a card)."""
import array
import os
import struct
import subprocess
import time

import rtsp
import sound

HZ = 48000
PATH = "/axis-media/media.amp?audio=1&audiocodec=lpcm&audiosamplerate=48000&resolution=320x180"


def clip(t, hz):
    t.need("ffmpeg")
    path = t.dir() / "clip.mp4"
    os.chmod(path.parent, 0o755)
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=320x180:r=25:d=4",
                    "-f", "lavfi", "-i", f"sine={hz}:d=4", "-c:v", "libx264", "-g", "25", "-c:a", "aac",
                    "-shortest", str(path)], check=True, timeout=60)
    os.chmod(path, 0o644)
    return path


def listen(t, c, seconds, args=""):
    """Samples of the sound of a stream; each packet joins the one before, or silence does."""
    s = c.rtsp_client(PATH + args)
    t.equal(s.describe().status, 200)
    t.check("L16/48000" in s.sdp, s.sdp)
    for i, url in enumerate(s.controls):
        t.equal(s.setup(f"RTP/AVP/TCP;unicast;interleaved={2 * i}-{2 * i + 1}", url).status, 200)
    t.equal(s.play().status, 200)
    channel, samples = 2 * len(s.controls) - 2, []
    while len(samples) < (seconds + 1) * HZ:
        ch, data = s.data()
        if ch == channel:
            p = rtsp.Packet(data)
            samples += struct.unpack(f">{len(p.payload) // 2}h", p.payload)
    s.close()
    return samples[HZ:]  # until the source has begun there is silence


def is_tone(t, samples, hz, what):
    """In most of it: at the seams of a clip, and where a busy machine is late, it may be torn."""
    part = HZ // 50
    parts = [samples[i:i + part] for i in range(0, len(samples) - part, part)]
    good = sum(sound.level(p) > -30 and sound.strength(p, hz, HZ) > 0.7 for p in parts)
    t.check(good >= 0.5 * len(parts), f"{what}: {good} of {len(parts)}")


def test_E8_file_and_camera(t):
    """A clip's sound, with its pictures and alone; and through a second camera that watches."""
    a = t.camera(source=f"file:{clip(t, 700)}").setup(users=False)
    is_tone(t, listen(t, a, 3), 700, "with pictures")
    is_tone(t, listen(t, a, 2, "&video=0"), 700, "alone")
    b = t.camera(source=f"rtsp://root:Correct-horse-7@127.0.0.1:{a.rtsp}/axis-media/media.amp?audio=1"
                 ).setup(users=False)
    is_tone(t, listen(t, b, 4), 700, "of another camera")


def test_E8_alsa(t):
    d = t.dir()
    os.chmod(d, 0o777)
    wave = array.array("h", (s for s in sound.tone(1000, 30, HZ)))
    (d / "in.raw").write_bytes(wave.tobytes())
    (d / "asound.conf").write_text(
        "</usr/share/alsa/alsa.conf>\n"
        f'pcm.mic {{ type file slave.pcm "null" file "/dev/null" infile "{d}/in.raw" format raw }}\n'
        f'pcm.box {{ type file slave.pcm "null" file "{d}/out.raw" format raw }}\n')
    env = {"ALSA_CONFIG_PATH": str(d / "asound.conf")}
    c = t.camera(source="virtual:street,320x180@30", args=["--audio", "alsa:mic,box"], env=env)
    c.setup(users=False)
    is_tone(t, listen(t, c, 2, "&video=0"), 1000, "ALSA in")
    r = c.admin.post("/axis-cgi/audio/transmit.cgi", bytes(sound.to_ulaw(s) for s in sound.tone(440, 1)),
                     type="audio/basic")
    t.equal(r.status, 200, r)
    for _ in range(100):
        if not c.admin.get("/vedette/audio").json["output"]["rms"] > -60 and \
                (d / "out.raw").exists() and (d / "out.raw").stat().st_size > HZ:
            break
        time.sleep(0.1)
    out = array.array("h", (d / "out.raw").read_bytes())
    is_tone(t, list(out)[HZ // 10:HZ * 9 // 10], 440, "ALSA out")


def test_E8_no_audio(t):
    c = t.camera(source="virtual:street,320x180@30", args=["--audio", "none"]).setup(users=False)
    t.equal(c.param("Properties.Audio.Audio"), "no")
    r = c.admin.post("/axis-cgi/audio/transmit.cgi", b"x" * 800, type="audio/basic")
    t.check(r.status in (403, 404), r)
