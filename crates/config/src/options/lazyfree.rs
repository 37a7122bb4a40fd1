//! What is freed in the background.

use crate::Opt;

pub(super) const OPTIONS: &[Opt] = &[
    yes_no!("lazyfree-lazy-eviction", lazyfree_lazy_eviction).works(),
    yes_no!("lazyfree-lazy-expire", lazyfree_lazy_expire).works(),
    yes_no!("lazyfree-lazy-server-del", lazyfree_lazy_server_del).works(),
    yes_no!("lazyfree-lazy-user-del", lazyfree_lazy_user_del).works(),
    yes_no!("lazyfree-lazy-user-flush", lazyfree_lazy_user_flush).works(),
    yes_no!("replica-lazy-flush", replica_lazy_flush).alias("slave-lazy-flush"),
];
