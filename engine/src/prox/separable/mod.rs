//! Terms that are sums over entries, and convex: their prox works entry by entry, and any box goes with it.

pub(super) mod elastic_net;
pub(super) mod huber;
pub(super) mod l1;
pub(super) mod squared_l2;
