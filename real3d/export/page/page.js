// The page of an exported head: one file that works without a network.
"use strict";

async function start() {
  const view = new HeadView(document.getElementById("head"));
  const text = document.getElementById("glb").textContent.trim();
  await view.load(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const orbit = [0, 0];
  const pose = [0, 0, 0];
  view.zoom = 1.05;
  const panel = new ExpressionPanel(document.getElementById("expression"), view.names, view.own,
    () => {});
  const idle = new IdleLife(view.names);
  let alive = true;

  const degrees = Math.PI / 180;
  const rows = ["yaw", "pitch", "roll"].map((name, k) =>
    slider(name, -60, 60, 0, (value) => { pose[k] = value * degrees; }, 1));
  document.getElementById("pose").append(
    element("details", {}, element("summary", { textContent: "Head" }), ...rows));
  document.getElementById("front").onclick = () => {
    orbit.fill(0);
    pose.fill(0);
    rows.forEach((row) => row.show(0));
    [view.zoom, view.pan] = [1.05, [0, 0]];
  };
  const life = document.getElementById("life");
  life.onclick = () => { alive = life.classList.toggle("on"); };
  orbitWith(view.canvas, ({ turn, pan, zoom }) => {
    if (turn) {
      orbit[0] += turn[0] * 0.008;
      orbit[1] = Math.max(-1.4, Math.min(1.4, orbit[1] - turn[1] * 0.008));
    }
    if (pan) {
      const half = Math.min(view.canvas.clientWidth, view.canvas.clientHeight) / 2;
      view.pan = [view.pan[0] + pan[0] / half, view.pan[1] - pan[1] / half];
    }
    if (zoom) view.zoom = Math.max(0.4, Math.min(6, view.zoom * zoom));
  });

  const frame = (milliseconds) => {
    let [coefficients, rotation] = [panel.values, pose];
    if (alive) [coefficients, rotation] = idle.at_(milliseconds / 1000, coefficients, pose);
    view.setCoefficients(coefficients);
    view.rotation = times(rotationOf([0, orbit[1], 0]),
      times(rotationOf([orbit[0], 0, 0]), rotationOf(rotation)));
    view.draw();
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  window.real3d = { view, panel, orbit, still: () => { alive = false; } };
}

start().catch((error) => {
  document.querySelector(".notice").textContent = `This head cannot be shown: ${error.message}.`;
});
