// What is painted: shown at once, and sent to the server stroke after stroke.

import { Brush } from "./brush.js";
import { post } from "./server.js";

export class Strokes {
  // `hear` is told how the labels are after each change, and `onWrong` why one was refused.
  constructor(hear, onWrong, onChange) {
    Object.assign(this, { hear, onWrong, onChange });
    this.shown = []; // painted here, and not yet seen in what the server sends
    this.current = null; // the view that is painted in, the brush, and its stroke
    this.waiting = 0; // changes that the server has not yet written
    this._sending = Promise.resolve();
  }

  get isQuiet() {
    return !this.waiting && !this.current && !this.shown.length;
  }

  // `width` is that of the brush in voxels, and without a color labels are taken away.
  begin(view, at, { label, color, width }) {
    const brush = new Brush(view.cell, (width / 2) * Math.min(...view.cell));
    brush.moveTo(...at);
    const stroke = { plane: view.name, at: view.at, label, color, runs: () => brush.runs() };
    this.current = { view, brush, stroke };
    this.shown.push(stroke);
    this.onChange();
  }

  moveTo(at) {
    this.current.brush.moveTo(...at);
    this.onChange();
  }

  end() {
    const { stroke } = this.current;
    this.current = null;
    const { plane, at, label } = stroke;
    this.send("paint", { plane, at, label, runs: stroke.runs() }, stroke);
  }

  // Changes go to the server one after the other, in the order in which they were made.
  send(what, said = {}, stroke = null) {
    this.waiting += 1;
    this._sending = this._sending
      .then(() => post(what, said))
      .then((now) => {
        if (stroke) stroke.version = now.version;
        this.hear(now);
      })
      .catch((error) => {
        if (stroke) this._forget(stroke);
        this.onWrong(error);
      })
      .finally(() => {
        this.waiting -= 1;
        this.onChange();
      });
    return this._sending;
  }

  // When all is written that was painted until now.
  settled() {
    return this._sending;
  }

  // Stop showing what is in labels of this version.
  drop(version) {
    const done = this.shown.filter((stroke) => stroke.version <= version);
    for (const stroke of done) this._forget(stroke);
    if (done.length) this.onChange();
  }

  _forget(stroke) {
    this.shown.splice(this.shown.indexOf(stroke), 1);
  }
}
