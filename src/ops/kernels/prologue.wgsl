// The prologue changes the mixture of picture and fill before it is convolved, by a chain of functions. Done to picture
// and fill apart, the chain would give other values. Its parameters lie behind the epilogue's.
//
// PROLOGUE_KINDS: as the epilogue's KINDS.
fn begin(x: vec4<f32>, block: u32) -> vec4<f32> {
    var v = x;
#for s in 0..PROLOGUE
    let step${s} = p.steps[${STEPS + s}];
#if PROLOGUE_KINDS[s] == 0
    v = clipped(v, step${s});
#else
#if PROLOGUE_KINDS[s] > 3
    let scale${s} = constants[step${s}.x + block];
    let zero${s} = constants[step${s}.x + block + p.in_blocks];
#else
    let scale${s} = vec4(value(step${s}.x));
    let zero${s} = vec4(value(step${s}.y));
#end
#if PROLOGUE_KINDS[s] % 4 != 2
    v = quantized(v, scale${s}, zero${s}, step${s});
#end
#if PROLOGUE_KINDS[s] % 4 != 1
    v = (v - zero${s}) * scale${s};
#end
#end
#end
    return v;
}
