// What is shown, kept at 25 frames a second, to be rendered in full quality afterwards.
"use strict";

const RECORD_FPS = 25;
const LONGEST_S = 120;

class Recorder {
  constructor() {
    this.running = false;
    this.frames = [];
  }

  /** Begin anew at a time in milliseconds. */
  start(now) {
    this.running = true;
    this.began = now;
    this.frames = [];
  }

  /** Keep what is shown; repeated where the page was slower than the recording. */
  keep(state, now) {
    if (!this.running) return;
    const due = Math.floor((now - this.began) / 1000 * RECORD_FPS) + 1;
    while (this.frames.length < Math.min(due, LONGEST_S * RECORD_FPS)) {
      this.frames.push({
        coefficients: Array.from(state.coefficients, (c) => +c.toFixed(4)),
        rotation: state.rotation.map((r) => +r.toFixed(5)),
        translation: state.translation.map((t) => +t.toFixed(5)),
      });
    }
  }

  /** End; the frames as the server wants them. */
  stop() {
    this.running = false;
    return asMotion(this.frames, RECORD_FPS);
  }
}

/** Frames as fields of rows. */
function asMotion(frames, fps) {
  const rows = (name) => frames.map((frame) => frame[name]);
  return { fps, coefficients: rows("coefficients"), rotation: rows("rotation"),
    translation: rows("translation") };
}

/** Offer a file to whoever looks at the page. */
function download(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
