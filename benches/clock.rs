//! The clocks of the benches.

use std::{sync::OnceLock, time::Instant};

/// Seconds that this thread has computed, so that what else the machine does counts for little; seconds since the
/// first call where the system does not tell.
pub fn seconds() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = spent.and_then(|s| s.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns * 1e-9)
}

/// Seconds that all threads of the process have computed, in hundredths; nothing where the system does not tell.
#[allow(dead_code, reason = "not every bench runs on several threads")]
pub fn process_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything, the fields from the third on; 14 and 15 are user and system ticks.
    let after = stat.rsplit(") ").next().unwrap_or_default();
    after.split(' ').skip(11).take(2).filter_map(|f| f.parse::<f64>().ok()).sum::<f64>() / 100.0
}
