//! SHAP's Partition explainer for images: Owen values on the tree of an image's halves.

use std::rc::Rc;

use async_trait::async_trait;

use super::{Checkpoints, join, owen::Owen};
use crate::{
    attribution::{
        About, Context, Cost, Group, Kind, Map, MapKind, Method, Paper, Parameter,
        masker::{Masker, PreparedMasker},
        score_unit,
    },
    backend::{BitRows, Images, Inpainted, Masks},
    error::{Error, Result},
    network::Score,
    tensor::Tensor,
};

/// Lundberg's Partition explainer (shap 0.51) with its image maskers: the players are the values of the image,
/// the tree halves it, rows where they are at least as many as the columns, else columns, channels of single
/// pixels last. Parts are refined by the largest change of any chosen score times weight. The map sums to
/// `f(image) - f(masked image)`.
///
/// Deviations: parts of equal priority are refined in the order in which they were found, not at random;
/// the masker `zero` is zero at the network's input; pixels that show keep their exact values under inpainting, where
/// the package rounds them down to bytes. `max_evals` counts the image and the wholly masked one; parts are refined two
/// evaluations at a time, so an odd one is exceeded by one, as there. `batch` is part of the definition, as refinement is
/// decided between batches.
pub struct ShapPartition;

const METHOD_PARAMETERS: &[Parameter] = &[
    Parameter {
        key: "masker",
        label: "Masker",
        help: "What hides a part: blur:KX,KY, inpaint-telea, inpaint-ns, zero at the network's input, mean, or a colour.",
        kind: Kind::Masker { default: "blur:64,64" },
    },
    Parameter {
        key: "max_evals",
        label: "Evaluations",
        help: "How many images the network is given at most.",
        kind: Kind::Integer { min: 2, max: 1_000_000, default: 500 },
    },
    Parameter {
        key: "batch",
        label: "Batch",
        help: "How many masked images are looked at before it is decided what to refine next.",
        kind: Kind::Integer { min: 1, max: 1024, default: 10 },
    },
    Parameter {
        key: "tolerance",
        label: "Tolerance",
        help: "Stops as soon as no part's change of a score, times its weight, reaches this; 0 uses every evaluation.",
        kind: Kind::Number { min: 0.0, max: 1e6, default: 0.0 },
    },
];

const PARAMETERS: [Parameter; METHOD_PARAMETERS.len()] = join(&[METHOD_PARAMETERS]);

const ABOUT: About = About {
    id: "shap-partition",
    label: "SHAP (Partition)",
    group: Group::Hiding,
    sentence: "How much each part of the image adds to the score, fairly shared, by halving the image again and again.",
    paper: Paper {
        authors: "Lundberg, Lee",
        title: "A Unified Approach to Interpreting Model Predictions",
        year: 2017,
        url: "https://arxiv.org/abs/1705.07874",
    },
    parameters: &PARAMETERS,
    default_score: Score::Probability,
    cost: Cost::forward("max_evals"),
    map_kind: MapKind::Channels,
};

#[async_trait(?Send)]
impl Method for ShapPartition {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let question = context.question;
        let &[channels, height, width] = context.image.shape() else {
            return Err(Error::Argument("the method needs an image".into()));
        };
        let shape = [channels, height, width];
        let masker = Masker::parse(question.settings.text("masker"))?
            .prepare(context.image, &question.preprocessing)?;
        let (most, batch) = (question.settings.integer("max_evals"), question.settings.integer("batch"));
        context.observer.progress(0, most as u64, None).await?;
        let mut ends = BitRows::new(channels * height * width);
        for shown in [false, true] {
            ends.push((0..ends.bits()).map(|_| shown));
        }
        let ends = scores(context, &masker, ends).await?;
        let mut owen = Owen::new(shape, &ends[0], &ends[1]);
        let (mut done, mut checkpoints) = (2, Checkpoints::new(most));
        loop {
            let left = most.saturating_sub(done);
            let masks = owen.take(batch, left);
            let finished = masks.is_empty() || owen_is_fine(context, &owen);
            if finished {
                let maps = maps(context, &owen, &ends)?;
                context.observer.progress(done as u64, done as u64, Some(&maps)).await?;
                return Ok(maps);
            }
            done += masks.len();
            owen.give(&scores(context, &masker, masks).await?);
            let partial = if checkpoints.reached(done) { Some(maps(context, &owen, &ends)?) } else { None };
            context.observer.progress(done as u64, most.max(done) as u64, partial.as_deref()).await?;
        }
    }
}

