// Products of two values. Rows of either may be shared by several rows of the result.
//
// PER_CHANNEL: the second has one number a channel.
#include bindings

struct Params {
    a: u32,
    b: u32,
    output: u32,
    blocks: u32,
    plane: u32,
    vectors: u32,
    a_targets: u32,
    b_targets: u32,
}

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
    let size = p.plane * p.blocks;
    let row = i / size;
    let within = i - row * size;
    let a = load(p.a + row / p.a_targets * size + within);
#if PER_CHANNEL
    let b = load(p.b + row / p.b_targets * p.blocks + within % p.blocks);
#else
    let b = load(p.b + row / p.b_targets * size + within);
#end
    store(p.output + i, a * b);
}
