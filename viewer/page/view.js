// The viewer's page: files in, sliders, motion, files out.
"use strict";

const $ = (id) => document.getElementById(id);
const DEGREES = Math.PI / 180;
const MOTION_FILE = /\.(csv|json|npz)$/i;

const app = {
  own: null, // the photo's expression and pose
  panel: null,
  pose: [0, 0, 0],
  gaze: [0, 0],
  orbit: [0, 0],
  driver: null, // a motion, and the sound that belongs to it
  playing: false,
  live: null, // the last pose of a webcam or a phone
  liveFrom: "",
  alive: false,
  idle: null,
  background: { kind: "photo", value: "" },
  lastMotion: null,
};
const stage = new Stage(askFullFrame);
const recorder = new Recorder();
let session = "";
let socket = null;
let NAMES = []; // the 52, in the server's order

function complain(text) {
  $("error").textContent = text;
  $("error").hidden = !text;
}
$("error").onclick = () => complain("");

/** A request of this session; complains and returns null when it fails. */
async function request(path, options = {}) {
  try {
    const headers = { "X-Session": session, ...options.headers };
    const answer = await fetch(path, { ...options, headers });
    if (answer.ok) return answer;
    const text = await answer.text();
    let said = text;
    try { said = JSON.parse(text).error || text; } catch { /* plain text */ }
    complain(said);
  } catch {
    complain("The viewer does not answer. Is it still running?");
  }
  return null;
}

function post(path, content) {
  return request(path, { method: "POST", body: JSON.stringify(content) });
}

function working(share, what) {
  $("work").hidden = share >= 1;
  $("share").value = share;
  $("what").textContent = what;
}

function connect() {
  socket = new WebSocket(`ws://${location.host}/live`);
  socket.onmessage = ({ data }) => hear(JSON.parse(data));
  socket.onclose = () => complain("The viewer has ended. Start it again and reload this page.");
}

async function hear(message) {
  if (message.kind === "hello") {
    session = message.session;
    NAMES = message.names;
    $("phone").hidden = !message.phone;
  } else if (message.kind === "progress") {
    working(message.share, message.what);
  } else if (message.kind === "error") {
    working(1, "");
    complain(message.text);
  } else if (message.kind === "subject") {
    showSubject(message.own);
  } else if (message.kind === "mesh") {
    await showMesh();
  } else if (message.kind === "pose") {
    if (message.seen !== false && app.liveFrom) {
      app.live = { coefficients: message.coefficients[0], rotation: message.rotation[0],
        translation: message.translation[0] };
    }
    underway = Math.max(0, underway - 1);
    sendWebcam();
  }
}

async function showSubject(own) {
  stop();
  app.own = own;
  app.driver = app.lastMotion = null;
  for (const id of ["play", "clip", "csv", "time"]) $(id).disabled = true;
  stage.clear();
  $("ask").hidden = true;
  app.panel = new ExpressionPanel($("expression"), NAMES, own.coefficients, () => {});
  app.idle = new IdleLife(NAMES);
  resetView();
  const names = ["behind.jpg", "body.png", "torso.png"];
  const [behind, body, torso] = await Promise.all(names.map((name) => request(name)));
  if (behind) app.behind = URL.createObjectURL(await behind.blob());
  for (const [id, layer] of [["body", body], ["torso", torso]]) {
    if (layer) $(id).src = URL.createObjectURL(await layer.blob());
    $(id).hidden = !layer;
  }
  showBackground();
}

async function showMesh() {
  const answer = await request("head.glb");
  if (!answer) return;
  app.glb = await answer.blob();
  await stage.view.load(await app.glb.arrayBuffer());
  stage.meshed = true;
  working(1, "");
}

function askFullFrame(state) {
  return post("frame", {
    coefficients: [Array.from(state.coefficients)], rotation: [state.rotation],
    translation: [state.translation], size: +$("size").value,
    transparent: app.background.kind !== "photo",
  }).then((answer) => answer && answer.blob());
}

