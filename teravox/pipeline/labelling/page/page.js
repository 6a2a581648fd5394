// The page: what is shown, what keys and buttons do, and what the server says.

import { Look } from "./look.js";
import { address, getJson, listen, post } from "./server.js";
import { Strokes } from "./strokes.js";
import { paintClasses, paintGrey, paintOutlines, paintUnsure, parseColor, Tiles } from "./tiles.js";
import { View } from "./view.js";

const $ = (id) => document.getElementById(id);
const SETTLE = 150; // milliseconds without a move until the server is told what is seen

const state = await getJson("state");
let classes = state.classes;
let label = 1; // the class that is painted; 0 erases
let lastClass = 1;
const look = new Look(state, refresh);
const strokes = new Strokes(hearOfLabels, (error) => sayWrong(error), refresh);

function say(text, wrong = false) {
  $("message").textContent = text;
  $("message").classList.toggle("wrong", wrong);
}

const sayWrong = (error) => say(error.message, true);
const colors = () => classes.map((one) => parseColor(one.color));

const stores = {
  image: new Tiles("image", paintGrey, refresh, sayWrong),
  outlines: new Tiles("outlines", paintOutlines, refresh, sayWrong),
  labels: new Tiles("labels", (bytes, count) => [paintClasses(bytes, count, colors())], refresh, sayWrong),
  prediction: new Tiles(
    "prediction",
    (bytes, count) => [
      paintClasses(bytes.subarray(0, count), count, colors()),
      paintUnsure(bytes.subarray(count), count),
    ],
    refresh,
    sayWrong,
  ),
};
const views = Object.keys(state.planes).map((name) => new View($(name), name, state, look, stores));
let active = views[0];

// Drawing, at most once a frame.

let isAsked = false;

function refresh() {
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(() => {
    isAsked = false;
    draw();
  });
}

function draw() {
  const seen = new Map(views.map((view) => [view, view.draw(strokes.shown)]));
  const tiles = [...seen.values()].flatMap((one) => one.tiles);
  stores.image.fetch(tiles);
  stores.labels.fetch(tiles);
  stores.outlines.fetch([...seen.values()].flatMap((one) => one.outlined));
  const order = [active, ...views.filter((view) => view !== active)];
  const predicted = order.flatMap((view) => seen.get(view).predicted);
  if (look.live) for (const tile of predicted) stores.prediction.get(tile);
  stores.prediction.fetch(look.live ? predicted : []);
  $("place").textContent = look.voxel.join(", ");
  if (stores.labels.have(tiles)) strokes.drop(stores.labels.wantedVersion);
  tellWhatIsSeen(predicted.map((tile) => tile.name));
}

let told = "";
let telling = 0;

function tellWhatIsSeen(names) {
  const said = JSON.stringify({ tiles: names, live: look.live });
  if (said === told) return;
  told = said;
  clearTimeout(telling);
  telling = setTimeout(() => post("seen", { tiles: names, live: look.live }).catch(sayWrong), SETTLE);
}

// Labels.

function hearOfLabels(now) {
  stores.labels.wantedVersion = Math.max(stores.labels.wantedVersion, now.version);
  $("undo").disabled = !now.can_undo;
  $("redo").disabled = !now.can_redo;
  refresh();
}

async function save() {
  await strokes.settled();
  if (!strokes.waiting) say(`All labels are saved in ${state.layer}.`);
}

// Classes and brushes.

function showClasses() {
  $("classes").replaceChildren(
    ...classes.map((one, n) => {
      const button = document.createElement("button");
      const color = document.createElement("i");
      color.style.background = one.color;
      button.className = "class";
      button.setAttribute("role", "radio");
      button.append(color, n < 9 ? `${n + 1} ${one.name}` : one.name);
      button.onclick = () => choose(n + 1);
      return button;
    }),
  );
  const eraser = document.createElement("button");
  eraser.className = "class";
  eraser.setAttribute("role", "radio");
  eraser.append("E erase");
  eraser.onclick = () => choose(label ? 0 : lastClass);
  $("classes").append(eraser);
  choose(label);
}

