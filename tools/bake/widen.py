"""Light rendered coarsely, widened to a finer grid along the surfaces which the finer grid shows."""
import numpy as np


def shrunk(a, h, w):
    """Mean over cells of about equal size."""
    ys, xs = np.linspace(0, a.shape[0], h + 1).astype(int)[:-1], np.linspace(0, a.shape[1], w + 1).astype(int)[:-1]
    s = np.add.reduceat(np.add.reduceat(a, ys, 0), xs, 1)
    n = np.diff(np.append(ys, a.shape[0]))[:, None] * np.diff(np.append(xs, a.shape[1]))[None]
    return s / (n[..., None] if a.ndim == 3 else n)


def guides(window, z, normal, h, w):
    """Place and direction of what is seen in each cell of the window (pan0, pan1, tilt0, tilt1)."""
    pan0, pan1, tilt0, tilt1 = np.radians(window)
    pan = (pan0 + (pan1 - pan0) * (np.arange(w) + .5) / w)[None]
    tilt = (tilt1 - (tilt1 - tilt0) * (np.arange(h) + .5) / h)[:, None]
    far = 1 / shrunk(1 / np.clip(z.astype(np.float32), .1, 3e3), h, w)
    at = np.stack([np.sin(pan) * np.cos(tilt), np.cos(pan) * np.cos(tilt), np.sin(tilt) + 0 * pan], -1) * far[..., None]
    n = shrunk(normal.astype(np.float32), h, w)
    n /= np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-6)
    return at.astype(np.float32), n.astype(np.float32), far.astype(np.float32)


def shifted(a, dy, dx):
    h, w = a.shape[:2]
    return a[np.clip(np.arange(h) + dy, 0, h - 1)][:, np.clip(np.arange(w) + dx, 0, w - 1)]


def alike(at, n, far, at2, n2, reach):
    """How surely two places lie on one surface; reach: how far apart they are, in pixels' widths."""
    off = ((at2 - at) * n).sum(-1) / (far * reach)
    return np.exp(-off * off) * np.clip((n2 * n).sum(-1), 0, 1) ** 12


def calm(v, window, z, normal, levels=4):
    """Takes the noise out of light that was found by chance (a few bright hits among many dark
    ones): first along the surfaces alone, then once more from the start, where that first picture
    says what is an edge of the light. Keeps the mean, as hits carry the light."""
    v = np.nan_to_num(v.astype(np.float32))
    h, w = v.shape[:2]
    at, n, far = guides(window, z, normal, h, w)
    wide = np.radians(window[1] - window[0]) / w
    # a hit may outshine what lies round it, but not by so much that it stays a speck
    pad = np.pad(v.mean(-1), 2, mode='edge')
    near = sum(pad[j:j + h, i:i + w] for j in range(5) for i in range(5)) / 25
    v = v * np.minimum(1, (6 * near + 1e-5) / np.maximum(v.mean(-1), 1e-9))[..., None]
    guide, floor = None, 0
    for turn in (3, levels):
        a = v
        for level in range(turn):
            step = 1 << level
            total, weight = 0, 0
            for dy in (-step, 0, step):
                for dx in (-step, 0, step):
                    g = (2 - (dy != 0)) * (2 - (dx != 0)) / 16. * \
                        alike(at, n, far, shifted(at, dy, dx), shifted(n, dy, dx), .002 + .5 * wide * step)
                    if guide is not None:
                        b = shifted(guide, dy, dx)
                        d = (b - guide) / (.25 * (b + guide) + floor)
                        g = g * np.exp(-d * d)
                    g = g[..., None].astype(np.float32) + np.float32(1e-6)
                    total = total + shifted(a, dy, dx) * g
                    weight = weight + g
            a = total / weight
        guide = a.mean(-1)
        floor = .15 * float(np.median(guide)) + 1e-5
    return a.astype(np.float32)


def soften(v, window, z, normal, levels):
    """Shadows' edges, found with few samples, run evenly along their surface; as wide as the sun
    makes them some metres from what throws them."""
    h, w = v.shape
    at, n, far = guides(window, z, normal, h, w)
    wide = np.radians(window[1] - window[0]) / w
    a = np.nan_to_num(v.astype(np.float32))
    for level in range(levels):
        step = 1 << level
        total, weight = 0, 0
        for dy in (-step, 0, step):
            for dx in (-step, 0, step):
                g = (2 - (dy != 0)) * (2 - (dx != 0)) / 16. * \
                    alike(at, n, far, shifted(at, dy, dx), shifted(n, dy, dx), .002 + .5 * wide * step)
                g = g.astype(np.float32) + np.float32(1e-6)
                total = total + shifted(a, dy, dx) * g
                weight = weight + g
        a = total / weight
    return a.astype(np.float16)


def widen(v, w, h, window, z, normal):
    """v: rows of values or colours over the same window as the full-size z and normal of the
    piece. Each fine pixel takes of the 4×4 coarse ones round it what lies on its surface."""
    v = np.nan_to_num(v.astype(np.float32))
    flat = v.ndim == 2
    if flat:
        v = v[..., None]
    ch, cw = v.shape[:2]
    cat, cn, _ = guides(window, z, normal, ch, cw)
    at, n, far = guides(window, z, normal, h, w)
    wide = np.radians(window[1] - window[0]) / cw
    total = np.zeros((h, w, v.shape[2]), np.float32)
    weight = np.full((h, w, 1), 1e-8, np.float32)
    y, x = (np.arange(h) + .5) * ch / h - .5, (np.arange(w) + .5) * cw / w - .5
    y0, x0 = np.floor(y).astype(int), np.floor(x).astype(int)
    for dy in range(-1, 3):
        for dx in range(-1, 3):
            j, i = np.clip(y0 + dy, 0, ch - 1), np.clip(x0 + dx, 0, cw - 1)
            g = np.exp(-(y - y0 - dy) ** 2 / .9)[:, None] * np.exp(-(x - x0 - dx) ** 2 / .9)[None]
            k = g * (alike(at, n, far, cat[j][:, i], cn[j][:, i], .002 + .5 * wide) + 1e-5)
            k = k[..., None].astype(np.float32)
            total += v[j][:, i] * k
            weight += k
    out = total / weight
    return (out[..., 0] if flat else out).astype(np.float16 if flat else np.float32)
