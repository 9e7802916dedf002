use super::*;
use crate::graph::Rows;

#[test]
fn probabilities_are_those_of_the_head() {
    let logits = [2.0_f32, -1.0, 0.5];
    let exp = logits.map(|z| f64::from(z).exp());
    let sum: f64 = exp.iter().sum();
    let softmax = Head::Softmax.probabilities(&logits).unwrap();
    assert!(softmax.iter().zip(exp).all(|(p, e)| (p - e / sum).abs() < 1e-15));
    let sigmoid = Head::Sigmoid.probabilities(&logits).unwrap();
    assert!(sigmoid.iter().zip(exp).all(|(p, e)| (p - e / (1.0 + e)).abs() < 1e-15));
    assert_eq!(Head::None.probabilities(&logits), None);
    // Neither overflows.
    for head in [Head::Softmax, Head::Sigmoid] {
        let far = head.probabilities(&[1e30, -1e30]).unwrap();
        assert_eq!(far, [1.0, 0.0], "{head}");
    }
}

#[test]
fn a_probability_that_is_not_there_is_refused_only_where_it_is_asked_for() {
    let refused = Head::None.score(Some(Score::Probability), Score::Logit).unwrap_err();
    assert!(refused.code() == "argument" && refused.to_string().contains("explain the logit"), "{refused}");
    assert_eq!(Head::None.scores(&[1.0], Score::Probability).unwrap_err().code(), "argument");
    assert_eq!(Head::None.score(None, Score::Probability).unwrap(), Score::Logit);
    assert_eq!(Head::None.scores(&[1.0], Score::Logit).unwrap(), [1.0]);
    assert_eq!(Head::Sigmoid.score(None, Score::Probability).unwrap(), Score::Probability);
    assert_eq!(Head::Sigmoid.score(Some(Score::Logit), Score::Probability).unwrap(), Score::Logit);
}

#[test]
fn names_are_read_back() {
    for head in Head::ALL {
        assert_eq!(head.id().parse(), Ok(head));
        assert_eq!(serde_json::to_value(head).unwrap(), head.id());
    }
    assert_eq!("Softmax".parse::<Head>(), Err(()));
}

#[test]
fn one_name_is_that_of_class_one() {
    let names = |labels: &[&str]| two_labels(labels.iter().map(|l| (*l).to_owned()).collect());
    assert_eq!(names(&["cat"]), ["not cat", "cat"]);
    assert_eq!(names(&["cat", "dog"]), ["cat", "dog"]);
    assert_eq!(names(&["a", "b", "c"]), ["a", "b", "c"]);
}

/// A chosen head wins over a guess, and never over the file's.
#[test]
fn choices_are_settled() {
    let settled = |outputs: usize, stated, chosen: Option<Head>, chooser| {
        let mut graph = Graph::new();
        let scores = graph.input("scores", [outputs], Rows::Images);
        let settled = settle(&mut graph, Ending { scores, stated }, chosen.map(|head| (head, chooser)))?;
        Ok::<_, Error>((
            settled.head,
            graph.node(settled.logits).elements(),
            settled.note.unwrap_or_default(),
        ))
    };
    let (caller, file) = (Chooser::Caller, Chooser::Metadata);
    for chosen in [Head::Softmax, Head::Sigmoid, Head::None] {
        assert_eq!(settled(3, None, Some(chosen), file).unwrap(), (chosen, 3, String::new()));
    }
    let (head, classes, note) = settled(3, None, None, caller).unwrap();
    assert_eq!((head, classes), (Head::Softmax, 3));
    assert!(note.contains("assumed") && note.contains("--head"), "{note}");
    let (head, classes, note) = settled(1, None, None, caller).unwrap();
    assert_eq!((head, classes), (Head::None, 1));
    assert!(note.contains("without a probability"), "{note}");
    let (head, classes, note) = settled(1, None, Some(Head::Sigmoid), caller).unwrap();
    assert_eq!((head, classes), (Head::Sigmoid, 2));
    assert!(note.contains("two answers"), "{note}");
    for (stated, chosen) in
        [(Head::Softmax, Head::Sigmoid), (Head::Sigmoid, Head::Softmax), (Head::None, Head::Softmax)]
    {
        let error = |chooser| settled(3, Some((stated, "Ender")), Some(chosen), chooser).unwrap_err();
        assert_eq!((error(caller).code(), error(file).code()), ("argument", "model"));
        assert!(error(caller).to_string().contains("ends in Ender"), "{}", error(caller));
        assert!(error(file).to_string().contains("pellucid.head"), "{}", error(file));
        assert_eq!(settled(3, Some((stated, "Ender")), Some(stated), caller).unwrap().0, stated);
    }
    assert_eq!(settled(1, None, Some(Head::Softmax), caller).unwrap_err().code(), "argument");
}
