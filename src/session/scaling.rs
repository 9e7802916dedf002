//! How pixels become numbers: the caller's word, the file's, or what most networks take.

use crate::{
    error::{Error, Result},
    network::Network,
    picture::{Channels, Config, Interpolation, Preprocessing, Preset, Resize},
};

/// The caller's choices of preprocessing; what is left out is the file's, or a guess.
#[derive(Clone, Debug, Default)]
pub struct PreprocessingOptions {
    /// All of it by name; goes before what the file says.
    pub preset: Option<Preset>,
    /// All of it from a configuration file. A preset goes before it.
    pub config: Option<Config>,
    /// The mean that is subtracted from each channel, on the 0..255 scale. Numbers that look like the 0..1 scale are taken
    /// times 255, and [`Session::notes`](super::Session::notes) says so.
    pub mean: Option<[f32; 3]>,
    /// The deviation that each channel is divided by then, on the 0..255 scale, or likewise.
    pub std: Option<[f32; 3]>,
    /// The order of the network's channels.
    pub channels: Option<Channels>,
    /// The size before the centre crop.
    pub resize: Option<Resize>,
    /// The filter of the resize.
    pub interpolation: Option<Interpolation>,
}

/// Preprocessing, and how it was found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub preprocessing: Preprocessing,
    /// The note on it.
    pub notes: Vec<String>,
    /// The note where pixels are scaled by a guess.
    pub guess: Option<String>,
}

/// The preprocessing that the caller names, or the file's, or a guess, with the caller's single wishes on top.
pub(super) fn preprocessing(network: &Network, options: &PreprocessingOptions) -> Result<Found> {
    let metadata = network.metadata();
    let config = options.config.as_ref().filter(|_| options.preset.is_none());
    let whole = options.preset.map(Preset::preprocessing).or_else(|| config.map(|c| c.preprocessing.clone()));
    let is_chosen = whole.is_some();
    let mut made = match whole {
        Some(whole) => whole,
        None => {
            let base = metadata.preset.unwrap_or(network.guess().preset).preprocessing();
            Preprocessing {
                mean: metadata.mean.unwrap_or(base.mean),
                std: metadata.std.unwrap_or(base.std),
                channels: metadata.channels.unwrap_or(base.channels),
                resize: metadata.resize.unwrap_or(base.resize),
                interpolation: metadata.interpolation.unwrap_or(base.interpolation),
                ..base
            }
        }
    };
    let from_file = if is_chosen { (None, None) } else { (metadata.mean, metadata.std) };
    let (mean, std) = (options.mean.or(from_file.0), options.std.or(from_file.1));
    made.mean = options.mean.unwrap_or(made.mean);
    made.std = options.std.unwrap_or(made.std);
    made.channels = options.channels.unwrap_or(made.channels);
    made.resize = options.resize.unwrap_or(made.resize);
    made.interpolation = options.interpolation.unwrap_or(made.interpolation);
    if made.std.iter().any(|s| *s <= 0.0 || s.is_nan()) {
        return Err(Error::Argument(format!("std is {:?}, and should be positive", made.std)));
    }
    let given = mean.is_some() || std.is_some();
    let note = if given { to_bytes(&mut made.mean, &mut made.std) } else { None };
    let is_guess = !is_chosen && metadata.preset.is_none() && (mean.is_none() || std.is_none());
    Ok(Found {
        preprocessing: made,
        notes: note.into_iter().chain(config.and_then(|config| other_size(config, network))).collect(),
        guess: is_guess.then(|| network.guess().note()),
    })
}

/// The note where a configuration is for images of another size than the network's.
fn other_size(config: &Config, network: &Network) -> Option<String> {
    let [height, width] = config.size?;
    let &[_, own_height, own_width] = network.input() else { return None };
    ([height, width] != [own_height, own_width]).then(|| {
        format!(
            "The configuration is for images of {height}x{width} (height x width), and the model reads \
             {own_height}x{own_width}: pictures are cropped to that."
        )
    })
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
    use super::super::tests::{network_with, silent_network};
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
            let options = PreprocessingOptions { mean, std, ..<_>::default() };
            let made = preprocessing(&network, &options).unwrap().preprocessing;
            assert_eq!((made.resize, made.interpolation), ("99".parse().unwrap(), Interpolation::Nearest));
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
        let Found { preprocessing: made, notes, guess } =
            preprocessing(&network, &PreprocessingOptions::default()).unwrap();
        assert_eq!((made.mean, made.std), ([127.5; 3], [63.75; 3]));
        assert!(notes[0].contains("times 255"), "{notes:?}");
        assert_eq!(guess, None);
    }

    #[test]
    fn a_guess_is_called_one_until_somebody_knows() {
        let found = |metadata: &[(&str, &str)], options: PreprocessingOptions| {
            preprocessing(&network_with(metadata), &options).unwrap()
        };
        let silent = silent_network();
        let guessed = preprocessing(&silent, &PreprocessingOptions::default()).unwrap();
        assert_eq!(guessed.preprocessing, Preprocessing::default());
        assert!(guessed.guess.unwrap().contains("torchvision is a guess"));
        let preset = PreprocessingOptions { preset: Some(Preset::KerasCaffe), ..<_>::default() };
        for known in [
            found(&[], preset.clone()),
            found(&[("mean", "1"), ("std", "2")], preset),
            found(&[("preset", "keras-caffe")], PreprocessingOptions::default()),
        ] {
            assert_eq!((known.preprocessing, known.guess), (Preset::KerasCaffe.preprocessing(), None));
        }
        let half = PreprocessingOptions { mean: Some([1.5; 3]), ..<_>::default() };
        assert!(preprocessing(&silent, &half).unwrap().guess.is_some(), "the deviation is still a guess");
    }

    #[test]
    fn single_wishes_go_before_a_preset() {
        let options = PreprocessingOptions {
            preset: Some(Preset::KerasTf),
            std: Some([64.0; 3]),
            interpolation: Some(Interpolation::Lanczos3),
            ..<_>::default()
        };
        let made = preprocessing(&network_with(&[]), &options).unwrap().preprocessing;
        let keras = Preset::KerasTf.preprocessing();
        assert_eq!(made, Preprocessing { std: [64.0; 3], interpolation: Interpolation::Lanczos3, ..keras });
    }
}
