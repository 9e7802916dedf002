// Products of two values. Rows of either may be shared by several rows of the result.
//
// PER_CHANNEL: the second has one number per channel.
#include bindings
#include thread

struct Params {
    a: u32,
    b: u32,
    output: u32,
    blocks: u32,
    plane: u32,
    threads: u32,
    a_targets: u32,
    b_targets: u32,
}

fn run(i: u32) {
    let size = p.plane * p.blocks;
    let row = i / size;
    let within = i - row * size;
    let a = load(p.a + row / p.a_targets * size + within);
#if PER_CHANNEL
    let b = load(p.b + row / p.b_targets * p.blocks + within % p.blocks);
#else
    let b = load(p.b + row / p.b_targets * size + within);
#end
    store(p.output + i, a * b);
}
