use super::*;

/// A game of products: each term is worth its number where all its players are there.
struct Game {
    players: usize,
    terms: Vec<(Vec<usize>, f64)>,
}

impl Game {
    /// Terms of one to three players.
    fn random(players: usize, terms: usize) -> Self {
        let mut rng = rng::for_sample(5, 0);
        let mut term = |_| {
            let mut who: Vec<usize> = (0..3).map(|_| rng.random_range(0..players)).collect();
            who.sort_unstable();
            who.dedup();
            (who, rng.random_range(-1.0..1.0))
        };
        Self { players, terms: (0..terms).map(&mut term).collect() }
    }

    fn worth(&self, shown: impl Fn(usize) -> bool) -> f64 {
        let there = |who: &[usize]| who.iter().all(|&i| shown(i));
        0.3 + self.terms.iter().filter(|(who, _)| there(who)).map(|(_, v)| v).sum::<f64>()
    }

    /// A term is shared evenly by its players.
    fn shapley(&self) -> Vec<f64> {
        let mut values = vec![0.0; self.players];
        for (who, v) in &self.terms {
            who.iter().for_each(|&i| values[i] += v / who.len() as f64);
        }
        values
    }

    fn play(&self, budget: usize, seed: u64) -> (Plan, Values) {
        let plan = Plan::new(self.players, budget, seed);
        assert!(plan.rows.len() <= budget.max(2));
        let mut shapley = Shapley::new(&plan, vec![self.worth(|_| false)], vec![self.worth(|_| true)]);
        for row in 0..plan.rows.len() {
            let shown: Vec<bool> = plan.rows.row(row).collect();
            shapley.add(&[self.worth(|i| shown[i]) as f32]);
        }
        let values = shapley.values().unwrap().remove(0);
        (plan, values)
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn all_coalitions_give_the_exact_values() {
    for players in [1, 2, 3, 4, 7, 8, 11, 12] {
        let game = Game::random(players, 30);
        let (plan, got) = game.play((1 << players) - 2, 0);
        assert!(plan.is_exact());
        assert_eq!(plan.rows.len(), (1 << players) - 2);
        let wrong = distance(&got.values, &game.shapley());
        assert!(wrong < 1e-5, "{players}: {wrong}");
        assert!(got.errors.iter().all(|e| *e == 0.0));
    }
}

#[test]
fn plans_are_pairs_without_repeats_where_counted() {
    let plan = Plan::new(20, 4000, 3);
    // 1 and 19, 2 and 18 players: 40 and 380 coalitions.
    assert_eq!((plan.counted, plan.rows.len()), (420, 4000));
    let rows: Vec<Vec<bool>> = (0..4000).map(|i| plan.rows.row(i).collect()).collect();
    for pair in rows.chunks(2) {
        assert!(pair[0].iter().zip(&pair[1]).all(|(a, b)| a != b));
    }
    let mut counted = rows[..420].to_vec();
    counted.sort();
    counted.dedup();
    assert_eq!(counted.len(), 420);
    let weight = plan.weights.iter().sum::<f64>() + plan.drawn;
    assert!((weight - 1.0).abs() < 1e-12, "{weight}");
}

/// A linear function is found from any rows.
#[test]
fn a_linear_game_is_recovered() {
    let game = Game { players: 25, terms: (0..25).map(|i| (vec![i], i as f64 / 7.0 - 1.0)).collect() };
    let (_, got) = game.play(200, 1);
    assert!(distance(&got.values, &game.shapley()) < 1e-4, "{:?}", got.values);
}

/// Root mean square errors over seeds against the number of drawn rows, on logarithmic axes; and the errors that
/// are said are of the right size.
#[test]
fn errors_fall_with_the_root_of_the_samples() {
    let game = Game::random(16, 60);
    let truth = game.shapley();
    let mut points = vec![];
    for drawn in [200, 800, 3200] {
        let (mut squares, mut said) = (0.0, 0.0);
        for seed in 0..12 {
            let (plan, got) = game.play(32 + drawn, seed);
            assert!(!plan.is_exact());
            squares += distance(&got.values, &truth).powi(2);
            said += got.errors.iter().map(|e| e * e).sum::<f64>();
            assert!((got.values.iter().sum::<f64>() - truth.iter().sum::<f64>()).abs() < 1e-6);
            points.push((plan.rows.len() - plan.counted) as f64);
        }
        let last = points.len() - 12;
        let n = points[last];
        points.truncate(last);
        points.push(n);
        points.push(squares.sqrt());
        assert!((0.6..1.6).contains(&(said / squares).sqrt()), "{said} {squares}");
    }
    let slope = (points[5] / points[1]).ln() / (points[4] / points[0]).ln();
    assert!((-0.65..-0.35).contains(&slope), "{slope}: {points:?}");
}
