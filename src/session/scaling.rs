//! How pixels become numbers: the caller's word, the file's, or what most networks take.

use super::Options;
use crate::{
    error::{Error, Result},
    network::Network,
    picture::Preprocessing,
};

/// The file's preprocessing with the caller's on top, and what has to be said of it.
pub(super) fn preprocessing(network: &Network, options: &Options) -> Result<(Preprocessing, Vec<String>)> {
    let (metadata, mut preprocessing) = (network.metadata(), Preprocessing::default());
    let given = (options.mean.or(metadata.mean), options.std.or(metadata.std));
    if let Some(mean) = given.0 {
        preprocessing.mean = mean;
    }
    if let Some(std) = given.1 {
        preprocessing.std = std;
    }
    if preprocessing.std.iter().any(|s| *s <= 0.0 || s.is_nan()) {
        return Err(Error::Argument(format!("std is {:?}, and should be positive", preprocessing.std)));
    }
    let note = to_bytes(&mut preprocessing.mean, &mut preprocessing.std);
    preprocessing.resize = metadata.resize;
    if let Some(name) = &metadata.interpolation {
        preprocessing.interpolation = name.parse()?;
    }
    Ok((preprocessing, note.into_iter().collect()))
}

/// Takes numbers of the 0..1 scale times 255, since pixels are 0 to 255, and says so.
///
/// Both are of that scale when every mean is within 0..1 and every deviation above 0 and at most 1; mean 0 with
/// deviation 1 is not, since networks that read 0 to 255 as it is have these. Where only one of the two fits, it alone
/// is taken times 255: a mean unless it is zero, a deviation unless it is one, which fit both scales.
fn to_bytes(mean: &mut [f32; 3], std: &mut [f32; 3]) -> Option<String> {
    let (means, stds) = (mean.iter().all(|m| (0.0..=1.0).contains(m)), std.iter().all(|s| *s <= 1.0));
    let (no_mean, no_std) = (mean.iter().all(|m| *m == 0.0), std.iter().all(|s| *s == 1.0));
    if means && no_mean && no_std {
        return Some(
            "Mean 0 and deviation 1 leave pixels at 0 to 255; a network that reads 0 to 1 has the deviation 255."
                .into(),
        );
    }
    let (scale_mean, scale_std) = (means && (stds || !no_mean), stds && (means || !no_std));
    let mut told = vec![];
    for (wanted, name, values) in [(scale_mean, "mean", mean), (scale_std, "deviation", std)] {
        if wanted {
            let small = *values;
            *values = small.map(|v| v * 255.0);
            told.push(format!("the {name} {} to {}", list(&small), list(values)));
        }
    }
    (!told.is_empty()).then(|| {
        format!(
            "Pixels are 0 to 255, and the numbers look like those of the scale 0 to 1. They were taken times 255: {}.",
            told.join(", ")
        )
    })
}

fn list(values: &[f32; 3]) -> String {
    values.map(|v| ((v * 1000.0).round() / 1000.0).to_string()).join(",")
}

#[cfg(test)]
mod tests {
    use super::super::tests::network_with;
    use super::*;

    fn scaled(mean: [f32; 3], std: [f32; 3]) -> ([f32; 3], [f32; 3], Option<String>) {
        let (mut mean, mut std) = (mean, std);
        let note = to_bytes(&mut mean, &mut std);
        (mean, std, note)
    }

    #[test]
    fn numbers_of_the_unit_scale_are_taken_times_255() {
        let imagenet = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
        let (mean, std, note) = scaled(imagenet.0, imagenet.1);
        let wanted = Preprocessing::default();
        assert_eq!((mean, std), (wanted.mean, wanted.std));
        let note = note.unwrap();
        assert!(
            note.contains("times 255") && note.contains("0.485,0.456,0.406") && note.contains("123.675"),
            "{note}"
        );
        assert_eq!(scaled([0.5; 3], [0.5; 3]).1, [127.5; 3]);
        assert_eq!(scaled([0.5; 3], [1.0; 3]).0, [127.5; 3], "subtracted alone");
        assert_eq!(scaled([0.0; 3], [1.0 / 255.0; 3]).1, [1.0; 3]);
        assert_eq!(scaled([0.485; 3], [58.395; 3]).0, [0.485 * 255.0; 3], "one of them alone");
        assert_eq!(scaled([123.675; 3], [0.229; 3]).1, [0.229 * 255.0; 3]);
    }

    #[test]
    fn numbers_of_the_byte_scale_stay() {
        for (mean, std) in [
            (Preprocessing::default().mean, Preprocessing::default().std),
            ([127.0; 3], [128.0; 3]),
            ([0.0; 3], [255.0; 3]),
            ([103.939, 116.779, 123.68], [1.0; 3]),
            ([0.0; 3], [127.5; 3]),
            ([1.5, 0.5, 0.5], [2.0; 3]),
        ] {
            assert_eq!(scaled(mean, std), (mean, std, None));
        }
        let (mean, std, note) = scaled([0.0; 3], [1.0; 3]);
        assert_eq!((mean, std), ([0.0; 3], [1.0; 3]), "a network that reads bytes");
        assert!(note.unwrap().contains("deviation 255"));
    }

    /// The caller knows better than the file, in each of the two.
    #[test]
    fn options_go_before_metadata() {
        let network =
            network_with(&[("mean", "10"), ("std", "20"), ("resize", "99"), ("interpolation", "nearest")]);
        let of = |mean, std| {
            let options = Options { mean, std, ..Options::default() };
            let (made, _) = preprocessing(&network, &options).unwrap();
            assert_eq!((made.resize, made.interpolation), (Some(99), crate::picture::Interpolation::Nearest));
            (made.mean[0], made.std[0])
        };
        assert_eq!(of(None, None), (10.0, 20.0));
        assert_eq!(of(Some([30.0; 3]), None), (30.0, 20.0));
        assert_eq!(of(None, Some([40.0; 3])), (10.0, 40.0));
        assert_eq!(of(Some([30.0; 3]), Some([40.0; 3])), (30.0, 40.0));
    }

    /// Metadata are treated as options are.
    #[test]
    fn metadata_of_the_unit_scale_are_taken_times_255() {
        let network = network_with(&[("mean", "0.5"), ("std", "0.25")]);
        let (made, notes) = preprocessing(&network, &Options::default()).unwrap();
        assert_eq!((made.mean, made.std), ([127.5; 3], [63.75; 3]));
        assert!(notes[0].contains("times 255"), "{notes:?}");
    }
}
