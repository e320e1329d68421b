"""Sound in tests: samples out of packets, and what is to be heard in them."""
import math
import struct
import subprocess
import wave

import rtsp


def ulaw(byte):
    """G.711 mu-law, from the standard's formula."""
    byte = ~byte & 0xff
    size = (((byte & 15) << 3) + 0x84 << (byte >> 4 & 7)) - 0x84
    return -size if byte & 0x80 else size


def to_ulaw(sample):
    sign = 0x80 if sample < 0 else 0
    size = min(abs(sample), 32635) + 0x84
    exponent = size.bit_length() - 8
    return ~(sign | exponent << 4 | size >> exponent + 3 & 15) & 0xff


ULAW = [ulaw(b) for b in range(256)]


def level(samples):
    """Root mean square in dB of full scale."""
    power = sum(s * s for s in samples) / max(1, len(samples))
    return 10 * math.log10(power / 32768 ** 2) if power else -120


def onset(samples, over=8000):
    """Index of the first sample that is so loud."""
    return next(i for i, s in enumerate(samples) if abs(s) > over)


def tone(hz, seconds, rate=8000, size=12000):
    return [round(size * math.sin(2 * math.pi * hz * i / rate)) for i in range(int(seconds * rate))]


def strength(samples, hz, rate):
    """Of one frequency (Goertzel), as a share of all power."""
    k = 2 * math.cos(2 * math.pi * hz / rate)
    a = b = 0.0
    for s in samples:
        a, b = s + k * a - b, a
    power = sum(s * s for s in samples)
    return 2 * (a * a + b * b - k * a * b) / (power * len(samples)) if power else 0


def read_wav(data):
    """(rate, samples) of one channel."""
    import io
    with wave.open(io.BytesIO(data)) as w:
        assert (w.getnchannels(), w.getsampwidth()) == (1, 2)
        n = w.getnframes()
        return w.getframerate(), list(struct.unpack(f"<{n}h", w.readframes(n)))


def luma_of_clap(annex_b, pictures):
    """Mean luma where the clap's lamp is, of each picture of an H.264 stream, by ffmpeg."""
    p = subprocess.run(["ffmpeg", "-v", "error", "-f", "h264", "-i", "-", "-vf",
                        "crop=iw/10:ih/12:0:ih*0.46,scale=4:4", "-fps_mode", "passthrough", "-f",
                        "rawvideo", "-pix_fmt", "gray", "-"],
                       input=annex_b, capture_output=True, timeout=60)
    assert p.returncode == 0, p.stderr.decode()
    found = [sum(p.stdout[i:i + 16]) / 16 for i in range(0, len(p.stdout), 16)]
    assert len(found) == pictures, (len(found), pictures)
    return found


def clap_in(path):
    """(when the last clap is seen, when it is heard) in a file with pictures and sound, by ffmpeg's times."""
    def times(kind, what):
        p = subprocess.run(["ffprobe", "-v", "error", "-select_streams", kind, "-show_entries", f"{what}=pts_time",
                            "-of", "csv=p=0", str(path)], capture_output=True, text=True, timeout=60)
        return [float(x.rstrip(",")) for x in p.stdout.split()]
    p = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v", "-vf",
                        "crop=iw/10:ih/12:0:ih*0.46,scale=4:4", "-fps_mode", "passthrough", "-f", "rawvideo",
                        "-pix_fmt", "gray", "-"], capture_output=True, timeout=60)
    luma = [sum(p.stdout[i:i + 16]) / 16 for i in range(0, len(p.stdout), 16)]
    pictures = times("v", "frame")
    assert len(luma) == len(pictures) > 10, (len(luma), len(pictures), p.stderr)
    seen = max(i for i in range(1, len(luma)) if luma[i] > 210 >= luma[i - 1])  # the last one
    p = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:a", "-f", "s16le", "-ac", "1", "-ar",
                        "48000", "-"], capture_output=True, timeout=60)
    samples = struct.unpack(f"<{len(p.stdout) // 2}h", p.stdout[:len(p.stdout) // 2 * 2])
    start = times("a", "packet")[0]
    skip = max(0, int((pictures[seen] - 0.3 - start) * 48000))
    return pictures[seen], start + (skip + onset(samples[skip:])) / 48000


class Clocks:
    """What sender reports say: RTP time to wall clock seconds, a channel each."""

    def __init__(self):
        self.at = {}

    def hear(self, channel, data, hz):
        for kind, _, body in rtsp.rtcp(data):
            if kind == 200:
                s, part, rtp = struct.unpack(">III", body[4:16])
                self.at[channel] = (s + part / 2 ** 32, rtp, hz)

    def wall(self, channel, rtp):
        wall, base, hz = self.at[channel]
        return wall + ((rtp - base + 2 ** 31 & 0xffffffff) - 2 ** 31) / hz
