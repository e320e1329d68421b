"""Fewer triangles for a mesh, in the way of Garland and Heckbert (Surface simplification using
quadric error metrics, 1997): the edge goes whose loss moves the surface least. Unlike Blender's
own it takes what does not quite meet for joined, and holds on to edges of panels and of colours."""
import heapq

import numpy as np

EDGE = 8.0  # how much more an open edge or one between colours weighs than a face


def welded(p, t, size):
    """(place of each vertex, places): those closer than about `size` metres are one."""
    _, place = np.unique(np.round(p / size).astype(np.int64), axis=0, return_inverse=True)
    place = place.reshape(-1)
    sums = np.zeros((place.max() + 1, 3))
    np.add.at(sums, place, p)
    return place, sums / np.bincount(place)[:, None]


def plane(n, at):
    q = np.append(n, -n @ at)
    return np.outer(q, q)


class Surface:
    def __init__(self, p, t, mat):
        self.p, self.t, self.mat = p.copy(), t.copy(), mat
        self.faces = [set() for _ in p]
        self.q = np.zeros((len(p), 4, 4))
        self.version = np.zeros(len(p), int)
        sides = {}
        for f, (a, b, c) in enumerate(t.tolist()):
            n = np.cross(p[b] - p[a], p[c] - p[a])
            size = np.linalg.norm(n)
            for v in (a, b, c):
                self.faces[v].add(f)
            if size > 1e-12:
                q = plane(n / size, p[a]) * size
                for v in (a, b, c):
                    self.q[v] += q
            for u, v in ((a, b), (b, c), (c, a)):
                sides.setdefault((min(u, v), max(u, v)), []).append((f, n / max(size, 1e-12)))
        for (u, v), around in sides.items():
            if len(around) == 2 and mat[around[0][0]] == mat[around[1][0]]:
                continue
            way = p[v] - p[u]
            for _, n in around:
                m = np.cross(way, n)
                q = plane(m / max(np.linalg.norm(m), 1e-12), p[u]) * (EDGE * (way @ way))
                self.q[u] += q
                self.q[v] += q
        self.n = len(t)
        self.heap = []
        for u, v in sides:
            self.offer(u, v)

    def offer(self, u, v):
        q = self.q[u] + self.q[v]
        middle = (self.p[u] + self.p[v]) / 2
        tries = [self.p[u], self.p[v], middle]
        a = q[:3, :3] + np.eye(3) * (1e-3 * np.trace(q[:3, :3]) + 1e-12)
        best = np.linalg.solve(a, -q[:3, 3] + (a - q[:3, :3]) @ middle)
        if np.linalg.norm(best - middle) < 2 * np.linalg.norm(self.p[u] - self.p[v]):
            tries.append(best)
        h = np.concatenate([np.array(tries), np.ones((len(tries), 1))], 1)
        cost = np.einsum("ij,jk,ik->i", h, q, h)
        k = int(np.argmin(cost))
        way = self.p[u] - self.p[v]
        heapq.heappush(self.heap, (float(cost[k]) + 1e-7 * float(way @ way), u, v, self.version[u], self.version[v], tuple(tries[k])))

    def turns_over(self, v, other, at):
        for f in self.faces[v] - self.faces[other]:
            a, b, c = (self.p[x] for x in self.t[f])
            was = np.cross(b - a, c - a)
            a, b, c = (at if x == v else self.p[x] for x in self.t[f])
            now = np.cross(b - a, c - a)
            if was @ now < 0.3 * np.linalg.norm(was) * np.linalg.norm(now):
                return True
        return False

    def collapse(self, u, v, at):
        self.p[u] = at
        self.q[u] += self.q[v]
        for f in self.faces[v]:
            if f in self.faces[u]:
                for x in self.t[f]:
                    if x not in (u, v):
                        self.faces[x].discard(f)
                self.faces[u].discard(f)
                self.t[f] = -1
                self.n -= 1
            else:
                self.t[f][self.t[f] == v] = u
                self.faces[u].add(f)
        self.faces[v] = set()
        self.version[u] += 1
        self.version[v] += 1
        for x in {int(x) for f in self.faces[u] for x in self.t[f]} - {u}:
            self.offer(u, x)

    def run(self, target):
        while self.n > target and self.heap:
            _, u, v, nu, nv, at = heapq.heappop(self.heap)
            if self.version[u] != nu or self.version[v] != nv:
                continue
            at = np.array(at)
            if not self.turns_over(u, v, at) and not self.turns_over(v, u, at):
                self.collapse(u, v, at)


def simplify(p, t, mat, target, weld):
    """(places, faces, of which faces they come): about `target` triangles."""
    place, at = welded(p, t, weld)
    t = place[t]
    real = np.nonzero((t[:, 0] != t[:, 1]) & (t[:, 1] != t[:, 2]) & (t[:, 2] != t[:, 0]))[0]
    s = Surface(at, t[real], mat[real])
    s.run(target)
    left = np.nonzero(s.t[:, 0] >= 0)[0]
    return s.p, s.t[left], real[left]
