//! Bounds on what benches measure, and what is said of each figure.

use std::{process::ExitCode, time::Instant};

/// The part of all processors that other programs may take while something is timed.
const BUSY: f64 = 0.1;
/// The exit code where nothing was missed and something could not be measured; `EX_TEMPFAIL` elsewhere.
const NOT_MEASURED: u8 = 75;

/// Prints figures beside their bounds, and keeps what became of them.
pub struct Verdicts {
    missed: usize,
    unmeasured: usize,
    one_thread: bool,
    load: Load,
}

impl Verdicts {
    /// `one_thread`: figures mean something on one thread only.
    pub fn new(one_thread: bool) -> Self {
        Self { missed: 0, unmeasured: 0, one_thread, load: Load::now() }
    }

    /// A figure without a bound.
    pub fn tell(&mut self, what: &str, got: f64) {
        println!("{what:60} {got:9.3}");
    }

    /// A figure that follows from times, which were measured since the last one was printed.
    pub fn timed(&mut self, what: &str, got: f64, allowed: f64) {
        let doubt = if self.one_thread && threads() > 1 {
            Some("more than one thread; `taskset -c 0` keeps to one".to_owned())
        } else {
            let others = self.load.others();
            let share = others.filter(|share| *share > BUSY);
            share.map(|share| format!("busy: other programs took {:.0} % of the machine", share * 100.0))
        };
        self.load = Load::now();
        match doubt {
            Some(why) => {
                self.unmeasured += 1;
                println!("{what:60} {got:9.3} of {allowed:.3} allowed: NOT MEASURED ({why})");
            }
            None => self.counted(what, got, allowed),
        }
    }

    /// A figure that is the same on every machine.
    pub fn counted(&mut self, what: &str, got: f64, allowed: f64) {
        // NaN compares as false, so a figure that is no number misses its bound.
        let met = got <= allowed;
        self.missed += usize::from(!met);
        println!("{what:60} {got:9.3} of {allowed:.3} allowed: {}", if met { "met" } else { "NOT MET" });
    }

    /// Success where all bounds are met, 1 where one is not, 75 where one could not be measured.
    pub fn finish(&self) -> ExitCode {
        match (self.missed, self.unmeasured) {
            (0, 0) => ExitCode::SUCCESS,
            (0, n) => {
                println!("{n} bounds were not measured; run this again on an idle machine");
                NOT_MEASURED.into()
            }
            (n, _) => {
                println!("{n} bounds were not met");
                ExitCode::FAILURE
            }
        }
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// A moment, and what had been computed until then, in ticks of the system's clock.
struct Load {
    at: Instant,
    spent: Option<Spent>,
}

/// Ticks of all processors, and of this program with the children that have ended.
struct Spent {
    all: f64,
    own: f64,
    processors: usize,
}

impl Load {
    fn now() -> Self {
        Self { at: Instant::now(), spent: spent() }
    }

    /// The share of all processors that other programs have taken since; nothing where the system does not tell.
    fn others(&self) -> Option<f64> {
        let (before, now) = (self.spent.as_ref()?, spent()?);
        let ticks = (now.all - before.all) - (now.own - before.own);
        let room = self.at.elapsed().as_secs_f64() * 100.0 * now.processors as f64;
        Some((ticks / room).max(0.0))
    }
}

fn spent() -> Option<Spent> {
    let sum = |fields: &str, from: usize, count: usize| -> f64 {
        fields.split_whitespace().skip(from).take(count).filter_map(|f| f.parse::<f64>().ok()).sum()
    };
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let total = stat.lines().next()?.strip_prefix("cpu ")?;
    // User, nice, system, then idle and waiting, then interrupts, and what a hypervisor gave to others.
    let all = sum(total, 0, 3) + sum(total, 5, 3);
    let processors = stat.lines().skip(1).filter(|line| line.starts_with("cpu")).count();
    let own = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, which may hold anything, the fields from the third on; 14 to 17 are ticks, children's included.
    let own = sum(own.rsplit(") ").next()?, 11, 4);
    Some(Spent { all, own, processors })
}
