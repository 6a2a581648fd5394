// One slice view: what of a plane is seen, which tiles that needs, and how they are drawn.

const NEAR = 16; // tiles of a view that are predicted at most

export class View {
  // `look` is shared by all views: the place in nanometres and how many of them a pixel shows.
  constructor(canvas, name, state, look, stores) {
    Object.assign(this, { canvas, name, state, look, stores });
    this.plane = state.planes[name];
    this.context = canvas.getContext("2d");
    this.overlay = document.createElement("canvas");
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.canvas;
    if (this.canvas.width !== Math.round(clientWidth * ratio) || this.canvas.height !== Math.round(clientHeight * ratio)) {
      this.canvas.width = this.overlay.width = Math.round(clientWidth * ratio);
      this.canvas.height = this.overlay.height = Math.round(clientHeight * ratio);
    }
    this.ratio = ratio;
  }

  // Where a pixel of the page lies along the columns and the rows, in nanometres.
  toPlane(event) {
    const at = this.canvas.getBoundingClientRect();
    const { column, row } = this.plane;
    return [
      this.look.place[column] + (event.clientX - at.left - at.width / 2) * this.look.scale,
      this.look.place[row] + (event.clientY - at.top - at.height / 2) * this.look.scale,
    ];
  }

  // The size of a voxel that is labelled, along columns and rows.
  get cell() {
    const { resolution } = this.state.levels[0];
    return [resolution[this.plane.column], resolution[this.plane.row]];
  }

  // The slice that is labelled, in voxels.
  get at() {
    return this._slice(this.state.levels[0]);
  }

  // The coarsest mip whose voxels are not seen one by one.
  get level() {
    const { column, row } = this.plane;
    const fits = (level) => Math.min(level.resolution[column], level.resolution[row]) <= this.look.scale * 1.2;
    return this.state.levels.findLast(fits) ?? this.state.levels[0];
  }

  // The tiles of a mip that are seen, those in the middle first.
  tiles(level) {
    const size = this.state.tile;
    const { column, row } = this.plane;
    const half = [this.canvas.clientWidth, this.canvas.clientHeight].map((n) => (n / 2) * this.look.scale);
    const range = [column, row].map((axis, n) => {
      const voxel = (nm) => Math.floor(nm / level.resolution[axis]) - level.min[axis];
      const last = Math.ceil((level.max[axis] - level.min[axis]) / size) - 1;
      return [
        Math.max(0, Math.floor(voxel(this.look.place[axis] - half[n]) / size)),
        Math.min(last, Math.floor(voxel(this.look.place[axis] + half[n]) / size)),
      ];
    });
    const tiles = [];
    for (let j = range[1][0]; j <= range[1][1]; j++) {
      for (let i = range[0][0]; i <= range[0][1]; i++) tiles.push(this._tile(level, i, j));
    }
    const off = (tile) => Math.hypot(tile.u + tile.w / 2 - this.look.place[column], tile.v + tile.h / 2 - this.look.place[row]);
    return tiles.sort((a, b) => off(a) - off(b));
  }

  get predictedTiles() {
    return this.tiles(this.state.levels[0]).slice(0, NEAR);
  }

  draw(strokes) {
    this.resize();
    const { context, overlay, look, stores } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const level = this.level;
    for (const coarser of [...this.state.levels].reverse()) {
      if (coarser === level) break;
      if (coarser.resolution[0] < level.resolution[0]) continue;
      for (const tile of this.tiles(coarser)) this._put(context, tile, stores.image.get(tile, { ask: false })?.canvases[0]);
    }
    const tiles = this.tiles(level);
    for (const tile of tiles) this._put(context, tile, stores.image.get(tile)?.canvases[0]);
    const predicted = this.predictedTiles;
    if (look.showClasses || look.showUnsure) {
      for (const tile of predicted) {
        const found = stores.prediction.get(tile, { ask: false });
        if (look.showClasses) this._put(context, tile, found?.canvases[0], look.classesOpacity);
        if (look.showUnsure) this._put(context, tile, found?.canvases[1], look.unsureOpacity);
      }
    }
    const isFine = level === this.state.levels[0];
    const outlined = look.showOutlines && isFine ? tiles : [];
    for (const tile of outlined) this._put(context, tile, stores.outlines.get(tile)?.canvases[0], 0.3);
    const painted = overlay.getContext("2d");
    painted.clearRect(0, 0, overlay.width, overlay.height);
    for (const tile of tiles) this._put(painted, tile, stores.labels.get(tile)?.canvases[0]);
    for (const stroke of strokes) if (stroke.plane === this.name && stroke.at === this.at) this._drawStroke(painted, stroke);
    context.globalAlpha = look.labelsOpacity;
    context.drawImage(overlay, 0, 0);
    context.globalAlpha = 1;
    this._drawCross();
    return { tiles, predicted, outlined };
  }

  // A place of the plane, in nanometres, as pixels of the canvas.
  toPixel(u, v) {
    const { column, row } = this.plane;
    return [
      ((u - this.look.place[column]) / this.look.scale + this.canvas.clientWidth / 2) * this.ratio,
      ((v - this.look.place[row]) / this.look.scale + this.canvas.clientHeight / 2) * this.ratio,
    ];
  }

  _slice(level) {
    const { across } = this.plane;
    const at = Math.floor(this.look.place[across] / level.resolution[across]);
    return Math.min(Math.max(at, level.min[across]), level.max[across] - 1);
  }

  _tile(level, i, j) {
    const size = this.state.tile;
    const { column, row } = this.plane;
    const [left, top] = [level.min[column] + i * size, level.min[row] + j * size];
    const [width, height] = [Math.min(size, level.max[column] - left), Math.min(size, level.max[row] - top)];
    return {
      name: `${this.name}/${level.mip}/${this._slice(level)}/${i}/${j}`,
      width,
      height,
      u: left * level.resolution[column],
      v: top * level.resolution[row],
      w: width * level.resolution[column],
      h: height * level.resolution[row],
    };
  }

  _put(context, tile, canvas, opacity = 1) {
    if (!canvas) return;
    const [left, top] = this.toPixel(tile.u, tile.v).map(Math.round);
    const [right, bottom] = this.toPixel(tile.u + tile.w, tile.v + tile.h).map(Math.round);
    context.imageSmoothingEnabled = right - left < tile.width;
    context.globalAlpha = opacity;
    context.drawImage(canvas, left, top, right - left, bottom - top);
    context.globalAlpha = 1;
  }

  _drawStroke(context, stroke) {
    const [width, height] = this.cell;
    context.fillStyle = stroke.color;
    for (const [row, first, end] of stroke.runs()) {
      const [left, top] = this.toPixel(first * width, row * height);
      const [right, bottom] = this.toPixel(end * width, (row + 1) * height);
      if (stroke.label) context.fillRect(left, top, right - left, bottom - top);
      else context.clearRect(left, top, right - left, bottom - top);
    }
  }

  _drawCross() {
    const { context } = this;
    const [x, y] = [this.canvas.width / 2, this.canvas.height / 2];
    context.strokeStyle = "rgba(255, 255, 255, 0.25)";
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(this.canvas.width, y);
    context.moveTo(x, 0);
    context.lineTo(x, this.canvas.height);
    context.stroke();
  }
}
