//! Waiting for a condition with a deadline.

use std::time::{Duration, Instant};

/// Asks `ready` until it answers or `limit` has passed; `None` if it never did.
///
/// Between two questions the thread yields for about a millisecond, so that a waiting test does
/// not take the processor from the server it waits for.
pub fn until<T>(limit: Duration, mut ready: impl FnMut() -> Option<T>) -> Option<T> {
    let give_up_at = Instant::now() + limit;
    loop {
        if let Some(found) = ready() {
            return Some(found);
        }
        if Instant::now() >= give_up_at {
            return None;
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_answer_wins_and_a_deadline_ends_the_rest() {
        let mut asked = 0;
        let third = until(Duration::from_secs(5), || {
            asked += 1;
            (asked == 3).then_some(asked)
        });
        assert_eq!(third, Some(3));
        assert_eq!(until(Duration::from_millis(3), || None::<()>), None);
    }
}
