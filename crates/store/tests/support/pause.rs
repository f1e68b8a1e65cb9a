//! Waiting without a sleeping thread.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Waits on a channel that nobody sends on.
pub fn pause(time: Duration) {
    let (_keep, never) = sync_channel::<()>(1);
    assert_eq!(never.recv_timeout(time), Err(RecvTimeoutError::Timeout));
}