/** What is to be seen now. */
function stateAt(now) {
  let coefficients = app.panel.values;
  let rotation = app.pose;
  let translation = [0, 0, 0];
  const driven = app.live || (app.playing ? drivenAt(now) : null);
  if (driven) ({ coefficients, rotation, translation } = driven);
  if (app.alive && !driven) [coefficients, rotation] = app.idle.at_(now / 1000, coefficients, rotation);
  if (app.gaze[0] || app.gaze[1]) {
    coefficients = Float32Array.from(coefficients);
    addGaze(coefficients, app.gaze, (name) => NAMES.indexOf(name));
  }
  const turned = times(rotationOf([0, app.orbit[1], 0]),
    times(rotationOf([app.orbit[0], 0, 0]), rotationOf(rotation)));
  return { coefficients, rotation: anglesOf(turned), translation: [...translation],
    place: app.own.translation, key: app.background.kind === "photo" ? $("size").value
      : `${$("size").value} clear` };
}

/** The driver's frame at this moment; sound, where there is any, gives the time. */
function drivenAt(now) {
  const { motion, sound } = app.driver;
  const length = motion.coefficients.length / motion.fps;
  let time = sound && !sound.paused ? sound.currentTime : (now - app.began) / 1000;
  if (time >= length || (sound && sound.ended)) {
    app.began = now;
    time = 0;
    if (sound) { sound.currentTime = 0; sound.play().catch(() => {}); }
  }
  $("time").value = time / length;
  const k = Math.max(0, Math.min(motion.coefficients.length - 1, Math.floor(time * motion.fps)));
  return { coefficients: motion.coefficients[k], rotation: motion.rotation[k],
    translation: motion.translation[k] };
}

function tick(now) {
  if (app.own) {
    const state = stateAt(now);
    stage.show(state, now);
    recorder.keep(state, now);
    const { fps, fullMs } = stage.rate(now);
    const pace = fps > 2 ? `${fps} fps` : "still";
    $("rate").textContent = `${pace} · full frame ${fullMs} ms`;
  }
  requestAnimationFrame(tick);
}

/** Upload a file's bytes; of its name only the ending is sent. */
function upload(path, file) {
  const ending = (/\.[A-Za-z0-9]+$/.exec(file.name) || [""])[0];
  return request(path, { method: "POST", body: file, headers: { "X-Name": `file${ending}` } });
}

async function takePhoto(file) {
  if (!file) return;
  complain("");
  working(0.02, "uploading");
  $("ask").hidden = true;
  const answer = await upload("subject", file);
  if (!answer) {
    working(1, "");
    $("ask").hidden = Boolean(app.own);
  }
}

async function takeDriver(file) {
  if (!file) return;
  complain("");
  stop();
  working(0.05, "uploading");
  const answer = await upload("driver", file);
  working(1, "");
  if (!answer) return;
  const sound = MOTION_FILE.test(file.name) ? null : new Audio(URL.createObjectURL(file));
  app.driver = { motion: await answer.json(), sound };
  app.lastMotion = app.driver.motion;
  for (const id of ["play", "clip", "csv", "time"]) $(id).disabled = false;
  play();
}

function play() {
  if (!app.driver) return;
  stopLive();
  app.playing = true;
  app.began = performance.now();
  $("play").textContent = "Stop";
  const { sound } = app.driver;
  if (sound) { sound.currentTime = 0; sound.play().catch(() => {}); }
}

function stop() {
  app.playing = false;
  $("play").textContent = "Play";
  if (app.driver && app.driver.sound) app.driver.sound.pause();
  stopLive();
}

function stopLive() {
  if (!app.liveFrom) return;
  socket.send("still");
  app.liveFrom = "";
  app.live = null;
  const stream = $("mirror").srcObject;
  if (stream) stream.getTracks().forEach((track) => track.stop());
  $("mirror").srcObject = null;
  $("mirror").hidden = true;
  for (const id of ["webcam", "phone"]) $(id).classList.remove("on");
}

