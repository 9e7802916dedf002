use super::*;

fn names(text: &str) -> Vec<String> {
    read(text.as_bytes()).unwrap_or_else(|why| panic!("{text:?}: {why}"))
}

/// The reason why a file is refused.
fn refusal(text: &str) -> String {
    let why = match read(text.as_bytes()) {
        Err(Error::Argument(why)) => why,
        other => panic!("{text:?} gives {other:?}"),
    };
    assert!(why.contains("one class name per line"), "{why}");
    why
}

const FISH: [&str; 3] = ["tench, Tinca tinca", "goldfish", "great white"];

#[test]
fn lists_of_lines() {
    assert_eq!(names("cat\ndog\n"), ["cat", "dog"]);
    assert_eq!(names("cat\r\n  dog\t\r\n\r\n\n"), ["cat", "dog"], "blank lines at the end are none");
    assert_eq!(names("cat\rdog"), ["cat", "dog"]);
    assert_eq!(names("\u{feff}cat\ndog"), ["cat", "dog"]);
    assert_eq!(names("1\n10\n2\n"), ["1", "10", "2"], "digits are names");
    assert_eq!(names("cat"), ["cat"]);
    assert_eq!(
        names("bird's nest\n<unk>\n(background)\nname\n[pad]\nA: B"),
        ["bird's nest", "<unk>", "(background)", "name", "[pad]", "A: B"]
    );
    assert_eq!(names("tench, Tinca tinca\ngoldfish\ngreat white"), FISH);
    assert!(refusal("cat\n\ndog\n").contains("the name of class 1 is empty"));
    assert!(refusal("").contains("empty") && refusal(" \n").contains("empty"));
}

#[test]
fn encodings() {
    let wide = |text: &str, unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    let text = "\u{feff}Käse\n狗\n";
    for bytes in [wide(text, u16::to_le_bytes), wide(text, u16::to_be_bytes), text.as_bytes().to_vec()] {
        assert_eq!(read(&bytes).unwrap(), ["Käse", "狗"]);
    }
    let why = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    assert!(why(b"K\xe4se\nHund").contains("not UTF-8 text from byte 1"));
    assert!(why(b"c\0a\0t\0").contains("zero bytes"));
    assert!(why(b"\xff\xfec\0a").contains("damaged UTF-16"));
    assert!(why(b"\xff\xfe\x00\xd8c\0").contains("damaged UTF-16"));
    assert!(why(b"\xff\xfe\0\0c\0\0\0").contains("UTF-32"));
}

