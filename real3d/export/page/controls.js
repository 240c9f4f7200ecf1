// Sliders for the 52 coefficients, presets, and idle life: what both of Real3D's pages share.
"use strict";

const GROUPS = [
  ["Jaw and tongue", /^(jaw|tongue)/],
  ["Mouth", /^mouth/],
  ["Eyelids", /^eye(Blink|Squint|Wide)/],
  ["Gaze", /^eyeLook/],
  ["Brows", /^brow/],
  ["Cheeks and nose", /^(cheek|nose)/],
];

const PRESETS = {
  neutral: {},
  smile: { mouthSmile: 0.8, cheekSquint: 0.5, eyeSquint: 0.3, mouthDimple: 0.2 },
  laugh: { jawOpen: 0.45, mouthSmile: 0.9, cheekSquint: 0.7, eyeSquint: 0.5, mouthUpperUp: 0.3 },
  surprise: { jawOpen: 0.4, eyeWide: 0.8, browInnerUp: 0.9, browOuterUp: 0.9 },
  sad: { mouthFrown: 0.7, browInnerUp: 0.8, eyeSquint: 0.2, mouthShrugLower: 0.4 },
  angry: { browDown: 0.9, noseSneer: 0.5, mouthPress: 0.5, eyeSquint: 0.4 },
  kiss: { mouthPucker: 0.9, mouthFunnel: 0.3 },
  wink: { eyeBlinkLeft: 1, mouthSmileLeft: 0.6, cheekSquintLeft: 0.5 },
};

/** 52 numbers of a preset; names without a side mean both. */
function expressionOf(preset, names) {
  return names.map((name) => preset[name] ?? preset[name.replace(/(Left|Right)$/, "")] ?? 0);
}

/** A plausible face: a few coefficients, both sides alike, nothing that excludes another. */
function randomExpression(names) {
  const kinds = [...new Set(names.map((name) => name.replace(/(Left|Right)$/, "")))];
  const free = kinds.filter((kind) => !/^(eyeLook|tongue|eyeBlink|jaw$|mouth$|mouthClose)/.test(kind));
  const chosen = {};
  for (let k = 0; k < 5; k++) {
    chosen[free[Math.floor(Math.random() * free.length)]] = 0.2 + 0.6 * Math.random();
  }
  return expressionOf(chosen, names);
}

/** An element with properties and children. */
function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** A labelled slider; `changed` gets its number. */
function slider(label, low, high, value, changed, step = 0.01) {
  const input = element("input", { type: "range", min: low, max: high, step, value });
  input.dataset.name = label;
  const shown = element("output", { textContent: format(value) });
  input.addEventListener("input", () => {
    shown.textContent = format(+input.value);
    changed(+input.value);
  });
  const row = element("label", { className: "slider" }, element("span", { textContent: label }),
    input, shown);
  row.show = (number) => {
    input.value = number;
    shown.textContent = format(number);
  };
  return row;
}

function format(number) {
  return Math.abs(number) >= 10 ? number.toFixed(0) : number.toFixed(2);
}

/** Sliders of all coefficients in groups. `changed` gets the 52 numbers. */
class ExpressionPanel {
  constructor(parent, names, own, changed) {
    this.names = names;
    this.own = Float32Array.from(own);
    this.values = Float32Array.from(own);
    this.changed = changed;
    this.rows = [];
    parent.replaceChildren(this._buttons(), ...GROUPS.map((group, k) => this._group(group, k === 0)));
  }

  /** Show and announce 52 numbers. */
  set(values) {
    this.values.set(values);
    this.show(values);
    this.changed(this.values);
  }

  /** Show 52 numbers without announcing them. */
  show(values) {
    this.rows.forEach((row, k) => row.show(values[k]));
  }

  _buttons() {
    const press = (text, act) => element("button", { textContent: text, onclick: act, type: "button" });
    const choice = element("select", { title: "Presets" },
      element("option", { textContent: "Preset …", value: "" }),
      ...Object.keys(PRESETS).map((name) => element("option", { textContent: name, value: name })));
    choice.dataset.name = "preset";
    choice.addEventListener("change", () => {
      if (choice.value) this.set(expressionOf(PRESETS[choice.value], this.names));
      choice.value = "";
    });
    return element("div", { className: "buttons" },
      press("Reset", () => this.set(this.own)),
      press("Random", () => this.set(randomExpression(this.names))), choice);
  }

  _group([title, pattern], open) {
    const box = element("details", { open }, element("summary", { textContent: title }));
    this.names.forEach((name, k) => {
      if (!pattern.test(name)) return;
      this.rows[k] = slider(name, 0, 1, this.own[k], (value) => {
        this.values[k] = value;
        this.changed(this.values);
      });
      box.append(this.rows[k]);
    });
    return box;
  }
}

/** Life of a head that does nothing: blinks every 2 to 6 s, small glances, a slow sway. */
class IdleLife {
  constructor(names) {
    this.at = (name) => names.indexOf(name);
    this.nextBlink = 1.5;
    this.nextGlance = 1;
    this.gaze = [0, 0];
    this.aim = [0, 0];
  }

  /** Coefficients and rotation (yaw, pitch, roll) with life added, at a time in seconds. */
  at_(time, coefficients, rotation) {
    const c = Float32Array.from(coefficients);
    if (time > this.nextBlink + 0.3) this.nextBlink = time + 2 + 4 * Math.random();
    const since = time - this.nextBlink;
    const lid = since < 0 ? 0 : Math.min(since / 0.08, 1, Math.max(0, (0.28 - since) / 0.16));
    for (const name of ["eyeBlinkLeft", "eyeBlinkRight"]) {
      c[this.at(name)] = Math.max(c[this.at(name)], lid);
    }
    if (time > this.nextGlance) {
      this.nextGlance = time + 0.8 + 2 * Math.random();
      this.aim = [0.3 * (Math.random() - 0.5), 0.2 * (Math.random() - 0.5)];
    }
    this.gaze = this.gaze.map((g, k) => g + 0.5 * (this.aim[k] - g));
    addGaze(c, this.gaze, this.at);
    const wave = (hertz, phase) => Math.sin(2 * Math.PI * hertz * time + phase);
    const sway = [
      0.020 * wave(0.13, 0) + 0.010 * wave(0.31, 1),
      0.012 * wave(0.17, 2) + 0.006 * wave(0.41, 3),
      0.010 * wave(0.11, 4),
    ];
    return [c, rotation.map((angle, k) => angle + sway[k])];
  }
}

/** Add a gaze (right in the picture, up; 1 is an eyeLook of 1) to 52 numbers, in place. */
function addGaze(c, [right, up], at) {
  const add = (name, value) => {
    const k = at(name);
    c[k] = Math.max(0, Math.min(1, c[k] + Math.max(0, value)));
  };
  for (const [outward, inward, way] of [["Left", "Right", right], ["Right", "Left", -right]]) {
    add(`eyeLookOut${outward}`, way);
    add(`eyeLookIn${inward}`, way);
  }
  for (const side of ["Left", "Right"]) {
    add(`eyeLookUp${side}`, up);
    add(`eyeLookDown${side}`, -up);
  }
}
