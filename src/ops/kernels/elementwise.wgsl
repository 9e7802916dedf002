// What needs no neighbours: scale and shift, functions of one element, sums, gates.
//
// SCALED: 1 by constants for each channel, 2 for each element.
#include bindings

struct Params {
    input: u32,
    output: u32,
    scale: u32,
    shift: u32,
    out_blocks: u32,
    plane: u32,
    vectors: u32,
    unused: u32,
    residual: u32,
    mask: u32,
    mask_plane: u32,
    mask_targets: u32,
    steps: array<vec4<u32>, ${STEPS + 1}>,
}

#include epilogue

@compute @workgroup_size(${LANES})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * ${LANES}u + lane;
    if (i >= p.vectors) {
        return;
    }
    let pixel = i / p.out_blocks;
    let block = i - pixel * p.out_blocks;
    var v = load(p.input + i);
#if SCALED == 1
    v = v * constants[p.scale + block] + constants[p.shift + block];
#end
#if SCALED == 2
    let place = i % (p.plane * p.out_blocks);
    v = v * constants[p.scale + place] + constants[p.shift + place];
#end
    store(p.output + i, finish(v, pixel, block));
}
