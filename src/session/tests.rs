//! Helpers of the tests of sessions: a network of a few classes that is opened at once.

#[path = "../../tests/support/small_model.rs"]
mod small_model;

use prost::Message;
use tract_onnx::pb::ModelProto;

use super::{Options, Session};
use crate::{backend::fallback::Choice, network::Network};

/// A network of five classes with metadata keys of ours.
pub(super) fn network_with(metadata: &[(&str, &str)]) -> Network {
    Network::from_onnx(small_model::small_model(5, metadata)).unwrap()
}

/// A network of which the file says nothing.
pub(super) fn silent_network() -> Network {
    let mut model = ModelProto::decode(&small_model::small_model(5, &[])[..]).unwrap();
    model.metadata_props.clear();
    Network::from_onnx(model.encode_to_vec()).unwrap()
}

/// A session of such a network on the CPU.
pub(super) fn session(labels: Option<Vec<String>>) -> Session {
    let options = Options { backend: Choice::Cpu, labels, ..Options::default() };
    pollster::block_on(Session::open(&small_model::small_model(5, &[]), options)).unwrap()
}

#[test]
fn labels_of_the_caller_go_before_the_files() {
    let model = small_model::small_model(2, &[("labels", "cat\ndog")]);
    let label = |labels: Option<&str>| {
        let labels = labels.map(|text| crate::network::labels::read(text.as_bytes()).unwrap());
        let options = Options { backend: Choice::Cpu, labels, ..Options::default() };
        pollster::block_on(Session::open(&model, options)).map(|session| session.target(1).label)
    };
    assert_eq!(label(None).unwrap(), "dog");
    assert_eq!(label(Some("cow\npig")).unwrap(), "pig");
    let one_more = label(Some("nothing\ncow\npig")).unwrap_err();
    assert!(
        one_more.code() == "argument"
            && one_more.to_string().contains("3 labels for 2 classes: is the first")
    );
}
