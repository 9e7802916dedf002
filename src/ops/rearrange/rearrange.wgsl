// Elements of a value at other places. Each thread collects one vec4 of the result.
//
// FACTORS: the axes that the result's index is split into, the last one fastest. Each adds a term to the index in the
// input, which is affine in the factor's own index or stands in a table.
#include bindings
#include thread

struct Params {
    input: u32,
    output: u32,
    in_blocks: u32,
    in_plane: u32,
    out_blocks: u32,
    out_plane: u32,
    channels: u32,
    threads: u32,
    fill: f32,
    unused0: u32,
    unused1: u32,
    unused2: u32,
    // Extent; the first term and the step between terms, or 1 + the first vec4 of a table.
    factors: array<vec4<u32>, 8>,
}

fn run(i: u32) {
    let pixel = i / p.out_blocks;
    let block = i - pixel * p.out_blocks;
    let row = pixel / p.out_plane;
    let place = pixel - row * p.out_plane;
    var v = vec4(0.0);
    for (var c = 0u; c < 4u; c++) {
        if (block * 4u + c < p.channels) {
            var rest = (block * 4u + c) * p.out_plane + place;
            var source = 0u;
            var inside = true;
            for (var k = ${FACTORS}u; k > 0u; k--) {
                let factor = p.factors[k - 1u];
                let at = rest % factor.x;
                rest = rest / factor.x;
                if (factor.w == 0u) {
                    source += factor.y + at * factor.z;
                } else {
                    let pair = constants[factor.w - 1u + at / 2u];
                    let term = select(pair.xy, pair.zw, at % 2u == 1u);
                    inside = inside && term.x >= 0.0;
                    source += u32(max(term.x, 0.0)) * 4096u + u32(term.y);
                }
            }
            let channel = source / p.in_plane;
            let start = p.input + (row * p.in_plane + source % p.in_plane) * p.in_blocks + channel / 4u;
            if (inside) {
                v[c] = bitcast<f32>(arena[start][channel % 4u]);
            } else {
                v[c] = p.fill;
            }
        }
    }
    store(p.output + i, v);
}
