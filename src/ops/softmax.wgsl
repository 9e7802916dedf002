// Softmax along an axis, and its gradient. Each thread goes through one group.
//
// CHANNELS: as in along_axis.wgsl. BACKWARD: y * (g - sum of g * y), where rows of y may be shared by several rows of g.
// LOG: the logarithm of the softmax, and g - exp(y) * sum of g.
#include bindings
#include thread
#include along_axis

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

fn run(thread: u32) {
    let first = first_of(thread);
#if BACKWARD
    let back = back_of(thread);
    var dot = vec4(0.0);
#for pass in 0..2
    for (var k = 0u; k < p.count; k++) {
        let i = first + along(k);
        let real = there(k);
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
#if pass == 0
    dot = total(dot);
#end
#end
#else
    var top = vec4(-3.4028234e38);
    var sum = vec4(0.0);
#for pass in 0..3
    for (var k = 0u; k < p.count; k++) {
        let i = first + along(k);
        let real = there(k);
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
#if pass == 1
    sum = total(sum);
#end
#end
#end
}
