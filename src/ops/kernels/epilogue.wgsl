// The epilogue changes a result before it is stored: a chain of functions, the sum with another value somewhere in the
// chain, and a gate of one bit per element at its end.
//
// KINDS: 0 clip, 1 quantize, 2 dequantize, 3 quantize and dequantize; 4 more where each channel has a
// scale of its own. ADD_AT: before which function the other value is added; -1 for none.
// GATE: 1 passes where the bit is set, 2 only what is positive there.
// MASK_SHARED: several rows read the mask of one image.
//
// Beside `epilogue`, `Params` has `out_blocks`, and `steps` as its last member. `EpilogueParams` in epilogue.rs writes
// the struct, in the same order.
struct Epilogue {
    residual: u32,
    mask: u32,
    mask_plane: u32,
    mask_targets: u32,
}

fn value(bits: u32) -> f32 {
    return bitcast<f32>(bits);
}

fn clipped(v: vec4<f32>, s: vec4<u32>) -> vec4<f32> {
    return min(max(v, vec4(value(s.x))), vec4(value(s.y)));
}

fn quantized(v: vec4<f32>, scale: vec4<f32>, zero: vec4<f32>, s: vec4<u32>) -> vec4<f32> {
    return clamp(round(v / scale) + zero, vec4(value(s.z)), vec4(value(s.w)));
}

fn finish(x: vec4<f32>, pixel: u32, block: u32) -> vec4<f32> {
    var v = x;
#for s in 0..STEPS + 1
#if ADD_AT == s
    v += load(p.epilogue.residual + pixel * p.out_blocks + block);
#end
#if s < STEPS
#if KINDS[s] == 0
    v = clipped(v, p.steps[${s}]);
#else
#if KINDS[s] > 3
    let table${s} = p.steps[${s}].x + block;
    let scale${s} = constants[table${s}];
    let zero${s} = constants[table${s} + p.out_blocks];
#else
    let scale${s} = vec4(value(p.steps[${s}].x));
    let zero${s} = vec4(value(p.steps[${s}].y));
#end
#if KINDS[s] % 4 != 2
    v = quantized(v, scale${s}, zero${s}, p.steps[${s}]);
#end
#if KINDS[s] % 4 != 1
    v = (v - zero${s}) * scale${s};
#end
#end
#end
#end
#if GATE
#if MASK_SHARED
    let row = pixel / p.epilogue.mask_plane;
    let masked = (pixel - (row - row / p.epilogue.mask_targets) * p.epilogue.mask_plane) * p.out_blocks + block;
#else
    let masked = pixel * p.out_blocks + block;
#end
    let bits = arena[p.epilogue.mask + (masked >> 5u)][(masked >> 3u) & 3u] >> ((masked & 7u) * 4u);
    let passes = (vec4(bits) & vec4(1u, 2u, 4u, 8u)) != vec4(0u);
#if GATE == 2
    v = max(v, vec4(0.0));
#end
    v = select(vec4(0.0), v, passes);
#end
    return v;
}
