"""Light rendered coarsely, widened to a finer grid along the surfaces which the finer grid shows."""
import numpy as np


def shrunk(a, h, w):
    """Mean over cells of about equal size."""
    ys, xs = np.linspace(0, a.shape[0], h + 1).astype(int)[:-1], np.linspace(0, a.shape[1], w + 1).astype(int)[:-1]
    s = np.add.reduceat(np.add.reduceat(a, ys, 0), xs, 1)
    n = np.diff(np.append(ys, a.shape[0]))[:, None] * np.diff(np.append(xs, a.shape[1]))[None]
    return s / (n[..., None] if a.ndim == 3 else n)


def guides(z, normal, h, w):
    inv = shrunk(1 / np.clip(z.astype(np.float32), .1, 1e6), h, w)
    n = shrunk(normal.astype(np.float32), h, w)
    return inv, n / np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-6)


def widen(v, w, h, z, normal):
    """v: rows of values or colours over the same window as the full-size z and normal of the
    piece. Each fine pixel takes of the 4×4 coarse ones round it what has its distance and faces
    its way; single bright specks are cut down first."""
    v = np.nan_to_num(v.astype(np.float32))
    flat = v.ndim == 2
    if flat:
        v = v[..., None]
    ch, cw = v.shape[:2]
    pad = np.pad(v, ((1, 1), (1, 1), (0, 0)), mode='edge')
    ring = np.stack([pad[j:j + ch, i:i + cw] for j in range(3) for i in range(3)])
    v = np.minimum(v, 3 * np.median(ring, 0) + 1e-4) if not flat else v
    ci, cn = guides(z, normal, ch, cw)
    fi, fn = guides(z, normal, h, w)
    total = np.zeros((h, w, v.shape[2]), np.float32)
    weight = np.full((h, w, 1), 1e-8, np.float32)
    y, x = (np.arange(h) + .5) * ch / h - .5, (np.arange(w) + .5) * cw / w - .5
    y0, x0 = np.floor(y).astype(int), np.floor(x).astype(int)
    for dy in range(-1, 3):
        for dx in range(-1, 3):
            j, i = np.clip(y0 + dy, 0, ch - 1), np.clip(x0 + dx, 0, cw - 1)
            g = np.exp(-(y - y0 - dy) ** 2 / .9)[:, None] * np.exp(-(x - x0 - dx) ** 2 / .9)[None]
            dz = (ci[j][:, i] / fi - 1) / .04
            dn = (cn[j][:, i] * fn).sum(-1)
            k = (g * (np.exp(-dz * dz) * np.clip(dn, 0, 1) ** 8 + 1e-5))[..., None].astype(np.float32)
            total += v[j][:, i] * k
            weight += k
    out = total / weight
    return (out[..., 0] if flat else out).astype(np.float16 if flat else np.float32)