async function startWebcam() {
  if (app.liveFrom === "webcam") { stopLive(); return; }
  stop();
  if (!app.own) { complain("There is no head yet. Drop a photo first."); return; }
  try {
    const wanted = { video: { width: 320, height: 240 }, audio: false };
    $("mirror").srcObject = await navigator.mediaDevices.getUserMedia(wanted);
  } catch {
    complain("There is no webcam, or this page may not use it.");
    return;
  }
  await $("mirror").play();
  $("mirror").hidden = false;
  $("webcam").classList.add("on");
  app.liveFrom = "webcam";
  sendWebcam();
  setTimeout(sendWebcam, 20);
}

const webcamPicture = document.createElement("canvas");
const MOST_UNDERWAY = 2; // a picture is watched while the one before is fitted
let underway = 0;

/** The next picture; the answer to it sends another. */
function sendWebcam() {
  if (app.liveFrom !== "webcam" || underway >= MOST_UNDERWAY) return;
  const video = $("mirror");
  if (!video.videoWidth) { setTimeout(sendWebcam, 100); return; }
  underway++;
  const scale = 320 / Math.max(video.videoWidth, video.videoHeight);
  webcamPicture.width = Math.round(video.videoWidth * scale);
  webcamPicture.height = Math.round(video.videoHeight * scale);
  const [w, h] = [webcamPicture.width, webcamPicture.height];
  const context = webcamPicture.getContext("2d");
  context.setTransform(-1, 0, 0, 1, w, 0); // as in a mirror
  context.drawImage(video, 0, 0, w, h);
  webcamPicture.toBlob((blob) => blob && socket.send(blob), "image/jpeg", 0.8);
}

function resetView() {
  app.orbit.fill(0);
  [stage.zoom, stage.pan] = [1, [0, 0]];
  setPose(app.own ? app.own.rotation : [0, 0, 0]);
}

function setPose(rotation) {
  app.pose = [...rotation];
  poseRows.forEach((row, k) => row.show(rotation[k] / DEGREES));
}

function showBackground() {
  const { kind, value } = app.background;
  const behind = $("behind");
  behind.hidden = kind === "colour";
  $("stage").style.background = kind === "colour" ? value : "";
  if (kind === "photo" && app.behind) behind.src = app.behind;
  if (kind === "picture") behind.src = value;
  behind.hidden = behind.hidden || !behind.getAttribute("src");
}

async function record() {
  const button = $("record");
  if (!recorder.running) {
    if (!app.own) return;
    recorder.start(performance.now());
    button.classList.add("on");
    button.textContent = "Stop";
    return;
  }
  const motion = recorder.stop();
  button.classList.remove("on");
  button.textContent = "Record";
  app.lastMotion = motion;
  $("csv").disabled = false;
  await saveClip(motion, false);
}

async function saveClip(motion, sound) {
  const background = app.background.kind === "colour" ? app.background.value : null;
  working(0.01, "recording");
  const answer = await post("record", { ...motion, background, sound, size: +$("size").value });
  working(1, "");
  if (answer) download(await answer.blob(), "real3d.mp4");
}

async function savePicture() {
  if (!app.own) return;
  const state = stateAt(performance.now());
  const clear = app.background.kind !== "photo";
  const size = +$("size").value;
  const answer = await post("frame", { coefficients: [Array.from(state.coefficients)],
    rotation: [state.rotation], translation: [state.translation], size, transparent: clear,
    exact: true });
  if (!answer) return;
  const blob = await answer.blob();
  if (!clear) { download(blob, "real3d.png"); return; }
  const canvas = element("canvas", { width: size, height: size });
  const context = canvas.getContext("2d");
  context.fillStyle = app.background.kind === "colour" ? app.background.value : "#000";
  context.fillRect(0, 0, size, size);
  if (app.background.kind === "picture") context.drawImage($("behind"), 0, 0, size, size);
  context.drawImage(await createImageBitmap(blob), 0, 0);
  canvas.toBlob((made) => download(made, "real3d.png"), "image/png");
}