function choose(number) {
  if (number > classes.length) return;
  if (number) lastClass = number;
  label = number;
  [...$("classes").children].forEach((button, n) => {
    const stands = n < classes.length ? n + 1 : 0;
    button.setAttribute("aria-checked", String(stands === label));
  });
}

function setBrush(size) {
  $("brush").value = size;
  const across = Number($("brush").value);
  $("brush-said").textContent = across === 1 ? "1 voxel" : `${across} voxels`;
}

async function addClass() {
  try {
    await post("class", { name: $("new-class").value });
    $("new-class").value = "";
  } catch (error) {
    sayWrong(error);
  }
}

// What is shown.

function setLook() {
  Object.assign(look, {
    live: $("live").checked,
    showClasses: $("show-classes").checked,
    showUnsure: $("show-unsure").checked,
    showOutlines: $("show-outlines").checked,
    labelsOpacity: Number($("labels-opacity").value),
    classesOpacity: Number($("classes-opacity").value),
    unsureOpacity: Number($("unsure-opacity").value),
  });
  const [channel, low, high] = ["channel", "low", "high"].map((id) => $(id).value);
  stores.image.query = `?channel=${channel}&low=${low || 0}&high=${high || 0}`;
  refresh();
}

function setChannel() {
  const [low, high] = state.contrast[Number($("channel").value)];
  [$("low").value, $("high").value] = [low, high];
  setLook();
}

function toggle(id) {
  $(id).checked = !$(id).checked;
  setLook();
}

function showSpace() {
  const frame = document.createElement("iframe");
  const place = look.place.map((nm, axis) => nm / state.full[axis]);
  frame.src = address("space") + `?${["x", "y", "z"].map((axis, n) => `${axis}=${place[n]}`).join("&")}`;
  frame.title = "Neuroglancer";
  $("space").replaceChildren(frame);
}

async function suggest() {
  say("Looking for the slice that is best labelled next …");
  await post("suggest", { axis: $("axis").value }).catch(sayWrong);
}

async function saveModel() {
  say("Learning from all labels …");
  await post("model").catch(sayWrong);
}

// What the server says by itself.

function showProgress(done, of) {
  $("progress").hidden = done >= of;
  [$("progress").value, $("progress").max] = [done, Math.max(of, 1)];
}

const heard = {
  labels: hearOfLabels,
  classes(news) {
    classes = news.classes;
    stores.labels.clear();
    showClasses();
    refresh();
  },
  progress(news) {
    showProgress(news.done, news.of);
    $("learned").textContent = `${news.text} …`;
  },
  waiting(news) {
    showProgress(1, 1);
    stores.prediction.clear();
    $("learned").textContent = news.text;
    refresh();
  },
  learned(news) {
    stores.prediction.wantedVersion = news.version;
    const left = news.left ? `; ${news.left} labelled places are still to come` : "";
    const unit = state.supervoxels ? "supervoxels" : "voxels";
    $("learned").textContent = `Learnt from ${news.samples} ${unit} in ${news.seconds.toFixed(1)} s${left}.`;
    refresh();
  },
  predicted(news) {
    showProgress(news.done, news.of);
    stores.prediction.renew(news.tile);
    refresh();
  },
  needs(news) {
    $("live").checked = false;
    $("live").disabled = true;
    $("learned").textContent = news.text;
    showProgress(1, 1);
    setLook();
  },
  suggestion(news) {
    say(news.text);
    if (!news.place) return;
    active = views.find((view) => "xyz"[view.plane.across] === news.axis) ?? active;
    active.canvas.focus();
    look.goTo(news.place);
  },
  saved: (news) => say(news.text),
  error(news) {
    showProgress(1, 1);
    say(news.text, true);
  },
};

// Hands and keys.

