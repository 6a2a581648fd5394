// Tiles of image, labels and predictions: fetched once, kept as small canvases, and forgotten when there are too many.

import { getTile } from "./server.js";

const MOST = 600; // canvases of 256 x 256 pixels, which take 256 kB each
const AT_ONCE = 4; // requests; a browser has six connections, and the news and the 3-D view need one each

export class Tiles {
  // `paint(bytes, pixels, tile)` turns what the server sent into pixels of red, green, blue and alpha, or into several such.
  constructor(what, paint, onChange, onWrong) {
    this.what = what;
    this.paint = paint;
    this.onChange = onChange;
    this.onWrong = onWrong;
    this.query = "";
    this.wantedVersion = 0;
    this.kept = new Map(); // name → {canvases, version, query}
    this.asked = new Map(); // name → AbortController
    this.queue = new Map(); // name → tile
    this.outdated = new Set(); // names of tiles that have changed since they were asked for
  }

  // What there is of a tile; it is asked for if that is nothing, or old.
  get(tile, { ask = true } = {}) {
    const found = this.kept.get(tile.name);
    if (found) {
      this.kept.delete(tile.name);
      this.kept.set(tile.name, found);
    }
    if (ask && !this._isNew(found) && !this.asked.has(tile.name)) this.queue.set(tile.name, tile);
    return found;
  }

  // Have a tile asked for again, and show it as it is until then.
  renew(name) {
    const found = this.kept.get(name);
    if (found) found.version = -1;
    if (this.asked.has(name)) this.outdated.add(name);
  }

  clear() {
    this.kept.clear();
  }

  // Forget wishes that nobody has any more, and ask for the rest.
  fetch(tiles) {
    const names = new Set(tiles.map((tile) => tile.name));
    for (const name of this.queue.keys()) if (!names.has(name)) this.queue.delete(name);
    for (const [name, asked] of this.asked) if (!names.has(name)) asked.abort();
    this._next();
  }

  // Whether all of these tiles are there, as they are now.
  have(tiles) {
    return tiles.every((tile) => this._isNew(this.kept.get(tile.name)));
  }

  _isNew(found) {
    return found !== undefined && found.version >= this.wantedVersion && found.query === this.query;
  }

  _next() {
    for (const [name, tile] of this.queue) {
      if (this.asked.size >= AT_ONCE) return;
      this.queue.delete(name);
      this._ask(name, tile);
    }
  }

  async _ask(name, tile) {
    const asked = new AbortController();
    const query = this.query;
    this.asked.set(name, asked);
    this.outdated.delete(name);
    try {
      const wanted = this.wantedVersion;
      const got = await getTile(`${this.what}/${name}${query}`, asked.signal);
      const canvases = got === null ? (this.kept.get(name)?.canvases ?? []) : this._draw(got.bytes, tile);
      const known = this.outdated.has(name) ? -1 : wanted; // of an image there is one version
      this._keep(name, { canvases, version: got?.version || known, query });
    } catch (error) {
      if (error.name !== "AbortError") {
        this._keep(name, { canvases: [], version: Infinity, query }); // it is not asked for over and over
        this.onWrong(error);
      }
    } finally {
      this.asked.delete(name);
      this._next();
    }
    this.onChange();
  }

  _draw(bytes, tile) {
    return this.paint(bytes, tile.width * tile.height).map((pixels) => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [tile.width, tile.height];
      canvas.getContext("2d").putImageData(new ImageData(pixels, tile.width, tile.height), 0, 0);
      return canvas;
    });
  }

  _keep(name, found) {
    this.kept.delete(name);
    this.kept.set(name, found);
    for (const old of this.kept.keys()) {
      if (this.kept.size <= MOST) return;
      this.kept.delete(old);
    }
  }
}

export function paintGrey(bytes, count) {
  const pixels = new Uint8ClampedArray(count * 4);
  for (let n = 0; n < count; n++) {
    pixels[4 * n] = pixels[4 * n + 1] = pixels[4 * n + 2] = bytes[n];
    pixels[4 * n + 3] = 255;
  }
  return [pixels];
}

// Classes in their colors; 0 is not painted.
export function paintClasses(bytes, count, colors) {
  const pixels = new Uint8ClampedArray(count * 4);
  for (let n = 0; n < count; n++) {
    const color = colors[bytes[n] - 1];
    if (!color) continue;
    pixels.set(color, 4 * n);
    pixels[4 * n + 3] = 255;
  }
  return pixels;
}

// Uncertainty in a color that no class has, the more of it the less is certain.
export function paintUnsure(bytes, count) {
  const pixels = new Uint8ClampedArray(count * 4);
  for (let n = 0; n < count; n++) {
    pixels[4 * n] = pixels[4 * n + 2] = 255;
    pixels[4 * n + 3] = bytes[n];
  }
  return pixels;
}

export function paintOutlines(bytes, count) {
  const pixels = new Uint8ClampedArray(count * 4);
  for (let n = 0; n < count; n++) if (bytes[n]) pixels.fill(255, 4 * n, 4 * n + 4);
  return [pixels];
}

export function parseColor(color) {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
}
