"""GLSL: a G-buffer pass (with hair-like shells), a shadow pass and a deferred many-light pass."""

# The head's turn (axis, angle) about pivot, and its shift; a vertex follows by its share w of both
# (Rodrigues' formula), the shoulders by their own share of the turn.
_TURN = """
uniform vec4 turn; uniform vec3 pivot, shift; uniform float shoulders;
vec3 about(vec3 v, float a) {
  float c = cos(a), s = sin(a);
  return v * c + cross(turn.xyz, v) * s + turn.xyz * dot(turn.xyz, v) * (1. - c);
}
float angle(float w) { return turn.w * mix(shoulders, 1., w); }
vec3 turned(vec3 v, float w) { return pivot + about(v - pivot, angle(w)) + w * shift; }
"""
# A card's own order of a pixel's samples: what several layers leave open closes layer by layer.
_CARD_HASH = """
float card_hash() {
  ivec2 q = ivec2(gl_FragCoord.xy) & 1; int id = gl_PrimitiveID / 2;
  return (float((q.x + 2 * q.y * (1 + q.x) + id * 7 + (id >> 3)) & 3) + .5) / 4.;
}
"""
GEOMETRY_VERTEX = (
    """#version 330
in vec3 p; in vec3 n; in vec2 t; in float w;
uniform mat4 MVP; uniform float lift, push; uniform vec3 eye;
out vec3 P; out vec3 N; out vec2 T; invariant gl_Position;
"""
    + _TURN
    + """
void main() {
  P = turned(p + n * lift, w); N = about(n, angle(w)); T = t; gl_Position = MVP * vec4(P, 1);
  vec4 b = MVP * vec4(P + normalize(P - eye) * push, 1);  // depth only: teeth must not pierce skin
  gl_Position.z = b.z / b.w * gl_Position.w;
}"""
)

# material: 1 skin, 2 eye, 3 hair, 4 wet mouth, 5 glossy, 6 cloth. Alpha is tested against a hashed
# threshold, so that soft hair edges survive as noise which supersampling averages.
GEOMETRY_FRAGMENT = (
    """#version 330
in vec3 P; in vec3 N; in vec2 T;
uniform sampler2D tex, masks, creases; uniform vec4 crease;
uniform int material, label; uniform vec3 tint;
uniform float cut, bump;
uniform vec4 stubble, scalp;   // rgb and strength of hair painted on the skin (beard, scalp mask)
uniform vec4 shell;            // height 0..1 (0 = off), cells per uv unit, 1 beard, density
uniform vec3 strands;          // gaps in hair 0..1, strands per uv unit across and along
layout(location=0) out vec4 o0; layout(location=1) out vec4 o1; layout(location=2) out vec4 o2;
float rnd(vec2 v) { return fract(sin(dot(v, vec2(12.9898, 78.233))) * 43758.5453); }
"""
    + _CARD_HASH
    + """
float soft(vec2 v) {
  vec2 i = floor(v), f = fract(v); f = f * f * (3. - 2. * f);
  float low = mix(rnd(i), rnd(i + vec2(1, 0)), f.x);
  return mix(low, mix(rnd(i + vec2(0, 1)), rnd(i + vec2(1, 1)), f.x), f.y);
}
void main() {
  if (material == 1 && !gl_FrontFacing) discard;  // inner lids and mouth never show through skin
  vec4 a = texture(tex, T); vec3 n = normalize(N); float alpha = a.a, light = 1.;
  if (shell.x > 0.) {          // one shell of short hair: keep the strands taller than this height
    vec4 m = texture(masks, T); float mask = shell.z > .5 ? m.g : m.r;
    vec2 q = T * vec2(1, 1.875) * shell.y + .8 * vec2(soft(T * 300.), soft(T * 300. + 7.));
    vec2 id = floor(q);
    float tall = (.35 + .65 * rnd(id)) * smoothstep(.1, .75, mask) * (.55 + .9 * soft(T * 45.));
    bool bare = rnd(id + 3.1) > shell.w * smoothstep(.05, .6, mask);
    if (bare || tall < shell.x || length(fract(q) - .5) > .62 - .3 * shell.x) discard;
    light = .5 + .8 * shell.x + .6 * rnd(id + 9.) * rnd(id + 5.);
  } else {
    if (strands.x > 0.) {
      float gap = step(.4, soft(T * strands.yz + strands.x * 91.));
      alpha *= 1. - strands.x * gap * smoothstep(-.2, .7, soft(T * 60. + strands.x * 17.));
    }
    float hash = rnd(floor(gl_FragCoord.xy) * .731 + vec2(material, strands.x * 57.));
    if (strands.x < 0.) hash = card_hash();
    if (alpha < (cut < 0. ? mix(.08, .92, hash) : cut)) discard;
  }
  vec3 albedo = pow(a.rgb, vec3(2.2)) * tint * light;
  if (material == 1) {
    vec4 m = texture(masks, T); float g = .55 + .45 * rnd(floor(T * vec2(900, 1690)));
    float fold = dot(texture(creases, T), crease);   // dark in the crease; the bump makes it deep
    albedo *= 1. - .42 * min(fold, 1.) * vec3(.8, 1., 1.);
    albedo = mix(albedo, scalp.rgb, clamp(m.r * scalp.a * g, 0., 1.));
    albedo = mix(albedo, stubble.rgb, clamp(m.g * m.g * stubble.a * g, 0., 1.));
  }
  if (shell.x > 0.) albedo = tint * light;
  if (!gl_FrontFacing && material == 3 && strands.x >= 0.) n = -n;
  float twist = 0.;             // of the strand about the normal, for its highlight
  if (material == 3 && shell.x <= 0.) {
    vec3 s = normalize(dFdx(P) * dFdy(T.x) - dFdy(P) * dFdx(T.x) + 1e-9);
    vec3 x = normalize(cross(n, abs(n.y) < .9 ? vec3(0, 1, 0) : vec3(1, 0, 0)));
    twist = atan(dot(s, cross(n, x)), dot(s, x));
    if (isnan(twist)) twist = 0.;
  }
  if (bump > 0.) {             // Mikkelsen 2010: bump from albedo through screen-space derivatives
    float h = dot(albedo, vec3(.33)); vec3 dx = dFdx(P), dy = dFdy(P);
    vec3 r1 = cross(dy, n), r2 = cross(n, dx); float det = dot(dx, r1);
    vec3 g = sign(det) * (dFdx(h) * r1 + dFdy(h) * r2);
    vec3 b = normalize(abs(det) * n - bump * g); if (!any(isnan(b))) n = b;
  }
  o0 = vec4(albedo, float(material + 16 * label)); o1 = vec4(n, twist); o2 = vec4(P, 1);
}"""
)

