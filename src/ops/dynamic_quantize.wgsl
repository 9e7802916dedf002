// Parts of a quantization by a scale of each row's own: see dynamic_quantize.rs. KIND: 0 the scale, 1 the zero point, 2 the
// integers, 3 the integers less their zero point, 4 the gradient of these.
#include bindings
#include thread

struct Params {
    high: u32,
    negated_low: u32,
    input: u32,
    output: u32,
    size: u32,
    threads: u32,
    range_targets: u32,
    input_targets: u32,
}

fn run(i: u32) {
    let row = i / p.size;
    let range = row / p.range_targets;
    let high = max(load(p.high + range).x, 0.0);
    let low = -max(load(p.negated_low + range).x, 0.0);
    let scale = select((high - low) / 255.0, 1.0, high == low);
    let zero = round(clamp(-low / scale, 0.0, 255.0));
    let x = load(p.input + row / p.input_targets * p.size + i % p.size);
    let steps = clamp(round(x / scale), vec4(-zero), vec4(255.0 - zero));
#if KIND == 0
    let made = vec4(scale);
#end
#if KIND == 1
    let made = vec4(zero);
#end
#if KIND == 2
    let made = steps + zero;
#end
#if KIND == 3
    let made = steps;
#end
#if KIND == 4
    let made = x / scale;
#end
    store(p.output + i, made);
}
