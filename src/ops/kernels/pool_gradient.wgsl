// What flows back through a pool: each thread gathers, for one vec4 of the pool's input, from the windows
// that reach it (a phase of the strides: see axis.rs).
//
// KIND: 0 of the maximum (the tap that won takes all), 1 of the mean.
#include bindings

struct Params {
    input: u32,
    output: u32,
    side: u32,
    blocks: u32,
    threads: u32,
    targets: u32,
    first_tap: vec2<u32>,
    tap_step: vec2<u32>,
    columns: u32,
    unused: u32,
    grid: vec2<u32>,
    extent: vec2<u32>,
    taps: vec2<u32>,
    stride: vec2<u32>,
    dilation: vec2<i32>,
    offset: vec2<i32>,
    out_extent: vec2<u32>,
    out_stride: vec2<u32>,
    out_offset: vec2<u32>,
}

@compute @workgroup_size(${LANES})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let thread = (group.y * groups.x + group.x) * ${LANES}u + lane;
    if (thread >= p.threads) {
        return;
    }
    let pixel = thread / p.blocks;
    let block = thread - pixel * p.blocks;
    let line = pixel / p.grid.y;
    let row = line / p.grid.x;
    let cell = vec2(line - row * p.grid.x, pixel - line * p.grid.y);
    let corner = vec2<i32>(cell) + p.offset;
    var sum = vec4(0.0);
    for (var ty = 0u; ty < p.taps.x; ty++) {
        for (var tx = 0u; tx < p.taps.y; tx++) {
            let place = vec2<u32>(corner + vec2(i32(ty), i32(tx)) * p.dilation);
            if (place.x < p.extent.x && place.y < p.extent.y) {
                let within = place.x * p.extent.y + place.y;
                let plane = p.extent.x * p.extent.y;
                let g = load(p.input + (row * plane + within) * p.blocks + block);
#if KIND == 0
                // Later taps of the phase are earlier taps of the window.
                let tap = p.first_tap - vec2(ty, tx) * p.tap_step;
                let source = (row / p.targets * plane + within) * p.blocks + block;
                let packed = arena[p.side + (source >> 2u)][source & 3u];
                let winner = (vec4(packed) >> vec4(0u, 8u, 16u, 24u)) & vec4(255u);
                sum += select(vec4(0.0), g, winner == vec4(tap.x * p.columns + tap.y));
#else
                sum += g / constants[p.side + (within >> 2u)][within & 3u];
#end
            }
        }
    }
    let out = cell * p.out_stride + p.out_offset;
    store(p.output + ((row * p.out_extent.x + out.x) * p.out_extent.y + out.y) * p.blocks + block, sum);
}
