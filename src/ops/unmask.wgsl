// One picture under many masks, written out: for whatever cannot read masks itself.
#include bindings

struct Params {
    input: u32,
    output: u32,
    fill: u32,
    rectangles: u32,
    blocks: u32,
    height: u32,
    width: u32,
    vectors: u32,
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
    let line = i / (p.width * p.blocks);
    let row = line / p.height;
    let place = vec2(line - row * p.height, i / p.blocks - line * p.width);
    let hidden = arena[p.rectangles + row];
    let covered = all(place >= hidden.xy) && all(place < hidden.zw);
    let source = i - row * p.height * p.width * p.blocks;
    store(p.output + i, load(select(p.input, p.fill, covered) + source));
}
