//! Guided Grad-CAM: guided backpropagation where Grad-CAM is positive.

use async_trait::async_trait;

use crate::{
    attribution::{
        About, Context, Cost, Group, Kind, Map, MapKind, Method, Paper, Parameter,
        cam::{grad_cam, layer_gradients},
        gradient,
    },
    bilinear::{by_centres, enlarged},
    error::Result,
    graph::Rule,
    network::Score,
    tensor::Tensor,
};

/// Guided backpropagation times the positive part of Grad-CAM, which is brought to the input's size: by nearest
/// neighbour as Captum's `GuidedGradCam`, or bilinearly as the paper. Selvaraju et al. 2017, section 3.2.
pub struct GuidedGradCam;

const ABOUT: About = About {
    id: "guided-grad-cam",
    label: "Guided Grad-CAM",
    group: Group::Pixels,
    sentence: "Fine detail, in the regions that speak for the class.",
    paper: Paper {
        authors: "Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra",
        title: "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization",
        year: 2017,
        url: "https://arxiv.org/abs/1610.02391",
    },
    parameters: &[Parameter {
        key: "interpolation",
        label: "Interpolation",
        help: "How Grad-CAM is brought to the size of the image.",
        kind: Kind::Choice { options: &["nearest", "bilinear"], default: "nearest" },
    }],
    default_score: Score::Logit,
    cost: Cost { forward: "", gradient: "2" },
    map_kind: MapKind::Channels,
};

#[async_trait(?Send)]
impl Method for GuidedGradCam {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs_layer(&self) -> bool {
        true
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let question = context.question;
        let bilinear = question.settings.text("interpolation") == "bilinear";
        let cam = layer_gradients(context).await?;
        let guided = gradient::at_image(context, Rule::Guided).await?;
        let (height, width) = (context.image.shape()[1], context.image.shape()[2]);
        let map = |(k, &target)| {
            let mut coarse = grad_cam::combine(&cam.activation, &cam.gradients.at(k))?;
            coarse.data_mut().iter_mut().for_each(|v| *v = v.max(0.0));
            let mask = resized(&coarse, height, width, bilinear)?;
            let mut values = guided.at(k);
            let plane = height * width;
            values.data_mut().iter_mut().enumerate().for_each(|(i, v)| *v *= mask.data()[i % plane]);
            Ok(Map::new(target, values, "gradient times weighted activation"))
        };
        question.targets.iter().enumerate().map(map).collect()
    }
}

/// `[h, w]` to `[height, width]`: PyTorch's `interpolate`, whose nearest rounds down and whose bilinear has
/// pixel centres at halves.
fn resized(map: &Tensor, height: usize, width: usize, bilinear: bool) -> Result<Tensor> {
    let (h, w) = (map.shape()[0], map.shape()[1]);
    let data = if bilinear {
        let values = enlarged(map.data(), [h, w], [height, width], by_centres);
        values.into_iter().map(|v| v as f32).collect()
    } else {
        let value = |i: usize| map.data()[i / width * h / height * w + i % width * w / width];
        (0..height * width).map(value).collect()
    };
    Tensor::new([height, width], data)
}

#[cfg(test)]
mod tests {
    use super::resized;
    use crate::{attribution::oracle, network::Score, tensor::Tensor};

    #[test]
    fn is_the_product_of_its_parts() {
        let mut case = oracle::Case::new(Score::Logit);
        let (cam, guided) = (case.explain("grad-cam", &[2]), case.explain("guided-backprop", &[2]));
        let own = case.explain("guided-grad-cam", &[2]).remove(0);
        let mask = resized(&cam[0].values, 9, 11, false).unwrap();
        for (i, v) in own.values.data().iter().enumerate() {
            assert_eq!(*v, guided[0].values.data()[i] * mask.data()[i % 99].max(0.0));
        }
    }

    #[test]
    fn interpolation_is_pytorch_s() {
        let map = Tensor::new([1, 2], vec![0.0, 1.0]).unwrap();
        assert_eq!(resized(&map, 1, 4, false).unwrap().data(), [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(resized(&map, 1, 4, true).unwrap().data(), [0.0, 0.25, 0.75, 1.0]);
    }
}
