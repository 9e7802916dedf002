// Pools over windows: each thread makes one vec4.
//
// KIND: 0 the maximum, 1 the mean, 2 which tap holds the maximum (a byte a channel).
#include bindings

struct Params {
    input: u32,
    output: u32,
    divisors: u32,
    blocks: u32,
    threads: u32,
    unused: vec3<u32>,
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
    let corner = vec2<i32>(cell * p.stride) + p.offset;
#if KIND == 1
    var sum = vec4(0.0);
#else
    var best = vec4(-3.4028234e38);
    var winner = vec4(0u);
#end
    for (var ty = 0u; ty < p.taps.x; ty++) {
        for (var tx = 0u; tx < p.taps.y; tx++) {
            let place = vec2<u32>(corner + vec2(i32(ty), i32(tx)) * p.dilation);
            if (place.x < p.extent.x && place.y < p.extent.y) {
                let x = load(p.input + ((row * p.extent.x + place.x) * p.extent.y + place.y) * p.blocks + block);
#if KIND == 1
                sum += x;
#else
                winner = select(winner, vec4(ty * p.taps.y + tx), x > best);
                best = max(best, x);
#end
            }
        }
    }
#if KIND == 0
    store(p.output + thread, best);
#end
#if KIND == 1
    let place = cell.x * p.grid.y + cell.y;
    store(p.output + thread, sum / constants[p.divisors + (place >> 2u)][place & 3u]);
#end
#if KIND == 2
    let packed = winner.x | (winner.y << 8u) | (winner.z << 16u) | (winner.w << 24u);
    arena[p.output + (thread >> 2u)][thread & 3u] = packed;
#end
}
