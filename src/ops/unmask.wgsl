// One picture under many masks, written out: for whatever cannot read masks itself.
#include bindings

struct Params {
    input: u32,
    output: u32,
    fill: u32,
    masks: u32,
    masks_stride: u32,
    masks_shared: u32,
    in_blocks: u32,
    vectors: u32,
    extent: vec2<u32>,
}

#include seen

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
    let pixel = i / p.in_blocks;
    let line = pixel / p.extent.y;
    let row = line / p.extent.x;
    let place = vec2(line - row * p.extent.x, pixel - line * p.extent.y);
    store(p.output + i, seen(row, place, i - pixel * p.in_blocks));
}
