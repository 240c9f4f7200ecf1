// The stage: the server's full frame, and a mesh drawn here while anything moves faster than those come.
"use strict";

const STILL_MS = 120; // nothing has moved for so long: ask for the full frame
const QUICK_MS = 70; // full frames that come so soon are shown while things move as well

class Stage {
  /** `ask(state)` resolves to the full frame's blob. */
  constructor(ask) {
    this.ask = ask;
    this.layers = document.getElementById("layers");
    this.full = document.getElementById("full");
    this.view = new HeadView(document.getElementById("head"));
    this.quality = "auto";
    this.meshed = false;
    this.zoom = 1;
    this.pan = [0, 0];
    this.shown = this.pending = null; // signatures of the frame that is seen and that is asked for
    this.changed = 0;
    this.times = [];
    this.fullMs = 0;
    this.pace = Infinity; // milliseconds of a full frame, averaged
    this.arrived = 0;
  }

  /** Whether full frames are shown while things move. */
  get quick() {
    return this.quality === "full" || (this.quality === "auto" && this.pace < QUICK_MS);
  }

  /** Forget the head, and with it what is on its way. */
  clear() {
    this.meshed = false;
    this.generation = (this.generation || 0) + 1;
    this.shown = this.last = null;
    this.full.hidden = true;
    this.view.clear();
  }

  /** Show a state: coefficients, rotation (yaw, pitch, roll), translation. Call every frame. */
  show(state, now) {
    const signature = JSON.stringify([
      Array.from(state.coefficients, (c) => Math.round(c * 1000)),
      state.rotation.map((r) => Math.round(r * 2000)),
      state.translation.map((t) => Math.round(t * 2000)), state.key,
    ]);
    if (signature !== this.last) {
      this.last = signature;
      this.changed = now;
    }
    const exact = this.shown === signature;
    const moving = this.meshed && !exact && !this.quick;
    this.layers.classList.toggle("moving", moving || (this.meshed && this.full.hidden));
    if (this.layers.classList.contains("moving")) this._draw(state, now, signature);
    const still = now - this.changed > STILL_MS || this.quick || !this.meshed;
    if (!exact && !this.pending && still && this.quality !== "fast") this._request(state, signature);
    this.layers.style.transform =
      `translate(${this.pan[0]}px, ${this.pan[1]}px) scale(${this.zoom})`;
  }

  _draw(state, now, signature) {
    if (signature === this.drawn && now - this.drawnAt < 500) return;
    [this.drawn, this.drawnAt] = [signature, now];
    this.view.setCoefficients(state.coefficients);
    this.view.rotation = rotationOf(state.rotation);
    this.view.translation = state.translation.map((t, k) => t + state.place[k]);
    this.view.draw();
    this.times.push(now);
  }

  async _request(state, signature) {
    const generation = this.generation;
    const began = performance.now();
    this.pending = signature;
    try {
      const blob = await this.ask(state);
      if (blob && generation === this.generation) await this._arrive(blob, signature, began);
    } finally {
      this.pending = null;
    }
  }

  async _arrive(blob, signature, began) {
    const address = URL.createObjectURL(blob);
    const old = this.full.src;
    this.full.src = address;
    await this.full.decode().catch(() => {});
    if (old.startsWith("blob:")) URL.revokeObjectURL(old);
    this.full.hidden = false;
    this.shown = signature;
    this.fullMs = performance.now() - began;
    this.pace = this.pace < Infinity ? 0.8 * this.pace + 0.2 * this.fullMs : this.fullMs;
    this.arrived += 1;
    if (this.quick) this.times.push(performance.now());
  }

  /** Frames in the last second, and milliseconds that the last full frame took. */
  rate(now) {
    this.times = this.times.filter((time) => now - time < 1000);
    return { fps: this.times.length, fullMs: Math.round(this.fullMs) };
  }
}
