// A stroke while it is painted: rows of voxels of one slice.

export class Brush {
  // `cell` is the size of a voxel along columns and rows, and `radius` that of the brush, all in nanometres.
  constructor(cell, radius) {
    this.cell = cell;
    this.radius = radius;
    this.rows = new Map(); // row → runs of columns [first, after the last], which do not touch
    this.last = null;
  }

  // Paint from the place of the last call to this one.
  moveTo(u, v) {
    const [fromU, fromV] = this.last ?? [u, v];
    const step = Math.max(Math.min(...this.cell) / 2, this.radius / 3);
    const steps = Math.max(1, Math.ceil(Math.hypot(u - fromU, v - fromV) / step));
    for (let n = this.last ? 1 : 0; n <= steps; n++) {
      this._stamp(fromU + ((u - fromU) * n) / steps, fromV + ((v - fromV) * n) / steps);
      if (!this.last) break;
    }
    this.last = [u, v];
  }

  runs() {
    const runs = [];
    for (const [row, pieces] of this.rows) for (const [first, end] of pieces) runs.push([row, first, end]);
    return runs;
  }

  // A disc, and at least the voxel in whose middle it is.
  _stamp(u, v) {
    const [width, height] = this.cell;
    this._add(Math.floor(v / height), Math.floor(u / width), Math.floor(u / width) + 1);
    const top = Math.ceil((v - this.radius) / height - 0.5);
    const bottom = Math.floor((v + this.radius) / height - 0.5);
    for (let row = top; row <= bottom; row++) {
      const off = (row + 0.5) * height - v;
      const half = Math.sqrt(Math.max(0, this.radius ** 2 - off ** 2));
      const first = Math.ceil((u - half) / width - 0.5);
      const end = Math.floor((u + half) / width - 0.5) + 1;
      if (end > first) this._add(row, first, end);
    }
  }

  _add(row, first, end) {
    const apart = [];
    for (const [a, b] of this.rows.get(row) ?? []) {
      if (b < first || a > end) apart.push([a, b]);
      else [first, end] = [Math.min(a, first), Math.max(b, end)];
    }
    apart.push([first, end]);
    this.rows.set(row, apart);
  }
}
