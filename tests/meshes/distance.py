"""The exact distance of points to a surface of triangles, by a grid of cells that know their triangles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Floats = NDArray[np.float64]
MOST_CELLS = 1 << 22


def nearest(points: Floats, triangles: Floats) -> Floats:
    """How far each point (n, 3) is from the nearest of the triangles (m, corner, axis)."""
    low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
    span = np.maximum(high - low, 1e-9)
    edges = np.linalg.norm(triangles - np.roll(triangles, 1, axis=1), axis=2)
    side = max(2 * float(edges.mean()), float((span.prod() / MOST_CELLS) ** (1 / 3)), float(span.max()) / 2000, 1e-9)
    cells = (span // side).astype(np.int64) + 1
    first, listed = _list_triangles(triangles, low, side, cells)
    return np.asarray(_search(np.ascontiguousarray(points, np.float64), triangles, low, side, cells, first, listed))


@compiled
def _list_triangles(triangles: Any, low: Any, side: float, cells: Any) -> Any:
    """For each cell where its triangles begin in the list of them; those of a triangle's box count as touched."""
    first = np.zeros(cells[0] * cells[1] * cells[2] + 1, np.int64)
    listed = np.zeros(0, np.int64)
    for turn in range(2):  # count, then list
        for n in range(len(triangles)):
            a = np.zeros(3, np.int64)
            b = np.zeros(3, np.int64)
            for axis in range(3):
                t = triangles[n, :, axis]
                a[axis] = int((t.min() - low[axis]) / side)
                b[axis] = min(int((t.max() - low[axis]) / side), cells[axis] - 1)
            for x in range(a[0], b[0] + 1):
                for y in range(a[1], b[1] + 1):
                    for z in range(a[2], b[2] + 1):
                        cell = (x * cells[1] + y) * cells[2] + z
                        if turn == 0:
                            first[cell + 1] += 1
                        else:
                            listed[first[cell]] = n
                            first[cell] += 1
        if turn == 0:
            first = np.cumsum(first)
            listed = np.zeros(first[-1], np.int64)
    first[1:] = first[:-1].copy()
    first[0] = 0
    return first, listed


@compiled
def _search(points: Any, triangles: Any, low: Any, side: float, cells: Any, first: Any, listed: Any) -> Any:
    found = np.empty(len(points))
    at = np.zeros(3, np.int64)
    for n in range(len(points)):
        p = points[n]
        for axis in range(3):
            at[axis] = min(max(int(np.floor((p[axis] - low[axis]) / side)), 0), cells[axis] - 1)
        best = np.inf
        ring = 0
        # What lies outside of the cells up to this ring is further than that many sides.
        while ring == 0 or (ring <= cells.max() and best > ((ring - 1) * side) ** 2):
            for x in range(max(at[0] - ring, 0), min(at[0] + ring, cells[0] - 1) + 1):
                for y in range(max(at[1] - ring, 0), min(at[1] + ring, cells[1] - 1) + 1):
                    inside = abs(x - at[0]) < ring and abs(y - at[1]) < ring
                    step = 2 * ring if inside else 1
                    for z in range(at[2] - ring, at[2] + ring + 1, step):
                        if 0 <= z < cells[2]:
                            cell = (x * cells[1] + y) * cells[2] + z
                            for k in range(first[cell], first[cell + 1]):
                                t = triangles[listed[k]]
                                best = min(best, _square(p, t[0], t[1], t[2]))
            ring += 1
        found[n] = np.sqrt(best)
    return found


@compiled
def _square(p: Any, a: Any, b: Any, c: Any) -> float:
    """The square of the distance of p to the triangle abc: to its inside, where p is above that, or else to its edges."""
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    px, py, pz = p[0] - a[0], p[1] - a[1], p[2] - a[2]
    uu, uv, vv = ux * ux + uy * uy + uz * uz, ux * vx + uy * vy + uz * vz, vx * vx + vy * vy + vz * vz
    up, vp = ux * px + uy * py + uz * pz, vx * px + vy * py + vz * pz
    twice = uu * vv - uv * uv  # the square of twice the area
    s, t = vv * up - uv * vp, uu * vp - uv * up
    if twice > 0 and s >= 0 and t >= 0 and s + t <= twice:
        s, t = s / twice, t / twice
        x, y, z = px - s * ux - t * vx, py - s * uy - t * vy, pz - s * uz - t * vz
        return float(x * x + y * y + z * z)
    opposite = _square_to_edge(px - ux, py - uy, pz - uz, vx - ux, vy - uy, vz - uz)
    return float(min(_square_to_edge(px, py, pz, ux, uy, uz), _square_to_edge(px, py, pz, vx, vy, vz), opposite))


@compiled
def _square_to_edge(x: float, y: float, z: float, ux: float, uy: float, uz: float) -> float:
    """The square of the distance of a point to the edge from the origin to u."""
    length = ux * ux + uy * uy + uz * uz
    along = min(max((x * ux + y * uy + z * uz) / length, 0.0), 1.0) if length > 0 else 0.0
    x, y, z = x - along * ux, y - along * uy, z - along * uz
    return x * x + y * y + z * z
