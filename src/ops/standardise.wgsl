// Mean 0 and variance 1 along an axis, and the gradient. Each thread goes through one group.
//
// CHANNELS: the axis is the channels, and a group is a pixel; else it is another axis, and a group is one vec4 wide.
// BACKWARD: (g - mean of g - y * mean of g * y) / deviation, where rows of x may be shared by several rows of g.
#include bindings
#include thread

struct Params {
    input: u32,
    output: u32,
    x: u32,
    channels: u32,
    blocks: u32,
    plane: u32,
    count: u32,
    step: u32,
    threads: u32,
    targets: u32,
    elements: f32,
    epsilon: f32,
}

// True for each of a block's four channels that exists.
fn there(block: u32) -> vec4<bool> {
    return vec4(block * 4u) + vec4(0u, 1u, 2u, 3u) < vec4(p.channels);
}

fn mean(sum: vec4<f32>) -> vec4<f32> {
#if CHANNELS
    return vec4((sum.x + sum.y + sum.z + sum.w) / p.elements);
#else
    return sum / p.elements;
#end
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
    let source = p.x + first - (row - row / p.targets) * p.plane * p.blocks;
#else
    let source = p.input + first;
#end
    var centre = vec4(0.0);
    var factor = vec4(0.0);
    var of_g = vec4(0.0);
    var of_gy = vec4(0.0);
#for pass in 0..4
#if pass < 3 || BACKWARD
    for (var k = 0u; k < p.count; k++) {
#if CHANNELS
        let i = k;
        let real = there(k);
#else
        let i = k * p.step * p.blocks;
        let real = vec4(true);
#end
        let x = load(source + i) - centre;
#if pass == 0
        factor += select(vec4(0.0), x, real);
#end
#if pass == 1
        factor += select(vec4(0.0), x * x, real);
#end
#if pass == 2 && BACKWARD
        let g = select(vec4(0.0), load(p.input + first + i), real);
        of_g += g;
        of_gy += g * x;
#end
#if pass == 2 && !BACKWARD
        store(p.output + first + i, select(vec4(0.0), x * factor, real));
#end
#if pass == 3
        let g = load(p.input + first + i);
        store(p.output + first + i, select(vec4(0.0), (g - of_g - x * of_gy) * factor, real));
#end
    }
#end
#if pass == 0
    centre = mean(factor);
    factor = vec4(0.0);
#end
#if pass == 1
    factor = inverseSqrt(mean(factor) + p.epsilon);
#end
#if pass == 2 && BACKWARD
    of_g = mean(of_g);
    // Twice: once for each standardised factor.
    of_gy = mean(of_gy) * factor * factor;
#end
#end
}
