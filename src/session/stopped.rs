//! The maps that are left of a method that is stopped.

use async_trait::async_trait;

use crate::{
    attribution::{Map, Observer},
    error::Result,
};

/// Passes progress on, and keeps the last maps that were shown.
pub(super) struct LatestMaps<'a> {
    observer: &'a mut dyn Observer,
    /// None before the method has shown any.
    pub(super) maps: Option<Vec<Map>>,
}

impl<'a> LatestMaps<'a> {
    pub(super) fn new(observer: &'a mut dyn Observer) -> Self {
        Self { observer, maps: None }
    }
}

#[async_trait(?Send)]
impl Observer for LatestMaps<'_> {
    async fn progress(&mut self, done: u64, total: u64, partial: Option<&[Map]>) -> Result<()> {
        if let Some(maps) = partial {
            self.maps = Some(maps.to_vec());
        }
        self.observer.progress(done, total, partial).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        attribution::Silent,
        backend::fallback::Choice,
        error::Error,
        network::{Head, Network},
        session::{Options, Request, Session},
        tensor::Tensor,
    };

    /// Stops when maps are shown for the `n`th time; at once for 0.
    struct StopAt(u32);

    #[async_trait(?Send)]
    impl Observer for StopAt {
        async fn progress(&mut self, _: u64, _: u64, partial: Option<&[Map]>) -> Result<()> {
            match (self.0, partial) {
                (0 | 1, Some(_)) | (0, None) => Err(Error::Cancelled),
                (_, Some(_)) => {
                    self.0 -= 1;
                    Ok(())
                }
                _ => Ok(()),
            }
        }
    }

    fn session(model: &[u8], head: Option<Head>) -> (Session, Tensor) {
        let options = Options { backend: Choice::Cpu, head, ..Options::default() };
        let network = Network::from_onnx(model).unwrap();
        let shape = network.input().to_vec();
        let values = (0..shape.iter().product::<usize>()).map(|i| (i * 37 % 101) as f32 / 40.0 - 1.25);
        let image = Tensor::new(shape, values.collect()).unwrap();
        (pollster::block_on(Session::with_network(network, options)).unwrap(), image)
    }

    /// Notes of the session, of the method, on the score, and of saturation: none depends on how far the method came.
    #[test]
    fn a_stopped_run_reports_what_a_finished_one_does() {
        let shipped = &include_bytes!("../../models/efficientnet-lite0-int8.onnx")[..];
        let densenet = &include_bytes!("../../tests/fixtures/networks/densenet/model.onnx")[..];
        let cases = [
            (shipped, None, "expected-gradients", json!({"samples": 40}), 3),
            (densenet, Some(Head::None), "rise", json!({"samples": 100}), 1),
        ];
        for (model, head, method, parameters, notes) in cases {
            let (mut session, image) = session(model, head);
            let parameters = serde_json::from_value(parameters).unwrap();
            let bypassed =
                session.network().layers().iter().rfind(|l| session.network().is_bypassed(l.value));
            let layer = bypassed.filter(|_| method == "expected-gradients").map(|l| l.name.clone());
            let request = Request { method: method.into(), layer, parameters, seed: 3, ..Request::default() };
            let mut explain =
                |observer: &mut dyn Observer| pollster::block_on(session.explain(&image, &request, observer));
            let finished = explain(&mut Silent).unwrap();
            let stopped = explain(&mut StopAt(1)).unwrap();
            assert!(stopped.stopped && !finished.stopped, "{method}");
            assert_eq!(stopped.notes, finished.notes, "{method}");
            assert!(stopped.notes.len() >= notes, "{:?}", stopped.notes);
            assert!((1..finished.evaluations).contains(&stopped.evaluations), "{}", stopped.evaluations);
            assert_eq!(stopped.saturation, finished.saturation);
            assert_eq!(stopped.parameters, finished.parameters);
            assert_eq!(stopped.targets[0].class, finished.targets[0].class);
            assert_ne!(stopped.targets[0].map.values, finished.targets[0].map.values, "{method}");
        }
    }

    #[test]
    fn a_run_that_is_stopped_before_its_first_map_has_none() {
        let (mut session, image) =
            session(include_bytes!("../../tests/fixtures/networks/densenet/model.onnx"), None);
        let request = Request { method: "rise".into(), ..Request::default() };
        let stopped = pollster::block_on(session.explain(&image, &request, &mut StopAt(0)));
        assert_eq!(stopped.unwrap_err().code(), "cancelled");
    }
}
