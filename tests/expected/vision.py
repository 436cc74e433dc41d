"""Custom ops on pictures: PersonLab's poses, transformations by landmarks, unpooling."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

EDGES = [
    (0, 1), (1, 3), (0, 2), (2, 4), (0, 5), (5, 7), (7, 9), (5, 11), (11, 13), (13, 15), (0, 6), (6, 8),
    (8, 10), (6, 12), (12, 14), (14, 16),
]  # fmt: skip


def bilinear(field: Array, p: Array) -> Array:
    """All channels of [rows, columns, channels] at p = [..., (y, x)]."""
    (y0, x0), (y1, x1) = (
        np.moveaxis(np.floor(p).astype(int), -1, 0),
        np.moveaxis(np.ceil(p).astype(int), -1, 0),
    )
    v, u = np.moveaxis(p - np.floor(p), -1, 0)[..., None]
    top = (1 - u) * field[y0, x0] + u * field[y0, x1]
    return np.asarray((1 - v) * top + v * ((1 - u) * field[y1, x0] + u * field[y1, x1]))


def traced(heat: Array, shorts: Array, mids: Array, first: int, start: Array) -> tuple[Array, Array]:
    """Key points and their log-odds, from one of them along the skeleton: a tree, so in any order."""
    end = np.array(heat.shape[:2]) - 1
    points, scores = np.zeros((17, 2)), np.full(17, np.nan)
    front = [(first, start)]
    while front:
        k, point = front.pop()
        if not np.isnan(scores[k]):
            continue
        points[k], scores[k] = point, bilinear(heat, point)[k]
        for e, pair in enumerate(EDGES):
            for back in (0, 1):
                if pair[back] != k:
                    continue
                to = pair[1 - back]
                offset = bilinear(mids, point)[[32 * back + e, 32 * back + 16 + e]]
                p = np.clip(point + offset, 0, end)
                for _ in range(5):
                    p = np.clip(p + bilinear(shorts, p)[[to, 17 + to]], 0, end)
                front.append((to, p))
    return points, scores


def poses(
    heat: Array,
    shorts: Array,
    mids: Array,
    count: int,
    threshold: float,
    radius: float,
    given: Array | None = None,
) -> Any:
    """PersonLab's greedy decoding in double precision; coordinates in cells.

    Which of equally good places a pose starts from is open: where `given`, [poses, 17, 2], one of those.
    """
    end = np.array(heat.shape[:2]) - 1
    roots = []
    for y, x, k in np.argwhere(heat >= -np.log(1 / (threshold + 1e-6) - 1)):
        window = heat[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2, k]
        if heat[y, x, k] >= window.max():
            offset = shorts[y, x, [k, 17 + k]]
            roots.append((heat[y, x, k], k, np.clip(np.array([y, x]) + offset, 0, end)))
    found: list[tuple[Array, Array]] = []
    while len(found) < count:
        roots = [r for r in roots if not any(np.sum((r[2] - p[r[1]]) ** 2) <= radius**2 for p, _ in found)]
        if not roots:
            break
        best = max(r[0] for r in roots)
        equal = [i for i, r in enumerate(roots) if r[0] == best]
        ways = [traced(heat, shorts, mids, *roots[i][1:]) for i in equal]
        away = [0.0 if given is None else np.abs(given - p).max((1, 2)).min() for p, _ in ways]
        taken = int(np.argmin(away))
        del roots[equal[taken]]
        points, odds = ways[taken]
        scores = 1 / (1 + np.exp(-odds))
        if scores.mean() >= threshold:
            found.append((points, scores))
    found.sort(key=lambda f: -f[1].mean())
    result = []
    for i, (points, scores) in enumerate(found):
        hidden = [any(np.sum((points[k] - p[k]) ** 2) <= radius**2 for p, _ in found[:i]) for k in range(17)]
        result.append((points, scores, np.where(hidden, 0, scores).sum() / 17))
    result.sort(key=lambda f: -f[2])
    return [r for r in result if r[2] >= threshold]


def mask_distances(longs: Array, points: Array) -> Array:
    """[poses, rows, columns]: how far each cell's own key points are from each pose's, in cells squared."""
    rows, columns = longs.shape[:2]
    own = np.stack(np.mgrid[:rows, :columns], -1).astype(np.float64)
    distance = np.zeros((len(points), rows, columns))
    for k in range(17):
        p = own
        for _ in range(3):
            p = np.clip(p + bilinear(longs, p)[..., [k, 17 + k]], 0, [rows - 1, columns - 1])
        distance += ((points[:, None, None, k] - p) ** 2).sum(-1)
    return distance


def people(rng: np.random.Generator, rows: int, columns: int, count: int) -> tuple[Array, Array, Array]:
    """Heat maps and offsets in cells of a few people who stand somewhere, with noise on all."""
    y, x = np.mgrid[:rows, :columns]
    heat = rng.normal(-4, 0.5, (rows, columns, 17))
    shorts, mids = rng.normal(0, 0.3, (rows, columns, 34)), rng.normal(0, 0.5, (rows, columns, 64))
    for _ in range(count):
        spots = rng.uniform(0, 1, (17, 2)) * [rows, columns]
        for k, (v, u) in enumerate(spots):
            near = (y - v) ** 2 + (x - u) ** 2 < 4
            heat[..., k] += 6 * np.exp(-((y - v) ** 2) - (x - u) ** 2)
            # Short of the goal, so that each refinement counts.
            shorts[near, k], shorts[near, 17 + k] = 0.6 * (v - y)[near], 0.6 * (u - x)[near]
            for e, pair in enumerate(EDGES):
                for back in (0, 1):
                    if pair[back] == k:
                        to = spots[pair[1 - back]]
                        mids[near, 32 * back + e] = (to[0] - y)[near]
                        mids[near, 32 * back + 16 + e] = (to[1] - x)[near]
    return heat, shorts, mids


def box_of_landmarks(points: Array, options: dict[str, Any], corners: Array) -> Array:
    """Where corners [n, (x, y)] of the upright picture around the landmarks [n, 3] lie."""
    xy = points[:, :2].astype(np.float64)
    left, right = options["left_rotation_idx"], options["right_rotation_idx"]
    angle = options["target_rotation_radians"] - np.angle(complex(*(xy[right] - xy[left])))
    turn = np.exp(1j * angle)  # points as complex numbers
    turned = (xy[options["subset_idxs"]] @ [1, 1j]) * turn
    low = complex(turned.real.min(), turned.imag.min())
    high = complex(turned.real.max(), turned.imag.max())
    size = [options["output_width"], options["output_height"]]
    share = (corners / size - 0.5) * [options["scale_x"], options["scale_y"]]
    share = share * [(high - low).real, (high - low).imag]
    back = ((low + high) / 2 + share @ [1, 1j]) / turn
    return np.stack([back.real, back.imag], -1)


def transformed_landmarks(points: Array, matrix: Array) -> Array:
    """The first two coordinates of [..., 2 or 3] by a matrix [4, 4]; a third stays."""
    moved = points.copy()
    moved[..., :2] = points[..., :2] @ matrix[:2, :2].T + matrix[:2, 3]
    return moved


def transformed_picture(picture: Array, matrix: Array, height: int, width: int) -> tuple[Array, Array]:
    """The channels at the places that a matrix [4, 4] gives, and which pixels a last bit puts in or out."""
    rows, columns, depth = picture.shape
    wide, field = matrix.astype(np.float64), picture.astype(np.float64)
    result = np.zeros((height, width, depth))
    unclear = np.zeros((height, width), bool)
    for v, u in np.ndindex(height, width):
        x, y = wide[:2] @ [u + 0.5, v + 0.5, 0, 1] - 0.5
        border = min(abs(x), abs(y), abs(x - columns + 1), abs(y - rows + 1))
        unclear[v, u] = 0 < border < 1e-5
        if 0 <= x <= columns - 1 and 0 <= y <= rows - 1:
            result[v, u] = bilinear(field, np.array([y, x]))
    return result, unclear


def unpooled(x: Array, places: Array, same: bool, stride: tuple[int, int], window: tuple[int, int]) -> Array:
    """Values [batch, h, w, depth] at their places in the whole picture; stride and window are (h, w)."""
    batch, depth = x.shape[0], x.shape[3]
    sizes = [n * s if same else (n - 1) * s + f for n, s, f in zip(x.shape[1:3], stride, window)]
    result = np.zeros((batch, sizes[0] * sizes[1] * depth), np.float32)
    for b in range(batch):
        result[b, places[b].ravel()] = x[b].ravel()  # the last of equal places stays
    return result.reshape(batch, *sizes, depth)
