// Softmax along an axis, and its gradient. Each thread goes through one group.
//
// CHANNELS: the axis is the channels, and a group is a pixel; else it is another axis, and a group is one
// vec4 wide. BACKWARD: y * (g - sum of g * y), where rows of y may be shared by several rows of g.
// LOG: the logarithm of the softmax, and g - exp(y) * sum of g.
#include bindings
#include thread

struct Params {
    input: u32,
    output: u32,
    made: u32,
    channels: u32,
    blocks: u32,
    plane: u32,
    count: u32,
    step: u32,
    threads: u32,
    targets: u32,
}

// True for each of a block's four channels that exists.
fn there(block: u32) -> vec4<bool> {
    return vec4(block * 4u) + vec4(0u, 1u, 2u, 3u) < vec4(p.channels);
}

fn total(v: vec4<f32>) -> f32 {
    return v.x + v.y + v.z + v.w;
}

fn run(thread: u32) {
#if CHANNELS
    let first = thread * p.blocks;
    let row = thread / p.plane;
#else
    // Groups of a row: outer axes, then inner axes, then blocks.
    let pixel = thread / p.blocks;
    let inner = pixel % p.step;
    let first = ((pixel / p.step) * p.count * p.step + inner) * p.blocks + thread % p.blocks;
    let row = pixel / (p.plane / p.count);
#end
#if BACKWARD
    let back = (row - row / p.targets) * p.plane * p.blocks;
    var dot = vec4(0.0);
#for pass in 0..2
    for (var k = 0u; k < p.count; k++) {
#if CHANNELS
        let i = first + k;
        let real = there(k);
#else
        let i = first + k * p.step * p.blocks;
        let real = vec4(true);
#end
        let g = load(p.input + i);
        let y = load(p.made + i - back);
#if pass == 0 && LOG
        dot += select(vec4(0.0), g, real);
#end
#if pass == 0 && !LOG
        dot += select(vec4(0.0), g * y, real);
#end
#if pass == 1 && LOG
        store(p.output + i, select(vec4(0.0), g - exp(y) * dot, real));
#end
#if pass == 1 && !LOG
        store(p.output + i, y * (g - dot));
#end
    }
#if pass == 0 && CHANNELS
    dot = vec4(total(dot));
#end
#end
#else
    var top = vec4(-3.4028234e38);
    var sum = vec4(0.0);
#for pass in 0..3
    for (var k = 0u; k < p.count; k++) {
#if CHANNELS
        let i = first + k;
        let real = there(k);
#else
        let i = first + k * p.step * p.blocks;
        let real = vec4(true);
#end
        let x = load(p.input + i);
#if pass == 0
        top = max(top, select(top, x, real));
#end
#if pass == 1
        sum += select(vec4(0.0), exp(x - top), real);
#end
#if pass == 2 && LOG
        store(p.output + i, select(vec4(0.0), min(x - top, vec4(0.0)) - log(sum), real));
#end
#if pass == 2 && !LOG
        store(p.output + i, select(vec4(0.0), exp(min(x - top, vec4(0.0))) / sum, real));
#end
    }
#if pass == 0 && CHANNELS
    top = vec4(max(max(top.x, top.y), max(top.z, top.w)));
#end
#if pass == 1 && CHANNELS
    sum = vec4(total(sum));
#end
#end
#end
}
