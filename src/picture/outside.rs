//! The part of a picture that the network gets to see, and the part that it does not.

use super::{Picture, Preprocessing};
use crate::error::Result;

/// The share of a picture that may lie outside the crop without a word: pictures of 16:9 lose 0.57, those of 2:1 more
/// than this.
const UNTOLD: f64 = 0.6;
/// A side of which no more than this share is seen is told of; every network that crops loses an eighth.
const MUCH: f64 = 0.75;

impl Preprocessing {
    /// The part of a picture that [`Preprocessing::fit`] keeps, in shares of the picture's sides: left, top, width and
    /// height. What is padded lies outside 0 to 1.
    ///
    /// # Errors
    /// Those of [`Preprocessing::fit`].
    pub fn crop(&self, picture: &Picture, height: usize, width: usize) -> Result<[f64; 4]> {
        picture.check()?;
        let (full_width, full_height) = self.resize.full_size(picture, height, width)?;
        let part = |full: usize, wanted: usize| {
            let (kept, missing) = self.centre.part(full, wanted);
            let full = full.max(1) as f64;
            ((kept.start as f64 - missing as f64) / full, wanted as f64 / full)
        };
        let ((left, width), (top, height)) = (part(full_width, width), part(full_height, height));
        Ok([left, top, width, height])
    }

    /// The note on a picture of which [`Preprocessing::fit`] cuts off the larger part: the network may answer
    /// without having seen the subject. `None` where it keeps enough.
    ///
    /// # Errors
    /// Those of [`Preprocessing::fit`].
    pub fn outside(&self, picture: &Picture, height: usize, width: usize) -> Result<Option<String>> {
        let (full_width, full_height) = self.resize.full_size(picture, height, width)?;
        let (columns, _) = self.centre.part(full_width, width);
        let (rows, _) = self.centre.part(full_height, height);
        let seen = |part: &std::ops::Range<usize>, full: usize| part.len() as f64 / full.max(1) as f64;
        let outside = 1.0 - seen(&columns, full_width) * seen(&rows, full_height);
        if outside <= UNTOLD {
            return Ok(None);
        }
        let sides = [
            ("width", "left and right", full_width, columns, picture.width),
            ("height", "top and bottom", full_height, rows, picture.height),
        ];
        let told = sides.iter().filter(|(_, _, full, part, _)| seen(part, *full) <= MUCH);
        let places = told.map(|(side, ends, full, part, length)| {
            let place = |at: usize| (at as f64 * *length as f64 / *full as f64).round();
            format!(
                "of {length} pixels of its {side} it sees those from {} to {}, and nothing more to the {ends}",
                place(part.start),
                place(part.end),
            )
        });
        Ok(Some(format!(
            "{:.0} % of the picture lie outside the crop that the network sees: {}. If the subject is there, crop the \
             picture around it first.",
            100.0 * outside,
            places.collect::<Vec<_>>().join("; "),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::geometry::{Resize, Side},
        *,
    };

    #[test]
    fn the_crop_is_told_in_shares_of_the_picture() {
        let crop = |width, height, resize| {
            let resize = Resize::Short(Side::Pixels(resize));
            let preprocessing = Preprocessing { resize, ..Preprocessing::default() };
            preprocessing.crop(&Picture::plain(width, height, [0; 3]), 224, 224).unwrap()
        };
        // 512 x 256 of which the middle is 224 x 224.
        assert_eq!(crop(800, 400, 256), [144.0 / 512.0, 16.0 / 256.0, 224.0 / 512.0, 224.0 / 256.0]);
        assert_eq!(crop(100, 100, 224), [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(crop(100, 100, 112), [-0.5, -0.5, 2.0, 2.0], "padded on all sides");
    }

    fn note(width: usize, height: usize) -> Option<String> {
        Preprocessing::default().outside(&Picture::plain(width, height, [0; 3]), 224, 224).unwrap()
    }

    #[test]
    fn pictures_that_lose_most_of_themselves_are_told_of() {
        let wide = note(1200, 300).unwrap();
        assert!(wide.starts_with("81 % of the picture"), "{wide}");
        assert!(wide.contains("1200 pixels of its width it sees those from 469 to 731"), "{wide}");
        let tall = note(300, 1200).unwrap();
        assert!(tall.contains("its height") && tall.contains("top and bottom"), "{tall}");
        assert!(note(2000, 1000).is_some());
        assert!(!wide.contains("height") && !tall.contains("width"), "{wide} {tall}");
    }

    #[test]
    fn both_sides_are_told_where_both_lose_much() {
        // An input of 16 x 224, of a picture of 512 x 400: it is made 328 x 256, and the middle is seen.
        let picture = Picture::plain(512, 400, [0; 3]);
        let strip = Preprocessing::default().outside(&picture, 16, 224).unwrap().unwrap();
        assert!(strip.contains("400 pixels of its height it sees those from 188 to 213"), "{strip}");
        assert!(strip.contains("512 pixels of its width"), "{strip}");
    }

    #[test]
    fn photographs_are_not() {
        for (width, height) in [(300, 300), (400, 300), (300, 450), (1920, 1080), (1080, 1920), (1, 1)] {
            assert_eq!(note(width, height), None, "{width} x {height}");
        }
        // A network whose input is as wide as the picture sees all of it.
        let how = Preprocessing { resize: Resize::Short(Side::Pixels(96)), ..Preprocessing::default() };
        assert_eq!(how.outside(&Picture::plain(1000, 250, [0; 3]), 96, 384).unwrap(), None);
    }

    /// The place that is told is the one that is kept.
    #[test]
    fn the_seen_part_is_where_the_note_says() {
        let mut picture = Picture::plain(1200, 300, [0; 3]);
        for (i, pixel) in picture.rgb.chunks_exact_mut(3).enumerate() {
            if (469..731).contains(&(i % 1200)) {
                pixel.fill(255);
            }
        }
        let seen = Preprocessing::default().fit(&picture, 224, 224).unwrap();
        let inner = |p: &[u8]| p[0] > 100;
        assert!(seen.rgb.chunks_exact(3).all(inner), "nothing else is seen");
    }
}
