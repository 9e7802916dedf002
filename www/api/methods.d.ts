// Made from the registry of methods by `PELLUCID_TYPES=write cargo test --test types`; do not edit.

/** The parameters of each method; what is left out has its default. */
export interface MethodParameters {
  /** Which regions of the image speak for the class, as a layer of the network sees it. */
  'grad-cam': {
    /** Set what speaks against the class to zero, as the paper does. false by default. */
    relu?: boolean;
  };
  /** As Grad-CAM, but it finds several objects of one class, and more of each. */
  'grad-cam++': {
  };
  /** As Grad-CAM, but each place is weighted by its own gradient: it shows only what the network used. */
  'hires-cam': {
  };
  /** As Grad-CAM, but fit for early layers too: each place counts by its own positive gradient. */
  'layer-cam': {
  };
  /** As Grad-CAM, with weights chosen so that the map adds up to the score as nearly as it can. */
  'xgrad-cam': {
  };
  /** Which regions keep the score up when the rest is hidden; it needs no gradient. */
  'score-cam': {
    /** How many channels are tried, those that vary most first; 0 for all. A whole number, 0 to 100000; 0 by default. */
    channels?: number;
  };
  /** Which regions hold what the score falls without; it needs no gradient. */
  'ablation-cam': {
  };
  /** Where the layer is most active in its main pattern; it does not depend on the class. */
  'eigen-cam': {
  };
  /** How much the score would change if a pixel changed a little. */
  'saliency': {
  };
  /** What each pixel contributes, if the score went on as straight as it starts. */
  'input-x-gradient': {
  };
  /** What each pixel adds to the score on the way from a blank image to this one; with enough steps it adds up. */
  'integrated-gradients': {
    /** How many points of the way are looked at. A whole number, 1 to 1000; 50 by default. */
    steps?: number;
    /** Where the way starts: at nothing, or at an image of your own. zero by default. */
    baseline?: 'zero' | 'mean' | 'blur' | 'black' | 'white' | 'image';
    /** How the points count: gauss-legendre, as in Captum; calibrated tilts these weights so that the map adds up exactly. gauss-legendre by default. */
    quadrature?: 'gauss-legendre' | 'calibrated';
  };
  /** What each pixel adds to the score, compared with other photographs instead of a blank image. */
  'expected-gradients': {
    /** How many points between the image and the background are looked at. A whole number, 2 to 100000; 100 by default. */
    samples?: number;
    /** The deviation of noise that is added to the image, or to the layer, in its own unit. 0 to 1000; 0 by default. */
    smoothing?: number;
  };
  /** Saliency with its flicker averaged out, by adding noise to the image many times. */
  'smooth-grad': {
    /** How many noisy copies of the image are looked at. A whole number, 2 to 10000; 50 by default. */
    samples?: number;
    /** The noise's deviation, as a share of the span between the input's least and greatest value. 0 to 10; 0.15 by default. */
    sigma?: number;
    /** The method whose maps are gathered. saliency by default. */
    of?: 'saliency' | 'input-x-gradient' | 'guided-backprop' | 'integrated-gradients';
  };
  /** Where the gradient changes most when noise is added to the image. */
  'vargrad': {
    /** How many noisy copies of the image are looked at. A whole number, 2 to 10000; 50 by default. */
    samples?: number;
    /** The noise's deviation, as a share of the span between the input's least and greatest value. 0 to 10; 0.15 by default. */
    sigma?: number;
    /** The method whose maps are gathered. saliency by default. */
    of?: 'saliency' | 'input-x-gradient' | 'guided-backprop' | 'integrated-gradients';
  };
  /** Fine detail that excites the network. It fails the sanity check of Adebayo and others (2018): with random weights it looks much the same, so read it as an edge picture, not as a reason. */
  'guided-backprop': {
  };
  /** Fine detail, in the regions that speak for the class. */
  'guided-grad-cam': {
    /** How Grad-CAM is brought to the size of the image. nearest by default. */
    interpolation?: 'nearest' | 'bilinear';
  };
  /** How much the score falls when a window of the image is hidden. */
  'occlusion': {
    /** The side of the hidden square, in pixels of the network's input; 0 for a seventh of the image's. A whole number, 0 to 4096; 0 by default. */
    window?: number;
    /** How far the square moves each time, in pixels; 0 for half of the window. A whole number, 0 to 4096; 0 by default. */
    stride?: number;
    /** What hides the square: zero at the network's input, the image's mean, blur:KX,KY, or a colour. zero by default. */
    fill?: 'zero' | 'mean' | `blur:${number},${number}` | `#${string}`;
  };
  /** How much each segment adds to the score, by a straight line through images with segments hidden. */
  'lime': {
    /** How many rows of hidden segments are looked at. A whole number, 2 to 100000; 1000 by default. */
    samples?: number;
    /** What hides a segment: mean, its own mean colour; zero, at the network's input; blur:KX,KY; or a colour. mean by default. */
    fill?: 'zero' | 'mean' | `blur:${number},${number}` | `#${string}`;
    /** How far from the whole image a row may be and still count. 0.01 to 100; 0.25 by default. */
    kernel_width?: number;
    /** How strongly weights are held back towards zero. 0 to 1000000; 1 by default. */
    ridge?: number;
    /** How the picture is cut into segments. quickshift by default. */
    algorithm?: 'quickshift' | 'slic' | 'felzenszwalb' | 'grid';
    /** Quickshift: the deviation of the density's kernel, in pixels; larger makes fewer segments. 0.5 to 20; 4 by default. */
    kernel_size?: number;
    /** Quickshift: from where on pixels are not joined; larger makes fewer segments. 0 to 1000000; 200 by default. */
    max_dist?: number;
    /** Quickshift: how much colour counts beside place, from 0 to 1. 0 to 1; 0.2 by default. */
    ratio?: number;
    /** SLIC and grid: about how many segments to make. A whole number, 1 to 4096; 50 by default. */
    segments?: number;
    /** SLIC: how much place counts beside colour; larger makes squarer segments. 0.001 to 10000; 10 by default. */
    compactness?: number;
    /** Felzenszwalb: how much contrast a border needs; larger makes fewer segments. 0 to 1000000; 100 by default. */
    scale?: number;
    /** Felzenszwalb: the deviation of the Gaussian that smooths the picture first, in pixels. 0 to 20; 0.8 by default. */
    sigma?: number;
    /** Felzenszwalb: the fewest pixels of a segment. A whole number, 0 to 1000000; 40 by default. */
    min_size?: number;
    /** Stops as soon as the largest standard error is under this; 0 takes every sample. 0 to 1000000; 0 by default. */
    tolerance?: number;
    /** How many images are given to the network at a time; 0 for what suits the device. A whole number, 0 to 1024; 0 by default. */
    batch?: number;
  };
  /** How much each part of the image adds to the score, fairly shared, by halving the image again and again. */
  'shap-partition': {
    /** What hides a part: blur:KX,KY, inpaint-telea, inpaint-ns, zero at the network's input, mean, or a colour. blur:64,64 by default. */
    masker?: 'inpaint-telea' | 'inpaint-ns' | 'zero' | 'mean' | `blur:${number},${number}` | `#${string}`;
    /** How many images the network is given at most. A whole number, 2 to 1000000; 500 by default. */
    max_evals?: number;
    /** How many masked images are looked at before it is decided what to refine next. A whole number, 1 to 1024; 10 by default. */
    batch?: number;
    /** Stops as soon as no part's change of a score, times its weight, reaches this; 0 uses every evaluation. 0 to 1000000; 0 by default. */
    tolerance?: number;
  };
  /** How much each segment adds to the score, fairly shared over all ways to show some of them. */
  'kernel-shap': {
    /** How many coalitions are looked at; 0 for all of up to 12 segments, else twice the segments and 2048. A whole number, 0 to 100000; 0 by default. */
    samples?: number;
    /** What hides a segment: mean, its own mean colour; zero, at the network's input; blur:KX,KY; or a colour. mean by default. */
    fill?: 'zero' | 'mean' | `blur:${number},${number}` | `#${string}`;
    /** How the picture is cut into segments. quickshift by default. */
    algorithm?: 'quickshift' | 'slic' | 'felzenszwalb' | 'grid';
    /** Quickshift: the deviation of the density's kernel, in pixels; larger makes fewer segments. 0.5 to 20; 4 by default. */
    kernel_size?: number;
    /** Quickshift: from where on pixels are not joined; larger makes fewer segments. 0 to 1000000; 200 by default. */
    max_dist?: number;
    /** Quickshift: how much colour counts beside place, from 0 to 1. 0 to 1; 0.2 by default. */
    ratio?: number;
    /** SLIC and grid: about how many segments to make. A whole number, 1 to 4096; 50 by default. */
    segments?: number;
    /** SLIC: how much place counts beside colour; larger makes squarer segments. 0.001 to 10000; 10 by default. */
    compactness?: number;
    /** Felzenszwalb: how much contrast a border needs; larger makes fewer segments. 0 to 1000000; 100 by default. */
    scale?: number;
    /** Felzenszwalb: the deviation of the Gaussian that smooths the picture first, in pixels. 0 to 20; 0.8 by default. */
    sigma?: number;
    /** Felzenszwalb: the fewest pixels of a segment. A whole number, 0 to 1000000; 40 by default. */
    min_size?: number;
    /** Stops as soon as the largest standard error is under this; 0 takes every sample. 0 to 1000000; 0 by default. */
    tolerance?: number;
    /** How many images are given to the network at a time; 0 for what suits the device. A whole number, 0 to 1024; 0 by default. */
    batch?: number;
  };
  /** The mean of random smooth masks, weighted by the score of what they show. */
  'rise': {
    /** How many masks are looked at. A whole number, 1 to 100000; 1000 by default. */
    samples?: number;
    /** How many cells a mask has along each side. A whole number, 1 to 64; 7 by default. */
    cells?: number;
    /** The probability of a cell to show. 0.01 to 1; 0.5 by default. */
    p?: number;
    /** What hides: zero at the network's input, the image's mean, blur:KX,KY, or a colour. zero by default. */
    fill?: 'zero' | 'mean' | `blur:${number},${number}` | `#${string}`;
    /** Stops as soon as the largest standard error is under this; 0 takes every sample. 0 to 1000000; 0 by default. */
    tolerance?: number;
    /** How many images are given to the network at a time; 0 for what suits the device. A whole number, 0 to 1024; 0 by default. */
    batch?: number;
  };
}

/** The id of a method. */
export type MethodId = keyof MethodParameters;
