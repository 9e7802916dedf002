// The mean of each channel's plane. Each thread makes one vec4 of the result.
//
// BACKWARD: the gradient instead: each channel's value over the size of the plane, at every pixel.
#include bindings
#include thread

struct Params {
    input: u32,
    output: u32,
    blocks: u32,
    plane: u32,
    threads: u32,
}

fn run(thread: u32) {
#if BACKWARD
    let row = thread / (p.plane * p.blocks);
    let block = thread % p.blocks;
    store(p.output + thread, load(p.input + row * p.blocks + block) / f32(p.plane));
#else
    let row = thread / p.blocks;
    let first = p.input + row * p.plane * p.blocks + (thread - row * p.blocks);
    // Two sums, one per line of up to 64 pixels: their rounding errors stay small on large planes.
    var sum = vec4(0.0);
    for (var begin = 0u; begin < p.plane; begin += 64u) {
        var part = vec4(0.0);
        let end = min(begin + 64u, p.plane);
        for (var i = begin; i < end; i++) {
            part += load(first + i * p.blocks);
        }
        sum += part;
    }
    store(p.output + thread, sum / f32(p.plane));
#end
}
