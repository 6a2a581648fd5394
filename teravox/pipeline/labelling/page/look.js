// Where the views look: the place in the middle of all, and how many nanometres a pixel shows.

export class Look {
  constructor(state, onChange) {
    const fine = state.levels[0];
    this.fine = fine;
    this.onChange = onChange;
    this.place = fine.min.map((low, axis) => ((low + fine.max[axis]) / 2) * fine.resolution[axis]);
    this.scale = 1;
  }

  // The voxel in the middle.
  get voxel() {
    return this.place.map((nm, axis) => Math.floor(nm / this.fine.resolution[axis]));
  }

  goTo(voxel) {
    this._moveTo(voxel.map((n, axis) => (n + 0.5) * this.fine.resolution[axis]));
  }

  // Have a place of a view's plane in the middle of the others.
  centre(view, [u, v]) {
    const place = [...this.place];
    [place[view.plane.column], place[view.plane.row]] = [u, v];
    this._moveTo(place);
  }

  // Move the picture so that what was at one place of the plane is at another.
  drag(view, from, to) {
    const { column, row } = view.plane;
    this.centre(view, [this.place[column] - to[0] + from[0], this.place[row] - to[1] + from[1]]);
  }

  // Go so many slices further, of the mip that is shown.
  scroll(view, slices) {
    const { across } = view.plane;
    const step = view.level.resolution[across];
    const place = [...this.place];
    place[across] = (Math.floor(place[across] / step) + slices + 0.5) * step;
    this._moveTo(place);
  }

  // Show so many times as much; what lies `at` a place of the plane stays there.
  zoom(factor, view, at = null) {
    const { fine } = this;
    const { column, row } = view.plane;
    const [u, v] = at ?? [this.place[column], this.place[row]];
    const most = Math.max(...fine.resolution.map((n, axis) => (n * (fine.max[axis] - fine.min[axis])) / 100));
    const before = this.scale;
    this.scale = Math.min(Math.max(before * factor, Math.min(...fine.resolution) / 64), most);
    const share = this.scale / before;
    this.centre(view, [u + (this.place[column] - u) * share, v + (this.place[row] - v) * share]);
  }

  // Show all of a plane.
  showWhole(view) {
    const { fine } = this;
    const { column, row } = view.plane;
    const size = (axis) => (fine.max[axis] - fine.min[axis]) * fine.resolution[axis];
    const { clientWidth, clientHeight } = view.canvas;
    const fits = Math.max(size(column) / clientWidth, size(row) / clientHeight);
    this.scale = Math.max(fits, Math.min(...fine.resolution) / 4);
    this.onChange();
  }

  _moveTo(place) {
    const { resolution, min, max } = this.fine;
    this.place = place.map((nm, axis) => {
      const step = resolution[axis];
      return Math.min(Math.max(nm, (min[axis] + 0.5) * step), (max[axis] - 0.5) * step);
    });
    this.onChange();
  }
}
