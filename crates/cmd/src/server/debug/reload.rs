//! `DEBUG RELOAD [NOSAVE] [NOFLUSH] [MERGE]` and `DEBUG LOADAOF`

use crate::host::Reload;
use crate::{ControlCtx, Outcome, ReplyError};

/// `DEBUG RELOAD`: saves the data and loads it again.
pub(super) fn reload(ctx: &mut ControlCtx<'_>) -> Outcome {
    let mut how = Reload::default();
    let mut cursor = ctx.cursor(2);
    while !cursor.is_done() {
        if cursor.take("nosave") {
            how.nosave = true;
        } else if cursor.take("noflush") {
            how.noflush = true;
        } else if cursor.take("merge") {
            how.merge = true;
        } else {
            return Err(ReplyError::text(
                "DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
            ));
        }
    }
    let point = ctx.propagation.point();
    ctx.host.reload(how, ctx.keys.store(), point)
}

/// `DEBUG LOADAOF`: forgets all data and loads the log. More arguments do not matter, as in Redis.
pub(super) fn load_log(ctx: &mut ControlCtx<'_>) -> Outcome {
    ctx.host.reload_log()
}