function follow(view) {
  const { canvas } = view;
  let from = null; // where the picture was taken hold of
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("pointerdown", (event) => {
    active = view;
    canvas.setPointerCapture(event.pointerId);
    if (event.button === 0 && event.ctrlKey) look.centre(view, view.toPlane(event));
    else if (event.button === 0) {
      const color = label ? classes[label - 1].color : null;
      strokes.begin(view, view.toPlane(event), { label, color, width: Number($("brush").value) });
    } else from = view.toPlane(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (strokes.current?.view === view) {
      for (const one of [...(event.getCoalescedEvents?.() ?? []), event]) strokes.moveTo(view.toPlane(one));
    } else if (from) look.drag(view, from, view.toPlane(event));
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => {
      from = null;
      if (strokes.current?.view === view) strokes.end();
    });
  }
  canvas.addEventListener("pointerenter", () => {
    if (!strokes.current) active = view;
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      if (event.ctrlKey) look.zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, view, view.toPlane(event));
      else look.scroll(view, Math.sign(event.deltaY || event.deltaX) * (event.shiftKey ? 10 : 1));
    },
    { passive: false },
  );
}

const keys = {
  e: () => choose(label ? 0 : lastClass),
  "[": () => setBrush(Number($("brush").value) - 1),
  "]": () => setBrush(Number($("brush").value) + 1),
  z: (event) => strokes.send(event.shiftKey ? "redo" : "undo"),
  s: save,
  l: () => $("live").disabled || toggle("live"),
  u: () => toggle("show-unsure"),
  p: () => toggle("show-classes"),
  o: () => state.supervoxels && toggle("show-outlines"),
  n: suggest,
  h: () => ($("help").open ? $("help").close() : $("help").showModal()),
  "+": () => look.zoom(1 / 1.2, active),
  "-": () => look.zoom(1.2, active),
  arrowleft: (event) => look.scroll(active, event.shiftKey ? -10 : -1),
  arrowright: (event) => look.scroll(active, event.shiftKey ? 10 : 1),
  ",": () => look.scroll(active, -1),
  ".": () => look.scroll(active, 1),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("select, input:not([type=checkbox], [type=range])")) return;
  const key = event.key.toLowerCase();
  if (event.target.matches("[type=range]") && key.startsWith("arrow")) return;
  if (/^[1-9]$/.test(key)) choose(Number(key));
  else if (keys[key]) keys[key](event);
  else return;
  event.preventDefault();
});

window.addEventListener("beforeunload", (event) => {
  if (strokes.waiting || strokes.current) event.preventDefault();
});
window.addEventListener("resize", refresh);

for (const view of views) follow(view);
for (const id of ["live", "show-classes", "show-unsure", "show-outlines", "low", "high"]) $(id).addEventListener("change", setLook);
for (const id of ["labels-opacity", "classes-opacity", "unsure-opacity"]) $(id).addEventListener("input", setLook);
$("brush").addEventListener("input", () => setBrush($("brush").value));
$("channel").addEventListener("change", setChannel);
$("undo").onclick = () => strokes.send("undo");
$("redo").onclick = () => strokes.send("redo");
$("save").onclick = save;
$("suggest").onclick = suggest;
$("save-model").onclick = saveModel;
$("add-class").onclick = addClass;
$("show-space").onclick = showSpace;
$("help-button").onclick = keys.h;
$("close-help").onclick = () => $("help").close();

state.contrast.forEach((_, n) => $("channel").append(new Option(String(n), String(n))));
$("channel-row").hidden = state.contrast.length < 2;
$("show-space").disabled = !state.hasClient;
if (!state.hasClient) $("space").firstElementChild.append(" needs: pip install 'teravox[view]'");
$("live").checked = true;
$("model-row").hidden = state.model === null;
document.title = `labels: ${state.layer.split("/").pop()}`;
$("outlines-row").hidden = !state.supervoxels;
$("show-outlines").checked = state.supervoxels;
setBrush(state.supervoxels ? 1 : 8);
showClasses();
look.showWhole(views[0]);
setChannel();
hearOfLabels(state.labels);
let isLost = false;
listen(
  (news) => heard[news.about]?.(news),
  async () => {
    if (!isLost) return;
    isLost = false;
    say("");
    hearOfLabels((await getJson("state")).labels); // there may have been news meanwhile
  },
  () => {
    isLost = true;
    say("teravox has ended, or cannot be reached.", true);
  },
);

// For tests, and for whoever looks under the hood.
window.labelling = { state, look, stores, views, isQuiet: () => strokes.isQuiet };
