// Pools over windows: each thread makes one vec4.
//
// KIND: 0 the maximum, 1 the mean, 2 which tap holds the maximum (a byte per channel).
#include bindings
#include grid
#include thread

struct Params {
    input: u32,
    output: u32,
    divisors: u32,
    blocks: u32,
    @size(32) threads: u32,
    grid: Grid,
}

fn run(thread: u32) {
    let pixel = thread / p.blocks;
    let block = thread - pixel * p.blocks;
    let line = pixel / p.grid.cells.y;
    let row = line / p.grid.cells.x;
    let cell = vec2(line - row * p.grid.cells.x, pixel - line * p.grid.cells.y);
    let corner = vec2<i32>(cell * p.grid.stride) + p.grid.offset;
#if KIND == 1
    var sum = vec4(0.0);
#else
    var best = vec4(-3.4028234e38);
    var winner = vec4(0u);
#end
    for (var ty = 0u; ty < p.grid.taps.x; ty++) {
        for (var tx = 0u; tx < p.grid.taps.y; tx++) {
            let place = vec2<u32>(corner + vec2(i32(ty), i32(tx)) * p.grid.dilation);
            if (place.x < p.grid.extent.x && place.y < p.grid.extent.y) {
                let x = load(p.input + ((row * p.grid.extent.x + place.x) * p.grid.extent.y + place.y) * p.blocks + block);
#if KIND == 1
                sum += x;
#else
                winner = select(winner, vec4(ty * p.grid.taps.y + tx), x > best);
                best = max(best, x);
#end
            }
        }
    }
#if KIND == 0
    store(p.output + thread, best);
#end
#if KIND == 1
    let place = cell.x * p.grid.cells.y + cell.y;
    store(p.output + thread, sum / constants[p.divisors + (place >> 2u)][place & 3u]);
#end
#if KIND == 2
    let packed = winner.x | (winner.y << 8u) | (winner.z << 16u) | (winner.w << 24u);
    arena[p.output + (thread >> 2u)][thread & 3u] = packed;
#end
}
