"""Image stabilisation (row B9): how much of the wind's motion is left in the picture, and what
that does to the bitrate. Judged by pictures alone."""
import pictures

W, H = 640, 360
PICTURES = 36
SHIFTS = 14


def camera(t):
    c = t.camera(clock="sim", source=f"virtual:{W}x{H}@15")
    c.setup(users=False)
    for name in ("Image.I0.Text.ClockEnabled", "Image.I0.Text.DateEnabled"):
        c.update(name, "no")
    c.update("ImageSource.I0.Focus.Mode", "manual")
    c.update("ImageSource.I0.Sensor.WhiteBalance", "fixed_outdoor1")
    r = c.admin.post("/vedette/stage/scenario", '{"text": "scenario wind\\nplace street\\nlength 600 s loop\\n'
                     'hour 12\\nweather clear 0s\\n"}', type="application/json")
    assert r.status == 200, r
    r = c.admin.post("/vedette/stage", '{"do": ["wind 16 0s"]}', type="application/json")
    assert r.status == 200, r
    c.ptz_command("pan=-21&tilt=-2&zoom=4000")  # walls and windows, no leaves
    c.rest()
    c.advance(2)
    return c


def profiles(jpeg):
    """Sums of columns and rows of the middle."""
    y = pictures.gray(jpeg)[2]
    x0, x1, y0, y1 = 60, W - 60, 40, H - 40
    rows = [y[r * W + x0:r * W + x1] for r in range(y0, y1)]
    return [sum(c) / len(rows) for c in zip(*rows)], [sum(r) / len(r) for r in rows]


def shift(a, b):
    """How far b lies to the right of a, by the best likeness, a parabola through it."""
    def apart(d):
        pairs = list(zip(a[SHIFTS:-SHIFTS], b[SHIFTS + d:len(b) - SHIFTS + d]))
        return sum((p - q) ** 2 for p, q in pairs) / len(pairs)
    all_ = {d: apart(d) for d in range(-SHIFTS, SHIFTS + 1)}
    best = min(list(all_)[1:-1], key=all_.get)
    left, here, right = all_[best - 1], all_[best], all_[best + 1]
    bend = left - 2 * here + right
    return best + (0.5 * (left - right) / bend if bend > 0 else 0)


def motion(c):
    """Root mean square of where the scene stands, about its mean; pixels."""
    first, places = None, []
    for _ in range(PICTURES):
        c.advance(1 / 15)
        p = profiles(c.snapshot(f"resolution={W}x{H}&compression=10"))
        first = first or p
        places.append((shift(first[0], p[0]), shift(first[1], p[1])))
    n = len(places)
    mx, my = sum(x for x, _ in places) / n, sum(y for _, y in places) / n
    return (sum((x - mx) ** 2 + (y - my) ** 2 for x, y in places) / n) ** 0.5


def stream_bytes(c):
    """Of three seconds of H.264."""
    r = c.rtsp_client(f"/axis-media/media.amp?resolution={W}x{H}&videokeyframeinterval=300")
    total = pictures_seen = 0
    with c.ticking():
        r.start()
        while pictures_seen < 50:
            p = r.packet()
            total += len(p.payload) if pictures_seen > 3 else 0
            pictures_seen += p.marker
        r.close()
    return total


def test_B9_wind_is_taken_out(t):
    c = camera(t)
    shaken, bytes_shaken = motion(c), stream_bytes(c)
    t.check(shaken > 1, f"the wind moves the picture by {shaken:.2f} pixels")
    c.update("ImageSource.I0.Sensor.StabilizerMargin", "50")
    c.update("ImageSource.I0.Sensor.Stabilizer", "on")
    motion(c)  # it finds its reference
    steady, bytes_steady = motion(c), stream_bytes(c)
    print(f"picture motion {shaken:.2f} -> {steady:.2f} px; H.264 {bytes_shaken} -> {bytes_steady} bytes")
    t.check(steady <= 0.2 * shaken, f"{steady:.2f} of {shaken:.2f} pixels are left")
    t.check(bytes_steady <= 0.75 * bytes_shaken, f"{bytes_steady} of {bytes_shaken} bytes")
