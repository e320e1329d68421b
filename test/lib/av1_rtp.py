"""AV1 out of RTP, written from "RTP Payload Format For AV1" and the AV1 bitstream specification
alone, by somebody who has not read the camera's packetizer. What the format forbids raises; what
it only advises against is kept in `advice`."""
from pictures import Bits

SEQUENCE_HEADER, TEMPORAL_DELIMITER, FRAME_HEADER, TILE_GROUP, METADATA, FRAME, REDUNDANT, TILE_LIST = (
    1, 2, 3, 4, 5, 6, 7, 8)
KEY_FRAME = 0


def leb128(data, at):
    """(value, where it ends). AV1, 4.10.5."""
    value = 0
    for i in range(8):
        assert at + i < len(data), "leb128 beyond the end"
        value |= (data[at + i] & 0x7f) << (7 * i)
        if not data[at + i] & 0x80:
            assert value < 1 << 32, "leb128 of more than 32 bits"
            return value, at + i + 1
    raise AssertionError("leb128 longer than 8 bytes")


def to_leb128(value):
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


class Obu:
    """One whole OBU as RTP carries it. AV1, 5.3.2."""

    def __init__(self, data):
        assert data, "empty OBU"
        assert not data[0] & 0x80, "obu_forbidden_bit"
        self.type, self.sized = data[0] >> 3 & 15, bool(data[0] & 2)
        self.layer, at = None, 1  # (temporal_id, spatial_id)
        if data[0] & 4:
            assert len(data) > 1, "OBU without its extension header"
            self.layer, at = (data[1] >> 5, data[1] >> 3 & 3), 2
        self.head = bytes([data[0] & ~2]) + data[1:at]
        if self.sized:
            size, at = leb128(data, at)
            assert size == len(data) - at, f"obu_size {size}, {len(data) - at} bytes are there"
        self.payload = data[at:]

    def stored(self):
        """As the low overhead format stores it: with its size. AV1, 5.2."""
        return bytes([self.head[0] | 2]) + self.head[1:] + to_leb128(len(self.payload)) + self.payload


class Sequence:
    """sequence_header_obu(). AV1, 5.5.1, up to the size."""

    def __init__(self, payload):
        b = Bits(payload)
        self.profile, self.still, self.reduced = b.u(3), b.u(1), b.u(1)
        self.tier, model, delay_bits = 0, 0, 0
        if self.reduced:
            self.level, self.points = b.u(5), [0]
        else:
            if b.u(1):  # timing_info_present_flag
                b.u(32), b.u(32)
                if b.u(1):  # equal_picture_interval: uvlc(), the same code as ue(v)
                    b.ue()
                model = b.u(1)
                if model:
                    delay_bits = b.u(5) + 1
                    b.u(32), b.u(5), b.u(5)
            delay = b.u(1)
            self.points = []
            for i in range(b.u(5) + 1):
                self.points.append(b.u(12))
                level = b.u(5)
                tier = b.u(1) if level > 7 else 0
                if i == 0:
                    self.level, self.tier = level, tier
                if model and b.u(1):
                    b.u(delay_bits), b.u(delay_bits), b.u(1)
                if delay and b.u(1):
                    b.u(4)
        width_bits, height_bits = b.u(4) + 1, b.u(4) + 1
        self.size = b.u(width_bits) + 1, b.u(height_bits) + 1
        # each operating point of fewer layers is contained in the one before it (section 5)
        for more, fewer in zip(self.points, self.points[1:]):
            assert more & fewer == fewer, f"operating points {self.points}"


class Unit:
    """One temporal unit."""

    def __init__(self, time, obus, begins):
        self.time, self.obus, self.begins = time, obus, begins
        found = [o for o in obus if o.type == SEQUENCE_HEADER]
        self.sequence = Sequence(found[0].payload) if found else None
        self.shown, self.key = 0, False
        for o in obus:
            if o.type not in (FRAME, FRAME_HEADER):
                continue
            b = Bits(o.payload[:1])
            if b.u(1):  # show_existing_frame
                self.shown += 1
                continue
            kind, show = b.u(2), b.u(1)
            self.shown += show
            self.key = self.key or (kind == KEY_FRAME and bool(show))
        # AV1, 7.5: what a decoder can begin with
        whole = self.sequence is not None and self.key
        assert begins == whole, (f"N is {int(begins)} at a unit {'with' if self.sequence else 'without'} a sequence "
                                 f"header {'and' if self.key else 'without'} a key frame")

    def stored(self):
        return b"\x12\x00" + b"".join(o.stored() for o in self.obus)  # a temporal delimiter first


class Av1:
    """RTP payloads of one stream to temporal units."""

    def __init__(self):
        self.obus, self.part, self.time, self.begins, self.first = [], None, None, False, True
        self.advice, self.packets = [], 0

    def push(self, payload, marker, time):
        """The temporal unit that this packet ends, or None."""
        self.packets += 1
        assert len(payload) > 1, "nothing behind the aggregation header"
        z, y, w, n = payload[0] >> 7, payload[0] >> 6 & 1, payload[0] >> 4 & 3, payload[0] >> 3 & 1
        if payload[0] & 7:
            self.advice.append("reserved bits of the aggregation header are set")
        if not self.first:
            assert time == self.time, "the time changes inside a temporal unit"
        assert z == (self.part is not None), f"Z is {z}, a fragment is {'' if self.part else 'not '}open"
        assert not n or self.first, "N behind the first packet of its unit"
        assert not (n and z), "N and Z"
        if self.first:
            self.begins, self.time, self.first = bool(n), time, False
        whole = self.take(payload, z, y, w)
        layers = {o.layer for o in whole if o.layer is not None}
        assert len(layers) <= 1, f"layers {layers} in one packet"
        for i, o in enumerate(whole):
            if o.sized:
                self.advice.append(f"OBU of type {o.type} with obu_size")
            if o.type in (TEMPORAL_DELIMITER, TILE_LIST):
                self.advice.append(f"OBU of type {o.type} was not removed")
            if o.type == SEQUENCE_HEADER and i:
                self.advice.append("a sequence header that is not the first of its packet")
        self.obus += [o for o in whole if o.type not in (TEMPORAL_DELIMITER, TILE_LIST)]
        if not marker:
            return None
        assert self.part is None, "the marker, and a fragment is open"
        unit = Unit(time, self.obus, self.begins)
        self.obus, self.first = [], True
        return unit

    def take(self, payload, z, y, w):
        """The OBUs that end in this packet."""
        elements, at = [], 1
        while at < len(payload):
            size = len(payload) - at
            if w == 0 or len(elements) < w - 1:
                size, at = leb128(payload, at)
            assert size > 0, "an empty OBU element"
            assert at + size <= len(payload), f"OBU element of {size} bytes, {len(payload) - at} are left"
            elements.append(payload[at:at + size])
            at += size
        assert w in (0, len(elements)), f"W is {w}, {len(elements)} OBU elements"
        whole = []
        for i, element in enumerate(elements):
            data = self.part + element if z and i == 0 else element
            self.part = None
            if y and i == len(elements) - 1:
                self.part = data
            else:
                whole.append(Obu(data))
        return whole
