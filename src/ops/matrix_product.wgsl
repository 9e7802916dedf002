// Products of matrices, one for each channel: four channels lie in a vec4, so each thread makes one element of four
// products. Rows of either operand may be shared by several rows of the result.
#include bindings
#include thread

struct Params {
    a: u32,
    b: u32,
    output: u32,
    blocks: u32,
    m: u32,
    k: u32,
    n: u32,
    threads: u32,
    a_by_m: u32,
    a_by_k: u32,
    b_by_k: u32,
    b_by_n: u32,
    a_targets: u32,
    b_targets: u32,
    unused_0: u32,
    unused_1: u32,
}

fn run(i: u32) {
    let pixel = i / p.blocks;
    let block = i - pixel * p.blocks;
    let row = pixel / (p.m * p.n);
    let place = pixel - row * p.m * p.n;
    let m = place / p.n;
    let n = place - m * p.n;
    var a = p.a + (row / p.a_targets * p.m * p.k + m * p.a_by_m) * p.blocks + block;
    var b = p.b + (row / p.b_targets * p.k * p.n + n * p.b_by_n) * p.blocks + block;
    var sum = vec4(0.0);
    for (var k = 0u; k < p.k; k++) {
        sum += load(a) * load(b);
        a += p.a_by_k * p.blocks;
        b += p.b_by_k * p.blocks;
    }
    store(p.output + i, sum);
}
