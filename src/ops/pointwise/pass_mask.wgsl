// One bit per element: whether every function of a chain has a slope there. Each thread makes the 32 bits of
// eight vec4s. KINDS as in epilogue.wgsl.
#include bindings
#include thread

struct Params {
    input: u32,
    output: u32,
    vectors: u32,
    out_blocks: u32,
    @size(16) threads: u32,
    steps: array<vec4<u32>, ${STEPS + 1}>,
}

fn value(bits: u32) -> f32 {
    return bitcast<f32>(bits);
}

fn bits_of(v: vec4<bool>) -> u32 {
    let bits = select(vec4(0u), vec4(1u, 2u, 4u, 8u), v);
    return bits.x | bits.y | bits.z | bits.w;
}

fn passing(x: vec4<f32>, block: u32) -> u32 {
    var v = x;
    var passes = vec4(true);
#for s in 0..STEPS
#if KINDS[s] == 0
    passes = passes & (v > vec4(value(p.steps[${s}].x))) & (v < vec4(value(p.steps[${s}].y)));
    v = min(max(v, vec4(value(p.steps[${s}].x))), vec4(value(p.steps[${s}].y)));
#else
#if KINDS[s] > 3
    let table${s} = p.steps[${s}].x + block;
    let scale${s} = constants[table${s}];
    let zero${s} = constants[table${s} + p.out_blocks];
#else
    let scale${s} = value(p.steps[${s}].x);
    let zero${s} = value(p.steps[${s}].y);
#end
#if KINDS[s] % 4 != 2
    let low${s} = vec4(value(p.steps[${s}].z));
    let high${s} = vec4(value(p.steps[${s}].w));
    let whole${s} = round(v / scale${s}) + zero${s};
    passes = passes & (whole${s} >= low${s}) & (whole${s} <= high${s});
    v = clamp(whole${s}, low${s}, high${s});
#end
#if KINDS[s] % 4 != 1
    v = (v - zero${s}) * scale${s};
#end
#end
#end
    return bits_of(passes);
}

fn run(word: u32) {
    var bits = 0u;
    for (var j = 0u; j < 8u; j++) {
        let i = min(word * 8u + j, p.vectors - 1u);
        bits |= passing(load(p.input + i), i % p.out_blocks) << (4u * j);
    }
    arena[p.output + (word >> 2u)][word & 3u] = bits;
}