const poseRows = ["yaw", "pitch", "roll"].map((name, k) =>
  slider(name, k === 1 ? -40 : -75, k === 1 ? 40 : 75, 0, (v) => { app.pose[k] = v * DEGREES; }, 0.5));
const gazeRows = ["gaze right", "gaze up"].map((name, k) =>
  slider(name, -1, 1, 0, (v) => { app.gaze[k] = v; }));
$("pose").append(...poseRows, ...gazeRows);

$("photo").onchange = (event) => takePhoto(event.target.files[0]);
$("another").onclick = () => $("photo").click();
$("driver").onchange = (event) => { takeDriver(event.target.files[0]); event.target.value = ""; };
$("front").onclick = () => {
  app.orbit.fill(0);
  setPose([0, 0, 0]);
  app.gaze.fill(0);
  gazeRows.forEach((row) => row.show(0));
};
$("reset").onclick = resetView;
$("play").onclick = () => (app.playing ? stop() : play());
$("clip").onclick = () => app.driver && saveClip(app.driver.motion, true);
$("time").oninput = () => {
  const { motion, sound } = app.driver;
  const time = +$("time").value * motion.coefficients.length / motion.fps;
  if (sound) sound.currentTime = time;
  app.began = performance.now() - time * 1000;
};
$("life").onclick = () => { app.alive = $("life").classList.toggle("on"); };
$("webcam").onclick = startWebcam;
$("phone").onclick = () => {
  if (app.liveFrom === "phone") { stopLive(); return; }
  stop();
  app.liveFrom = "phone";
  socket.send("phone");
  $("phone").classList.add("on");
};
$("record").onclick = record;
$("png").onclick = savePicture;
$("csv").onclick = async () => {
  const answer = await post("motion.csv", app.lastMotion);
  if (answer) download(await answer.blob(), "motion.csv");
};
$("avatar").onclick = async () => {
  const answer = await request("me.avatar");
  if (answer) download(await answer.blob(), "me.avatar");
};
$("glb").onclick = () => (app.glb ? download(app.glb, "head.glb") : complain("Not baked yet."));
$("quality").onchange = (event) => { stage.quality = event.target.value; };
$("background").onchange = (event) => {
  const kind = event.target.value;
  $("colour").hidden = kind !== "colour";
  if (kind === "picture") { $("backdrop").click(); return; }
  app.background = { kind, value: kind === "colour" ? $("colour").value : "" };
  showBackground();
};
$("colour").oninput = (event) => {
  app.background = { kind: "colour", value: event.target.value };
  showBackground();
};
$("backdrop").onchange = (event) => {
  const file = event.target.files[0];
  if (!file) return;
  app.background = { kind: "picture", value: URL.createObjectURL(file) };
  showBackground();
};

const drop = $("drop");
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const file = event.dataTransfer.files[0];
  if (!file) return;
  if (/\.(jpe?g|png|webp|tiff?|bmp|avatar)$/i.test(file.name)) takePhoto(file);
  else takeDriver(file);
});
orbitWith($("stage"), ({ turn, pan, zoom }) => {
  if (turn) {
    app.orbit[0] = Math.max(-1.4, Math.min(1.4, app.orbit[0] + turn[0] * 0.006));
    app.orbit[1] = Math.max(-0.7, Math.min(0.7, app.orbit[1] - turn[1] * 0.006));
  }
  if (pan) stage.pan = stage.pan.map((p, k) => p + pan[k]);
  if (zoom) stage.zoom = Math.max(0.5, Math.min(5, stage.zoom * zoom));
});

connect();
requestAnimationFrame(tick);
