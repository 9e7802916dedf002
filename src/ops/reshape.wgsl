// Gives elements another shape, row-major and channels first: each thread collects one vec4.
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
}

fn run(i: u32) {
    let pixel = i / p.out_blocks;
    let block = i - pixel * p.out_blocks;
    let row = pixel / p.out_plane;
    let place = pixel - row * p.out_plane;
    var v = vec4(0.0);
#for c in 0..4
    if (block * 4u + ${c}u < p.channels) {
        let element${c} = (block * 4u + ${c}u) * p.out_plane + place;
        let channel${c} = element${c} / p.in_plane;
        let source${c} = (row * p.in_plane + element${c} % p.in_plane) * p.in_blocks + channel${c} / 4u;
        v[${c}] = bitcast<f32>(arena[p.input + source${c}][channel${c} % 4u]);
    }
#end
    store(p.output + i, v);
}
