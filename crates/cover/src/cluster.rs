//! Which frames look alike: k-means over looks.

use crate::look::Look;

/// Clusters at most: more scenes than that and none stands for the video.
const MOST: usize = 8;

/// Distance to all centres from which on a frame begins a cluster of its own: different scenes lie above 0.1.
const APART: f64 = 0.12;

/// Distance from its centre at which a frame is no example of its cluster any more.
const REACH: f64 = 0.15;

/// Rounds of moving centres; they rest long before.
const ROUNDS: usize = 20;

/// How well each look stands for all, 0 to 1: the time of its cluster, relative to the longest, by how near it is to
/// the cluster's centre. `times` is how long each look lasts, in any unit, over 0. The same looks in the same order
/// give the same answer: the seeds are the look nearest to the mean, then always the one farthest from all seeds.
pub(crate) fn representativeness(looks: &[&Look], times: &[f64]) -> Vec<f64> {
    if looks.is_empty() {
        return Vec::new();
    }
    let mut centres = seeds(looks, times);
    let mut of = assigned(looks, &centres);
    for _ in 0..ROUNDS {
        for (at, centre) in centres.iter_mut().enumerate() {
            let members = looks.iter().zip(times).zip(&of).filter(|&(_, &of)| of == at);
            if let Some(mean) = Look::mean(members.map(|((look, time), _)| (*look, *time))) {
                *centre = mean;
            }
        }
        let next = assigned(looks, &centres);
        if next == of {
            break;
        }
        of = next;
    }
    let mut weights = vec![0.0; centres.len()];
    for (&of, time) in of.iter().zip(times) {
        weights[of] += time;
    }
    let most = weights.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    looks
        .iter()
        .zip(&of)
        .map(|(look, &of)| {
            let far = look.distance(&centres[of]) / REACH;
            weights[of] / most * (-far * far).exp()
        })
        .collect()
}

fn seeds(looks: &[&Look], times: &[f64]) -> Vec<Look> {
    let Some(mean) = Look::mean(looks.iter().copied().zip(times.iter().copied())) else { return Vec::new() };
    let first = looks.iter().min_by(|a, b| a.distance(&mean).total_cmp(&b.distance(&mean)));
    let mut seeds: Vec<Look> = first.into_iter().map(|look| (*look).clone()).collect();
    while seeds.len() < MOST {
        let nearest = |look: &Look| seeds.iter().map(|seed| seed.distance(look)).fold(f64::INFINITY, f64::min);
        let farthest = looks.iter().map(|look| (nearest(look), look)).max_by(|(a, _), (b, _)| a.total_cmp(b));
        match farthest {
            Some((far, look)) if far >= APART => seeds.push((*look).clone()),
            _ => break,
        }
    }
    seeds
}

/// The nearest centre of each look.
fn assigned(looks: &[&Look], centres: &[Look]) -> Vec<usize> {
    let nearest = |look: &&Look| {
        let distances = centres.iter().map(|centre| look.distance(centre)).enumerate();
        distances.min_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(at, _)| at)
    };
    looks.iter().map(nearest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Picture;
    use crate::grid::Grid;

    fn look(rgb: [u8; 3]) -> Look {
        Look::of(&Grid::of(&Picture::new(8, 8, &rgb.repeat(64)).unwrap()))
    }

    #[test]
    fn the_scene_that_lasts_longest_represents() {
        let (dark, bright) = (look([40, 44, 40]), look([180; 3]));
        let looks = [&dark, &bright, &dark, &dark];
        let even = representativeness(&looks, &[1.0; 4]);
        assert!((even[0] - 1.0).abs() < 1e-6 && (even[1] - 1.0 / 3.0).abs() < 1e-6, "{even:?}");
        let long = representativeness(&looks, &[1.0, 9.0, 1.0, 1.0]);
        assert!((long[1] - 1.0).abs() < 1e-6 && (long[0] - 1.0 / 3.0).abs() < 1e-6, "{long:?}");
    }

    #[test]
    fn the_middle_of_a_scene_beats_its_edge() {
        let looks = [look([100; 3]), look([108; 3]), look([116; 3]), look([250, 0, 0])];
        let values = representativeness(&looks.iter().collect::<Vec<_>>(), &[1.0; 4]);
        assert!(values[1] > values[0] && values[1] > values[2] && values[2] > values[3], "{values:?}");
    }

    #[test]
    fn none_and_one_are_clusters_too() {
        assert!(representativeness(&[], &[]).is_empty());
        assert_eq!(representativeness(&[&look([9; 3])], &[0.5]), [1.0]);
    }
}
