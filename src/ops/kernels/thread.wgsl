// The entry point of kernels that run one thread per vec4: it calls `run(thread)` for each of `p.threads` threads.
// Workgroups lie in two axes where they are too many for one: see `linear` in mod.rs.
@compute @workgroup_size(${LANES})
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let thread = (group.y * groups.x + group.x) * ${LANES}u + lane;
    if (thread < p.threads) {
        run(thread);
    }
}
