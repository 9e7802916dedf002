// Smooth activations, and their gradients. Each thread makes one vec4.
//
// KIND: 0 sigmoid, 1 hard sigmoid, 2 hard swish, 3 elu, 4 leaky relu, 5 abs, 6 softplus, 7 softsign, 8 tanh, 9 erf, 10 exp,
// 11 log, 12 power, 13 sine, 14 cosine, 15 thresholded relu, 16 shrink.
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

#if KIND == 9
// Abramowitz and Stegun 1964, 7.1.26: within 1.5e-7.
fn erf(x: vec4<f32>) -> vec4<f32> {
    let t = 1.0 / (1.0 + 0.3275911 * abs(x));
    let series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    return sign(x) * (1.0 - series * exp(-min(x * x, vec4(80.0))));
}
#end
#if KIND == 12
// WGSL has powers of positive numbers only. A whole exponent keeps or drops the sign.
fn power(x: vec4<f32>, exponent: f32) -> vec4<f32> {
    let is_odd = fract(abs(exponent) / 2.0) == 0.5;
    return pow(abs(x), vec4(exponent)) * select(vec4(1.0), sign(x), is_odd);
}
#end

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
#if KIND == 4
    return select(p.alpha * x, x, x > vec4(0.0));
#end
#if KIND == 5
    return abs(x);
#end
#if KIND == 6
    return max(x, vec4(0.0)) + log(1.0 + exp(-min(abs(x), vec4(80.0))));
#end
#if KIND == 7
    return x / (1.0 + abs(x));
#end
#if KIND == 8
    // Beyond this it is 1 to the last bit, and some drivers' own overflows.
    return tanh(clamp(x, vec4(-20.0), vec4(20.0)));
#end
#if KIND == 9
    return erf(x);
#end
#if KIND == 10
    return exp(x);
#end
#if KIND == 11
    return log(x);
#end
#if KIND == 12
    return power(x, p.alpha);
#end
#if KIND == 13
    return sin(x);
#end
#if KIND == 14
    return cos(x);
#end
#if KIND == 15
    return select(vec4(0.0), x, x > vec4(p.alpha));
#end
#if KIND == 16
    return select(vec4(0.0), x - sign(x) * p.beta, abs(x) > vec4(p.alpha));
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
#if KIND == 4
    return select(vec4(p.alpha), vec4(1.0), x > vec4(0.0));
#end
#if KIND == 5
    return sign(x);
#end
#if KIND == 6
    return 1.0 / (1.0 + exp(-max(x, vec4(-80.0))));
#end
#if KIND == 7
    let root = 1.0 + abs(x);
    return 1.0 / (root * root);
#end
#if KIND == 8
    let y = activation(x);
    return 1.0 - y * y;
#end
#if KIND == 9
    return 1.1283791671 * exp(-min(x * x, vec4(80.0)));
#end
#if KIND == 10
    return exp(x);
#end
#if KIND == 11
    return 1.0 / x;
#end
#if KIND == 12
    return p.alpha * power(x, p.alpha - 1.0);
#end
#if KIND == 13
    return cos(x);
#end
#if KIND == 14
    return -sin(x);
#end
#if KIND == 15
    return select(vec4(0.0), vec4(1.0), x > vec4(p.alpha));
#end
#if KIND == 16
    return select(vec4(0.0), vec4(1.0), abs(x) > vec4(p.alpha));
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
