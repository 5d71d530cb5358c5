//! Work side by side: two works, or the same for many, on all cores.

use std::{num::NonZero, panic, sync, thread};

/// Two works that need not wait for each other. A thread that panicked has said so; its panic continues here.
pub(crate) fn side_by_side<A: Send, B>(one: impl FnOnce() -> A + Send, two: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let two = two();
        (one.join().unwrap_or_else(|panic| panic::resume_unwind(panic)), two)
    })
}

/// The same work for many, on all cores; results in the order of the items.
pub(crate) fn parallel<T: Send, R: Send>(
    items: impl IntoIterator<Item = T, IntoIter: Send>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    at_most(thread::available_parallelism().map_or(1, NonZero::get), items, work)
}

/// The same work for many, so many at a time; results in the order of the items.
pub(crate) fn at_most<T: Send, R: Send>(
    limit: usize,
    items: impl IntoIterator<Item = T, IntoIter: Send>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let queue = sync::Mutex::new(items.into_iter().enumerate());
    // A thread that panicked has said so; its panic continues below.
    let take = || queue.lock().unwrap_or_else(sync::PoisonError::into_inner).next();
    let turn = || std::iter::from_fn(|| take().map(|(index, item)| (index, work(item)))).collect::<Vec<_>>();
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..limit).map(|_| scope.spawn(turn)).collect();
        let ended = threads.into_iter().map(thread::ScopedJoinHandle::join);
        ended.flat_map(|done| done.unwrap_or_else(|panic| panic::resume_unwind(panic))).collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
