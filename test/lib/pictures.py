"""What is inside coded pictures: the camera's own stamp, sizes, parameter sets."""
import ctypes
import json
import struct
import subprocess

turbo = None  # the library, once it is needed


def jpeg_segments(data):
    """[(marker, payload)] up to the first scan."""
    assert data[:2] == b"\xff\xd8", f"no JPEG: {data[:40]!r}"
    i, found = 2, []
    while i + 4 <= len(data):
        assert data[i] == 0xff, f"no marker at {i}"
        marker = data[i + 1]
        n, = struct.unpack(">H", data[i + 2:i + 4])
        found.append((marker, data[i + 4:i + 2 + n]))
        if marker == 0xda:
            break
        i += 2 + n
    return found


def jpeg_size(data):
    """(width, height)"""
    for marker, p in jpeg_segments(data):
        if 0xc0 <= marker <= 0xc2:
            height, width = struct.unpack(">HH", p[1:5])
            return width, height
    raise AssertionError("no frame header")


def jpeg_stamp(data):
    """The JSON that the camera wrote into a comment: serial, utc, pose. Or None."""
    assert data.endswith(b"\xff\xd9"), "JPEG does not end"
    for marker, p in jpeg_segments(data):
        if marker == 0xfe:
            try:
                return json.loads(p.rstrip(b"\0"))
            except ValueError:
                continue
    return None


def unescape(nal):
    """Removes emulation prevention."""
    out, zeros = bytearray(), 0
    for b in nal:
        if zeros >= 2 and b == 3:
            zeros = 0
            continue
        out.append(b)
        zeros = zeros + 1 if b == 0 else 0
    return bytes(out)


def sei_stamp(nals):
    """The JSON of the user data SEI in front of the slices, or None."""
    for nal in nals:
        if nal[0] & 0x1f != 6:
            continue
        p, i = unescape(nal[1:]), 0
        while i + 2 < len(p):
            kind = size = 0
            while p[i] == 0xff:
                kind, i = kind + 255, i + 1
            kind, i = kind + p[i], i + 1
            while p[i] == 0xff:
                size, i = size + 255, i + 1
            size, i = size + p[i], i + 1
            if kind == 5 and size > 16:
                try:
                    return json.loads(p[i + 16:i + size].rstrip(b"\0"))
                except ValueError:
                    pass
            i += size
    return None


class Bits:
    def __init__(self, data):
        self.v, self.n, self.i = int.from_bytes(data, "big"), 8 * len(data), 0

    def u(self, n):
        self.i += n
        return (self.v >> (self.n - self.i)) & ((1 << n) - 1)

    def ue(self):
        zeros = 0
        while not self.u(1):
            zeros += 1
        return (1 << zeros) - 1 + self.u(zeros)


def sps_size(nal):
    """(width, height) of an H.264 sequence parameter set (4:2:0, no scaling lists)."""
    b = Bits(unescape(nal[1:]))
    profile = b.u(8)
    b.u(16)
    b.ue()
    if profile in (100, 110, 122, 244):
        b.ue(), b.ue(), b.ue(), b.u(1)
        assert not b.u(1), "scaling lists"
    b.ue()
    if b.ue() == 0:
        b.ue()
    b.ue()
    b.u(1)
    width = 16 * (b.ue() + 1)
    height = 16 * (b.ue() + 1)
    if not b.u(1):
        height *= 2
        b.u(1)
    b.u(1)
    if b.u(1):
        left, right, top, bottom = b.ue(), b.ue(), b.ue(), b.ue()
        width -= 2 * (left + right)
        height -= 2 * (top + bottom)
    return width, height


class H264:
    """RTP payloads of one stream to access units (RFC 6184, mode 1)."""

    def __init__(self):
        self.nals, self.part = [], None

    def push(self, payload, marker):
        """The access unit (a list of NAL units) that this packet ends, or None."""
        kind = payload[0] & 0x1f
        if kind == 28:
            start, end = payload[1] & 0x80, payload[1] & 0x40
            assert not (start and end), "FU-A with start and end"
            if start:
                assert self.part is None, "fragment inside fragment"
                self.part = bytes([payload[0] & 0xe0 | payload[1] & 0x1f])
            assert self.part is not None, "fragment without start"
            self.part += payload[2:]
            if end:
                self.nals.append(self.part)
                self.part = None
        elif kind == 24:
            i = 1
            while i < len(payload):
                n, = struct.unpack(">H", payload[i:i + 2])
                self.nals.append(payload[i + 2:i + 2 + n])
                assert self.nals[-1][0] & 0x1f in (6, 7, 8), "slice in STAP-A"
                i += 2 + n
        else:
            assert 1 <= kind <= 23, f"NAL type {kind}"
            self.nals.append(payload)
        if not marker:
            return None
        assert self.part is None, "marker inside a fragment"
        unit, self.nals = self.nals, []
        return unit


def kinds(unit):
    return [nal[0] & 0x1f for nal in unit]


def decoded(data, pixel_format, size):
    """A JPEG's pixels, by libturbojpeg: in this process, a picture takes a millisecond."""
    global turbo
    if not turbo:
        turbo = ctypes.CDLL("libturbojpeg.so.0")
        turbo.tjInitDecompress.restype = ctypes.c_void_p
        turbo.tjGetErrorStr2.restype = ctypes.c_char_p
    w, h = jpeg_size(data)
    pixels = ctypes.create_string_buffer(w * h * size)
    handle = ctypes.c_void_p(turbo.tjInitDecompress())
    try:
        bad = turbo.tjDecompress2(handle, data, ctypes.c_ulong(len(data)), pixels, w, 0, h, pixel_format, 0)
        assert not bad, turbo.tjGetErrorStr2(handle).decode()
    finally:
        turbo.tjDestroy(handle)
    return w, h, pixels.raw


def gray(data, width=None, height=None, crop=None):
    """A JPEG as (width, height, luma bytes). crop: x, y, w, h in pixels; scaled by ffmpeg."""
    if not width:
        w, h, y = decoded(data, 6, 1)  # TJPF_GRAY
        if crop:
            left, top, cw, ch = crop
            assert left >= 0 and top >= 0 and left + cw <= w and top + ch <= h, (crop, w, h)
            return cw, ch, b"".join(y[r * w + left:r * w + left + cw] for r in range(top, top + ch))
        return w, h, y
    filters = f"scale={width}:{height}"
    if crop:
        filters = "crop={2}:{3}:{0}:{1},".format(*crop) + filters
    p = subprocess.run(["ffmpeg", "-v", "error", "-f", "mjpeg", "-i", "-", "-vf", filters, "-frames:v", "1",
                        "-f", "rawvideo", "-pix_fmt", "gray", "-"],
                       input=data, capture_output=True, timeout=60)
    assert p.returncode == 0, p.stderr.decode()
    assert len(p.stdout) == width * height, (len(p.stdout), width, height)
    return width, height, p.stdout


def rgb(data):
    """A JPEG as (width, height, interleaved bytes)."""
    return decoded(data, 0, 3)  # TJPF_RGB


def mean(data):
    y = gray(data)[2]
    return sum(y) / len(y)
