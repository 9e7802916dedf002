// The gradient of a pool: each thread gathers, for one vec4 of the pool's input, from the windows
// that reach it (a phase of the strides: see axis.rs).
//
// KIND: 0 of the maximum (the tap that won takes all), 1 of the mean.
#include bindings
#include grid
#include thread

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
    grid: Grid,
}

fn run(thread: u32) {
    let pixel = thread / p.blocks;
    let block = thread - pixel * p.blocks;
    let line = pixel / p.grid.cells.y;
    let row = line / p.grid.cells.x;
    let cell = vec2(line - row * p.grid.cells.x, pixel - line * p.grid.cells.y);
    let corner = vec2<i32>(cell) + p.grid.offset;
    var sum = vec4(0.0);
    for (var ty = 0u; ty < p.grid.taps.x; ty++) {
        for (var tx = 0u; tx < p.grid.taps.y; tx++) {
            let place = vec2<u32>(corner + vec2(i32(ty), i32(tx)) * p.grid.dilation);
            if (place.x < p.grid.extent.x && place.y < p.grid.extent.y) {
                let within = place.x * p.grid.extent.y + place.y;
                let plane = p.grid.extent.x * p.grid.extent.y;
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
    let out = cell * p.grid.out_stride + p.grid.out_offset;
    store(p.output + ((row * p.grid.out_extent.x + out.x) * p.grid.out_extent.y + out.y) * p.blocks + block, sum);
}
