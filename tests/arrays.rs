//! The arrays that the page offers are numpy's: what npyz reads of them, and the bytes themselves.

use pellucid::npy;

#[test]
fn the_page_s_arrays_are_little_endian_floats() {
    for shape in [&[2, 3][..], &[3, 1, 5], &[7]] {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|i| 1.0 - 0.37 * i as f32).collect();
        let file = npy::write(shape, &values);
        let read = npyz::NpyFile::new(&file[..]).unwrap();
        assert_eq!(read.dtype().descr(), "'<f4'");
        assert_eq!(read.order(), npyz::Order::C);
        assert_eq!(read.shape(), shape.iter().map(|&n| n as u64).collect::<Vec<_>>());
        assert_eq!(read.into_vec::<f32>().unwrap(), values);
        // The values start at a multiple of 64, and the first is 1: 0x3f800000, its last byte first.
        let start = file.len() - 4 * count;
        assert_eq!(start % 64, 0);
        assert_eq!(file[start..start + 4], [0x00, 0x00, 0x80, 0x3f]);
    }
}