#[test]
fn json() {
    assert_eq!(names(r#"["tench, Tinca tinca", "goldfish", "great white"]"#), FISH);
    assert_eq!(names("\u{feff}[\"cat\"]\n"), ["cat"]);
    assert_eq!(names(r#""great white""#), ["great white"]);
    assert_eq!(names("[0, 1, 2]"), ["0", "1", "2"]);
    let index = r#"{"1": "goldfish", "0": "tench, Tinca tinca", "2": "great white"}"#;
    assert_eq!(names(index), FISH);
    let imagenet = r#"{"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]}"#;
    assert_eq!(names(imagenet), ["tench", "goldfish"]);
    assert_eq!(names(r#"{"dog": 1, "cat": 0}"#), ["cat", "dog"], "Keras's class_indices");
    assert_eq!(
        names(r#"{"0": 0, "1": 1, "10": 2, "2": 3}"#),
        ["0", "1", "10", "2"],
        "of folders named by digits"
    );
    let config = r#"{"architectures": ["ViT"], "hidden_size": 64,
        "id2label": {"0": "cat", "1": "dog"}, "label2id": {"dog": 0, "cat": 1}}"#;
    assert_eq!(names(config), ["cat", "dog"], "Hugging Face's config.json");
    assert_eq!(names(r#"{"id2label": null, "label2id": {"dog": 1, "cat": 0}}"#), ["cat", "dog"]);
    let lobe = r#"{"doc_id": "x", "format": "onnx", "classes": {"Label": ["cat", "dog"]}, "inputs": {}}"#;
    assert_eq!(names(lobe), ["cat", "dog"]);
    assert_eq!(names(r#"{"num_classes": 2, "label_names": ["a", "b"]}"#), ["a", "b"]);
}

#[test]
fn python() {
    let dict = "{0: 'tench, Tinca tinca',\n 1: 'goldfish',\n 2: \"great white\",}\n";
    assert_eq!(names(dict), FISH);
    assert_eq!(
        names("['cat', \"bird's nest\", 'it\\'s \\u00e4 \\x41\\\\']"),
        ["cat", "bird's nest", "it's ä A\\"]
    );
    assert_eq!(names("{'dog': 1, # the second\n 'cat': 0}"), ["cat", "dog"]);
    assert_eq!(names("{'names': ('cat', 'dog'), 'x': None, 'y': 0.5}"), ["cat", "dog"]);
    assert!(refusal("{0: 'cat', 1: dog}").contains("\"dog}\" is no value, line 1"));
    assert!(refusal("{0: 'cat',\n 1: 'dog").contains("no end, line 2"));
    assert!(refusal("{0: 'cat'} + {1: 'dog'}").contains("'+' follows"));
    assert!(refusal("{'cat', 'dog'}").contains("no colon"));
    assert!(refusal(&"[".repeat(100_000)).contains("too many brackets"));
    assert!(refusal("['\\U00110000']").contains("no character"));
}

#[test]
fn synsets_and_numbers() {
    assert_eq!(names("n01440764 tench, Tinca tinca\nn01443537 goldfish"), ["tench, Tinca tinca", "goldfish"]);
    assert_eq!(names("n01440764\ttench\nn01443537\tgoldfish"), ["tench", "goldfish"]);
    assert_eq!(names("n01440764\nn01443537"), ["n01440764", "n01443537"], "nothing is left without them");
    assert_eq!(names("n01440764 tench\nbackground"), ["n01440764 tench", "background"], "only some have one");
    for text in
        ["0: cat\n1: dog", "0 cat\n1 dog", "0\tcat\n1\tdog", "1,dog\n0,cat", "0. cat\n1. dog", "cat,0\ndog,1"]
    {
        assert_eq!(names(text), ["cat", "dog"], "{text:?}");
    }
    assert_eq!(names("0: n01440764 tench\n1: n01443537 goldfish"), ["tench", "goldfish"]);
    assert_eq!(names("0,\"tench, Tinca tinca\"\n1,\"goldfish\""), ["tench, Tinca tinca", "goldfish"]);
    assert_eq!(names("2 stroke\n4 stroke"), ["2 stroke", "4 stroke"]);
    assert_eq!(names("10 euro\n5 euro\n20 cents"), ["10 euro", "5 euro", "20 cents"]);
    assert_eq!(names("7 up"), ["7 up"]);
    assert!(refusal("1 cat\n2 dog").contains("index 0 is missing"));
    assert!(refusal("0: cat\n2: dog").contains("index 1 is missing: 2 names have the indices 0 to 1"));
    assert!(refusal("0: cat\n0: dog").contains(r#"index 0 stands twice, for "cat" and "dog""#));
    assert_eq!(names("\"cat\",\n\"dog\""), ["cat", "dog"]);
    assert_eq!(names("'cat'\n'dog'"), ["cat", "dog"]);
    assert!(refusal("\"cat\"\ndog").contains("class 0 begins with a quotation mark"));
}

#[test]
fn tables() {
    assert_eq!(names("id,name\n1,dog\n0,cat\n"), ["cat", "dog"]);
    assert_eq!(names("Name;Class ID\n\"tench; Tinca\";0\ngoldfish;1"), ["tench; Tinca", "goldfish"]);
    assert_eq!(names("label\tname\n0\tcat\n1\tdog"), ["cat", "dog"]);
    assert_eq!(
        names("index,mid,display_name\n0,/m/09x0r,\"Speech, male\"\n1,/m/05zppz,Song"),
        ["Speech, male", "Song"]
    );
    assert_eq!(names("name,description\ncat,meows\ndog,barks"), ["cat", "dog"]);
    assert!(refusal("id,name\n0,cat\n2,dog").contains("index 1 is missing"));
    assert!(refusal("id,name\nx,cat").contains(r#"the index "x", which is no number"#));
    assert!(refusal("id,name\n0,tench, Tinca tinca").contains("row 1 of the table has 3 cells"));
    assert!(refusal("id,name\n0,\"tench\n1,goldfish").contains("has no end"));
    assert!(refusal("id,name\n").contains("no rows"));
    assert!(refusal("cat\t5\t0.5\ndog\t6\t0.7").contains("looks like a table"));
    assert!(refusal("cat;meows\ndog;barks").contains("id,name"));
}

/// Indices are never guessed.
#[test]
fn gaps_and_repetitions_are_named() {
    assert!(refusal(r#"{"0": "cat", "2": "dog"}"#).contains("index 1 is missing"));
    assert!(refusal(r#"{"1": "cat", "2": "dog"}"#).contains("index 0 is missing"));
    assert!(
        refusal(r#"{"0": "cat", "0": "dog"}"#).contains("index 0 stands twice"),
        "JSON allows repeated keys"
    );
    assert!(refusal(r#"{"cat": 0, "dog": 0}"#).contains(r#"index 0 stands twice, for "cat" and "dog""#));
    assert!(refusal(r#"{"cat": 0, "dog": 1000000000000}"#).contains("index 1 is missing"));
    assert!(refusal(r#"{"cat": -1, "dog": 0}"#).contains(r#"the index of "cat" is -1"#));
    assert!(refusal(r#"{"id2label": {"0": "a", "3": "b"}}"#).contains("id2label: index 1 is missing"));
}

/// A file that looks like data is never taken as names.
#[test]
fn other_structures_are_refused() {
    for text in [
        r#"{"a": 1.5, "b": "c"}"#,
        r#"{"name": "cat", "id": 3}"#,
        r#"[{"id": 0, "name": "cat"}]"#,
        r#"[["cat", "dog"]]"#,
        "{}",
        "[null, true]",
        "{\"id\": 0}\n{\"id\": 1}",
        "labels = [\n'cat',\n'dog',\n]",
        "item {\n  id: 1\n  name: 'cat'\n}",
        "- cat\n- dog",
        "names:\n- cat\n- dog",
        "names:\n  0: cat\n  1: dog",
        "<!DOCTYPE html>\n<title>labels.txt</title>",
        "<labels><label>cat</label></labels>",
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345",
    ] {
        refusal(text);
    }
    assert!(refusal("{\"0\": \"cat\", ").contains("neither JSON"));
}

#[test]
fn sizes_are_bounded() {
    assert_eq!(read(&vec![b'a'; 17 << 20]).unwrap_err().code(), "limit");
    assert_eq!(read("a\n".repeat(65_537).as_bytes()).unwrap_err().code(), "limit");
    assert_eq!(names(&"a\n".repeat(65_536)).len(), 65_536);
    let deep = format!("{}1{}", "{\"names\":".repeat(10_000), "}".repeat(10_000));
    refusal(&deep);
}

#[test]
fn counts_that_differ_are_explained() {
    let labels = |n: usize| (0..n).map(|i| format!("class {i}")).collect::<Vec<_>>();
    let why = |n, classes| check_count(&labels(n), classes).unwrap_err().to_string();
    assert!(check_count(&labels(5), 5).is_ok());
    let more = why(1001, 1000);
    assert!(more.contains("1001 labels for 1000 classes: is the first a background class?"), "{more}");
    assert!(more.contains("\"class 0\""), "{more}");
    assert!(why(999, 1000).contains("add its name"));
    assert!(why(2, 1000).starts_with("2 labels for 1000 classes; give one label per class"));
}

/// Damaged files are refused or read, and nothing else.
#[test]
fn damage_never_panics() {
    let files = [
        r#"{"id2label": {"0": "cat", "1": ["n01440764", "dog"]}}"#,
        "{0: 'tench, Tinca \\u00e4', 1: \"it's\"} # end",
        "id,name\n0,\"a, b\"\n1,c\n",
        "n01440764 tench\nn01443537 goldfish\n",
        "0: ä\n1: \"ö\"\n",
    ];
    let mut state = 1_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    for file in files {
        for _ in 0..3000 {
            let mut bytes = file.as_bytes().to_vec();
            for _ in 0..1 + next() % 3 {
                let at = next() % bytes.len();
                match next() % 4 {
                    0 => bytes.truncate(at.max(1)),
                    1 => bytes.insert(at, b"{}[]\"'\\,:#\n0n\xff"[next() % 14]),
                    2 => drop(bytes.remove(at)),
                    _ => bytes[at] ^= 1 << (next() % 8),
                }
                if bytes.is_empty() {
                    bytes.push(b'0');
                }
            }
            let _ = read(&bytes);
        }
    }
}

#[test]
fn imagenets_classes_are_a_thousand_or_one_more() {
    let names = super::imagenet(1000).unwrap();
    assert_eq!((names.len(), names[0].as_str(), names[281].as_str()), (1000, "tench", "tabby"));
    let more = super::imagenet(1001).unwrap();
    assert_eq!((more.len(), more[0].as_str(), more[1].as_str()), (1001, "background", "tench"));
    assert_eq!(super::imagenet(999), None);
}
