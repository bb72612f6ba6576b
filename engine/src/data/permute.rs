//! A shuffled order of rows, from a random stream of its own.

use rand_chacha::rand_core::Rng;

use super::stream::stream;

/// A permutation of `0..count` (Durstenfeld, CACM 1964, algorithm 235), the same on every machine.
pub fn permutation(count: usize, run_seed: u64, item_seed: u64, name: &str) -> Vec<usize> {
    let mut rng = stream(run_seed, item_seed, name);
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        // The bias of this draw is below count/2^64.
        let draw = (u128::from(rng.next_u64()) * (last as u128 + 1)) >> 64;
        order.swap(last, draw as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_occurs_once_in_an_order_of_its_seed() {
        let order = permutation(1000, 0, 1, "split d");
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().enumerate().all(|(i, v)| i == *v));
        assert_eq!(order, permutation(1000, 0, 1, "split d"));
        assert_ne!(order, permutation(1000, 0, 2, "split d"));
        // A shuffled order has 1 place in its place on average.
        assert!(order.iter().enumerate().filter(|(i, v)| i == *v).count() < 8);
        assert!(permutation(0, 0, 1, "").is_empty());
    }
}
