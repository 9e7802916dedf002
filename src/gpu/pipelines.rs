//! Kernels, and the pipelines made of their variants.

use std::collections::HashMap;

use super::{
    device::Gpu,
    preprocess::{Variant, expand},
};
use crate::error::Result;

/// A compute shader, as it stands in its file.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// A name for labels and caches.
    pub name: &'static str,
    /// The .wgsl file's text.
    pub source: &'static str,
    /// Sources for `#include`, beside `bindings`.
    pub snippets: &'static [(&'static str, &'static str)],
}

impl Kernel {
    /// The shader's text for a variant.
    pub fn expand(&self, variant: &Variant) -> Result<String> {
        let mut snippets = vec![("bindings", include_str!("bindings.wgsl"))];
        snippets.extend_from_slice(self.snippets);
        expand(self.source, variant, &snippets)
    }
}

/// The pipelines that have been made so far.
#[derive(Default)]
pub struct Pipelines {
    made: HashMap<(&'static str, Variant), wgpu::ComputePipeline>,
}

impl Pipelines {
    /// The number of them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.made.len()
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.made.is_empty()
    }

    /// The pipeline of a variant, made at the first request.
    pub fn get(&mut self, gpu: &Gpu, kernel: &Kernel, variant: &Variant) -> Result<wgpu::ComputePipeline> {
        let key = (kernel.name, variant.clone());
        if let Some(pipeline) = self.made.get(&key) {
            return Ok(pipeline.clone());
        }
        let text = kernel.expand(variant)?;
        let module = gpu.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(kernel.name),
            source: wgpu::ShaderSource::Wgsl(text.into()),
        });
        let pipeline = gpu.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(kernel.name),
            layout: Some(&gpu.pipeline_layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                // Kernels write workgroup memory before they read it.
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
        self.made.insert(key, pipeline.clone());
        Ok(pipeline)
    }
}
