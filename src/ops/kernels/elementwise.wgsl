// Element-wise operators: scale and shift, chains of functions, sums, gates. Each thread makes one vec4.
//
// SCALED: 1 by constants for each channel, 2 for each element.
#include bindings
#include epilogue
#include thread

struct Params {
    input: u32,
    output: u32,
    scale: u32,
    shift: u32,
    out_blocks: u32,
    plane: u32,
    threads: u32,
    unused: u32,
    epilogue: Epilogue,
    steps: array<vec4<u32>, ${STEPS + 1}>,
}

fn run(i: u32) {
    let pixel = i / p.out_blocks;
    let block = i - pixel * p.out_blocks;
    var v = load(p.input + i);
#if SCALED == 1
    v = v * constants[p.scale + block] + constants[p.shift + block];
#end
#if SCALED == 2
    let place = i % (p.plane * p.out_blocks);
    v = v * constants[p.scale + place] + constants[p.shift + place];
#end
    store(p.output + i, finish(v, pixel, block));
}