# Depth of the cards alone, so that only strands in sight are shaded: hair lies many layers deep.
CARD_DEPTH_FRAGMENT = (
    """#version 330
in vec2 T; uniform sampler2D tex;
"""
    + _CARD_HASH
    + """
void main() { if (texture(tex, T).a < mix(.08, .92, card_hash())) discard; }"""
)

SHADOW_VERTEX = (
    """#version 330
in vec3 p; in vec2 t; in float w; uniform mat4 MVP; out vec2 T;
"""
    + _TURN
    + """
void main() { T = t; gl_Position = MVP * vec4(turned(p, w), 1); }"""
)
SHADOW_FRAGMENT = """#version 330
in vec2 T; uniform sampler2D tex; uniform float cut;
void main() { if (texture(tex, T).a < cut) discard; }"""

SCREEN_VERTEX = """#version 330
in vec2 q; out vec2 U; void main() { U = q * .5 + .5; gl_Position = vec4(q, 0, 1); }"""
# Wrapped diffuse (per material) and GGX specular of NL directional lights, each with a shadow map.
LIGHT_FRAGMENT = """#version 330
#define NL %d
in vec2 U;
uniform sampler2D g0, g1, g2, atlas, env; uniform mat4 LM[NL]; uniform vec3 LD[NL], LC[NL], eye;
uniform vec2 tiles; uniform float envrot, envscale, gloss;
uniform vec4 forward;          // row of the view matrix that gives the distance, negated
layout(location=0) out vec4 oD; layout(location=1) out vec4 oS; layout(location=2) out float oZ;
float ign(vec2 v) { return fract(52.9829189 * fract(dot(v, vec2(.06711056, .00583715)))); }
vec3 envs(vec3 d, float lod) {
  float phi = atan(d.x, d.z) + envrot;
  vec2 at = vec2(phi / 6.2831853, acos(clamp(d.y, -1., 1.)) / 3.1415927);
  return textureLod(env, at, lod).rgb * envscale;
}
void main() {
  int id = int(texture(g0, U).a + .5), mat = id %% 16;
  if (id == 0) { oD = vec4(0); oS = vec4(0); oZ = 0.; return; }
  vec3 P = texture(g2, U).xyz; oZ = dot(forward, vec4(P, 1));
  vec3 n = normalize(texture(g1, U).xyz), v = normalize(eye - P);
  if (dot(n, v) < 0.) n = normalize(n - 1.02 * dot(n, v) * v);
  vec3 wrap = vec3(0); float F0 = .04, rough = .6, sc = 1.;
  if (mat == 1) { wrap = vec3(.22, .08, .05); F0 = .028; rough = mix(.6, .42, gloss); sc = .75; }
  else if (mat == 2) { F0 = .03; rough = .08; sc = .6; wrap = vec3(.15); }
  else if (mat == 3) { wrap = vec3(.45); rough = .5; F0 = .03; sc = .5; }
  else if (mat == 5) { rough = .22; F0 = .06; }
  else if (mat == 4) { rough = .25; wrap = vec3(.2); sc = .5; }
  else { rough = .9; sc = .3; }
  float r0 = ign(gl_FragCoord.xy) * 6.2831853, visible = 0., total = 1e-4, a2 = pow(rough, 4.);
  vec2 cs = vec2(cos(r0), sin(r0)); vec3 D = vec3(0), S = vec3(0);
  for (int i = 0; i < NL; i++) {
    vec3 l = LD[i]; float nl = dot(n, l), sh = 0.; if (nl < -.3) continue;
    vec3 s = (LM[i] * vec4(P + n * .012 + l * .01, 1)).xyz * .5 + .5;
    vec2 base = vec2(mod(float(i), tiles.x), floor(float(i) / tiles.x));
    for (int k = 0; k < 4; k++) {
      vec2 o = vec2(cs.x * (k %% 2 == 0 ? 1. : -1.), cs.y * (k / 2 == 0 ? 1. : -1.));
      vec2 at = clamp(s.xy + o * .004 * (.5 + float(k) / 6.), .002, .998);
      sh += texture(atlas, (at + base) / tiles).r + .0012 > s.z ? .25 : 0.;
    }
    vec3 w = max(vec3(0), (vec3(nl) + wrap) / (1. + wrap)); D += LC[i] * w / (1. + wrap) * sh;
    float m = max(nl, 0.); visible += m * sh; total += m;
    if (nl > 0. && mat != 2 && mat != 3) {
      vec3 h = normalize(l + v);
      float nh = max(dot(n, h), 0.), vh = max(dot(v, h), 0.), nv = max(dot(n, v), .05);
      float d = a2 / (3.14159 * pow(nh * nh * (a2 - 1.) + 1., 2.) + 1e-4), k = rough * rough * .5;
      float G = 1. / ((nl * (1. - k) + k) * (nv * (1. - k) + k));
      float F = F0 + (1. - F0) * pow(1. - vh, 5.);
      S += LC[i] * nl * sh * d * G * F * .25 * 3.14159 * sc * .85;
    }
  }
  if (mat == 3) {               // Kajiya and Kay 1989, two lobes shifted along the strand
    vec3 x = normalize(cross(n, abs(n.y) < .9 ? vec3(0, 1, 0) : vec3(1, 0, 0)));
    float a = texture(g1, U).a; vec3 t = cos(a) * x + sin(a) * cross(n, x);
    vec3 albedo = texture(g0, U).rgb; S = vec3(0);
    vec3 t0 = normalize(t - .12 * n), t1 = normalize(t + .16 * n);
    for (int i = 0; i < NL; i++) {
      vec3 h = normalize(LD[i] + v); float front = smoothstep(-.15, .35, dot(n, LD[i]));
      float a0 = dot(t0, h), a1 = dot(t1, h);
      float e0 = pow(max(1. - a0 * a0, 0.), 45.), e1 = pow(max(1. - a1 * a1, 0.), 12.);
      S += LC[i] * front * (.03 * e0 + .25 * albedo * e1);
    }
    S *= visible / total;
  }
  float ao = visible / total;
  if (mat == 2) {
    float F = F0 + (1. - F0) * pow(1. - max(dot(n, v), 0.), 5.);
    S += envs(reflect(-v, n), 1.5) * F * sc * 3.14159 * smoothstep(.1, .6, ao);
  }
  oD = vec4(D, ao); oS = vec4(S, 1);
}"""
