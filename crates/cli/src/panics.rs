//! What a panic says: nothing, where a parser's panic is caught and only means that libav decides.

use std::panic::PanicHookInfo;

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// Silences panics inside the fence of the sample-table reader. All others are told as before.
pub(crate) fn install_hook() {
    let told = std::panic::take_hook();
    std::panic::set_hook(silent_where(pinpress_probe::sample_table::in_fence, told));
}

fn silent_where(silent: fn() -> bool, told: Hook) -> Hook {
    Box::new(move |panic| {
        if !silent() {
            told(panic);
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn only_the_fence_is_silent() {
        static TOLD: AtomicUsize = AtomicUsize::new(0);
        let told_of = |silent: fn() -> bool| {
            let before = std::panic::take_hook();
            TOLD.store(0, Ordering::SeqCst);
            let count = |_: &PanicHookInfo<'_>| {
                TOLD.fetch_add(1, Ordering::SeqCst);
            };
            std::panic::set_hook(silent_where(silent, Box::new(count)));
            let zero = std::hint::black_box(0);
            let panicked = std::panic::catch_unwind(|| 1 / zero).is_err();
            std::panic::set_hook(before);
            (panicked, TOLD.load(Ordering::SeqCst))
        };
        assert_eq!(told_of(|| true), (true, 0));
        assert_eq!(told_of(|| false), (true, 1));
    }
}
