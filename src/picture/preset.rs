//! The ways of preprocessing that have a name.

use serde::{Deserialize, Serialize};

use super::{Channels, Interpolation, Preprocessing, Resize, Side, names};

/// A named way of preprocessing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// ImageNet's mean and deviation, a crop of 224/256: torchvision's models.
    Torchvision,
    /// -1 to 1, both sides resized by the nearest pixel: Keras's `load_img` and `preprocess_input` of mode `tf`.
    KerasTf,
    /// Blue, green, red less ImageNet's means: mode `caffe`, as of ResNet50 and VGG16.
    KerasCaffe,
    /// ImageNet's mean and deviation: mode `torch`, as of DenseNet121.
    KerasTorch,
    /// 0 to 1.
    Unit,
    /// 0 to 255, for networks that scale pixels themselves.
    Raw,
    /// `(value - 127) / 128`, bicubic: the EfficientNet-Lite models.
    EfficientnetLite,
    /// CLIP's own mean and deviation, bicubic, the whole short side.
    Clip,
}

names::named!(Preset, "preset");

impl Preset {
    /// Every one, in the order in which to offer them.
    pub const ALL: [Self; 8] = [
        Self::Torchvision,
        Self::KerasTf,
        Self::KerasCaffe,
        Self::KerasTorch,
        Self::Unit,
        Self::Raw,
        Self::EfficientnetLite,
        Self::Clip,
    ];

    /// The preprocessing of this name.
    #[must_use]
    pub fn preprocessing(self) -> Preprocessing {
        let imagenet = Preprocessing::default();
        // Keras's load_img(target_size=...) squashes, with the nearest pixel unless it is told otherwise.
        let keras = Preprocessing {
            resize: Resize::Squash(Side::Crop(1.0)),
            interpolation: Interpolation::Nearest,
            ..Preprocessing::default()
        };
        match self {
            Self::Torchvision => imagenet,
            Self::KerasTf => Preprocessing { mean: [127.5; 3], std: [127.5; 3], ..keras },
            Self::KerasCaffe => Preprocessing {
                mean: [103.939, 116.779, 123.68],
                std: [1.0; 3],
                channels: Channels::Bgr,
                ..keras
            },
            Self::KerasTorch => keras,
            Self::Unit => Preprocessing { mean: [0.0; 3], std: [255.0; 3], ..imagenet },
            Self::Raw => Preprocessing { mean: [0.0; 3], std: [1.0; 3], ..imagenet },
            Self::EfficientnetLite => Preprocessing {
                mean: [127.0; 3],
                std: [128.0; 3],
                interpolation: Interpolation::Bicubic,
                ..imagenet
            },
            Self::Clip => Preprocessing {
                mean: [0.481_454_66, 0.457_827_5, 0.408_210_73].map(|v: f32| v * 255.0),
                std: [0.268_629_54, 0.261_302_6, 0.275_777_1].map(|v: f32| v * 255.0),
                resize: Resize::Short(Side::Crop(1.0)),
                interpolation: Interpolation::Bicubic,
                ..imagenet
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_has_its_name() {
        let names = Preset::ALL.map(|preset| preset.to_string());
        assert_eq!(
            names.join(" "),
            "torchvision keras-tf keras-caffe keras-torch unit raw efficientnet-lite clip"
        );
        for preset in Preset::ALL {
            assert_eq!(preset.to_string().parse::<Preset>().unwrap(), preset);
        }
        assert!("caffe".parse::<Preset>().unwrap_err().to_string().contains("keras-caffe"));
    }
}
