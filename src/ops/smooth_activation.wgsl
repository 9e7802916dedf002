// Smooth activations, and their gradients. Each thread makes one vec4.
//
// KIND: 0 sigmoid, 1 hard sigmoid, 2 hard swish, 3 elu.
// BACKWARD: g times the slope at x, where several rows of g may share a row of x.
#include bindings
#include thread

struct Params {
    input: u32,
    output: u32,
    x: u32,
    row: u32,
    targets: u32,
    threads: u32,
    alpha: f32,
    beta: f32,
}

fn activation(x: vec4<f32>) -> vec4<f32> {
#if KIND == 0
    // exp stays finite, and what is cut off is under 2e-35.
    return 1.0 / (1.0 + exp(-max(x, vec4(-80.0))));
#end
#if KIND == 1
    return clamp(p.alpha * x + p.beta, vec4(0.0), vec4(1.0));
#end
#if KIND == 2
    return x * clamp(x / 6.0 + 0.5, vec4(0.0), vec4(1.0));
#end
#if KIND == 3
    return select(p.alpha * (exp(min(x, vec4(0.0))) - 1.0), x, x > vec4(0.0));
#end
}

fn slope(x: vec4<f32>) -> vec4<f32> {
#if KIND == 0
    let y = activation(x);
    return y * (1.0 - y);
#end
#if KIND == 1
    let y = p.alpha * x + p.beta;
    return select(vec4(0.0), vec4(p.alpha), (y > vec4(0.0)) & (y < vec4(1.0)));
#end
#if KIND == 2
    let inner = select(vec4(1.0), x / 3.0 + 0.5, x <= vec4(3.0));
    return select(vec4(0.0), inner, x >= vec4(-3.0));
#end
#if KIND == 3
    return select(p.alpha * exp(min(x, vec4(0.0))), vec4(1.0), x > vec4(0.0));
#end
}

fn run(i: u32) {
#if BACKWARD
    let row = i / p.row;
    store(p.output + i, load(p.input + i) * slope(load(p.x + i - (row - row / p.targets) * p.row)));
#else
    store(p.output + i, activation(load(p.input + i)));
#end
}