/// True if every part that could be refined is under the tolerance.
fn owen_is_fine(context: &Context<'_>, owen: &Owen) -> bool {
    let tolerance = context.question.settings.number("tolerance");
    tolerance > 0.0 && owen.largest() < tolerance
}

/// The targets' scores under each mask.
async fn scores(
    context: &mut Context<'_>,
    masker: &PreparedMasker,
    masks: BitRows,
) -> Result<Vec<Rc<[f64]>>> {
    let scores = match masker {
        PreparedMasker::Fill(fill) => super::scores(context, fill, &Masks::Elements(masks)).await?,
        PreparedMasker::Inpaint(by) => {
            context.scores(Images::Inpainted(Inpainted { by, shown: &masks })).await?
        }
    };
    let row = |i: usize| scores.row(i).iter().map(|&v| f64::from(v)).collect();
    Ok((0..scores.shape()[0]).map(row).collect())
}

fn maps(context: &Context<'_>, owen: &Owen, ends: &[Rc<[f64]>]) -> Result<Vec<Map>> {
    let question = context.question;
    let one = |(k, values): (usize, Vec<f64>)| {
        let tensor = Tensor::new(context.image.shape(), values.iter().map(|&v| v as f32).collect())?;
        let mut map = Map::new(question.targets[k], tensor, score_unit(question.score));
        map.extras.insert("base", ends[0][k].into());
        map.extras.insert("largest_unrefined", owen.largest().into());
        Ok(map)
    };
    owen.values(question.targets.len()).into_iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::{fill::Fill, oracle};

    #[test]
    fn sums_are_the_difference_to_the_masked_image() {
        for masker in ["blur:3,5", "zero", "#204060", "mean", "inpaint-telea", "inpaint-ns"] {
            let mut case = oracle::Case::new(Score::Probability);
            case.set("masker", masker).set("max_evals", "40");
            let maps = case.explain("shap-partition", &[3, 0]);
            assert_eq!(case.evaluations, 40);
            for map in maps {
                let base = map.extras["base"].as_f64().unwrap();
                let gap = map.values.sum() - (case.score(map.target) - base);
                assert!(gap.abs() < 1e-5, "{masker}: {gap}");
            }
        }
        let mut case = oracle::Case::new(Score::Logit);
        let map = case.set("masker", "#204060").explain("shap-partition", &[3]).remove(0);
        let fill = Fill::Colour([0x20, 0x40, 0x60]).image(&case.image, &case.preprocessing);
        let gap = map.values.sum() - (case.score(3) - case.score_of(3, &fill));
        assert!(gap.abs() < 1e-5, "{gap}");
    }

    /// Fully refined once: the two halves' values by hand.
    #[test]
    fn the_first_halves_are_the_columns() {
        let mut case = oracle::Case::new(Score::Logit);
        case.set("masker", "zero").set("max_evals", "4");
        let map = case.explain("shap-partition", &[2]).remove(0);
        // 9 rows, 11 columns: columns are split first, 6 and 5 of them.
        let shown = |keep: &dyn Fn(usize) -> bool| {
            let mut image = case.image.clone();
            for (i, v) in image.data_mut().iter_mut().enumerate() {
                *v *= f32::from(u8::from(keep(i % 11)));
            }
            case.score_of(2, &image)
        };
        let (none, all) = (shown(&|_| false), shown(&|_| true));
        let (left, right) = (shown(&|x| x < 6), shown(&|x| x >= 6));
        let value = ((left - none) + (all - right)) / 2.0;
        let sum: f64 =
            (0..map.values.len()).filter(|i| i % 11 < 6).map(|i| f64::from(map.values.data()[i])).sum();
        assert!((sum - value).abs() < 1e-5, "{sum} {value}");
    }

    #[test]
    fn a_tolerance_stops_early() {
        let mut case = oracle::Case::new(Score::Probability);
        case.set("tolerance", "0.01").set("max_evals", "100000");
        let map = case.explain("shap-partition", &[2]).remove(0);
        assert!(case.evaluations < 5000, "{}", case.evaluations);
        assert!(map.extras["largest_unrefined"].as_f64().unwrap() < 0.01);
    }
}
