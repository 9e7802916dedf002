// Mean 0 and variance 1 along an axis, and the gradient. Each thread goes through one group.
//
// CHANNELS: as in along_axis.wgsl.
// BACKWARD: (g - mean of g - y * mean of g * y) / deviation, where rows of x may be shared by several rows of g.
#include bindings
#include thread
#include along_axis

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

fn mean(sum: vec4<f32>) -> vec4<f32> {
    return total(sum) / p.elements;
}

fn run(thread: u32) {
    let first = first_of(thread);
#if BACKWARD
    let source = p.x + first - back_of(thread);
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
        let i = along(k);
        let real = there(k);
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
