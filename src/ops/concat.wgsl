// Some channels of one value become some channels of another. Each thread makes one vec4 of the result;
// channels before the first stay as an earlier dispatch left them, those after the last are zero.
#include bindings
#include thread

struct Params {
    input: u32,
    output: u32,
    in_blocks: u32,
    out_blocks: u32,
    in_start: u32,
    out_start: u32,
    count: u32,
    threads: u32,
}

fn run(thread: u32) {
    let first = p.out_start / 4u;
    let width = (p.out_start + p.count + 3u) / 4u - first;
    let pixel = thread / width;
    let block = first + thread - pixel * width;
    let place = p.output + pixel * p.out_blocks + block;
    let old = load(place);
    var v = vec4(0.0);
#for c in 0..4
    let channel${c} = block * 4u + ${c}u;
    if (channel${c} < p.out_start) {
        v[${c}] = old[${c}];
    } else if (channel${c} < p.out_start + p.count) {
        let source${c} = channel${c} - p.out_start + p.in_start;
        v[${c}] = bitcast<f32>(arena[p.input + pixel * p.in_blocks + source${c} / 4u][source${c} % 4u]);
    }
#end
    store(place, v);
}
