//! What is freed in the background: everything large, in slices, so that nobody waits for it. Three
//! of the options also say whether a deletion is handed on to replicas as DEL or as UNLINK.

use crate::Opt;

pub(super) const OPTIONS: &[Opt] = &[
    yes_no!("lazyfree-lazy-eviction", lazyfree_lazy_eviction).works(),
    yes_no!("lazyfree-lazy-expire", lazyfree_lazy_expire).works(),
    yes_no!("lazyfree-lazy-server-del", lazyfree_lazy_server_del).always(),
    yes_no!("lazyfree-lazy-user-del", lazyfree_lazy_user_del).works(),
    yes_no!("lazyfree-lazy-user-flush", lazyfree_lazy_user_flush).always(),
    yes_no!("replica-lazy-flush", replica_lazy_flush).alias("slave-lazy-flush").always(),
];
