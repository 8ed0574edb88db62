//! Work on several threads whose result does not depend on how many there are.

/// Calls `each` for `0..count` on several threads, with something of its own for each thread, and gives the
/// results in order.
pub(super) fn parallel<T: Send, S>(
    threads: usize,
    count: usize,
    own: impl Fn() -> S + Sync,
    each: impl Fn(usize, &mut S) -> T + Sync,
) -> Vec<T> {
    const FEW: usize = 256;
    if threads == 1 || count < FEW {
        let mut own = own();
        return (0..count).map(|at| each(at, &mut own)).collect();
    }
    let share = count.div_ceil(threads);
    let run = |part: usize| {
        let mut own = own();
        (part * share..((part + 1) * share).min(count)).map(|at| each(at, &mut own)).collect::<Vec<T>>()
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads).map(|part| scope.spawn(move || run(part))).collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause)))
            .collect()
    })
}
