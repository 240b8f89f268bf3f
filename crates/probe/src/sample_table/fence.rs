//! A fence around parsers that are not ours, for the panic that the guard did not foresee.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Undecided;

thread_local! {
    static FENCED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside the fence, where a panic is caught and only means that libav decides.
///
/// A library must not touch the panic hook, which belongs to the whole process. A program that wants such panics
/// off its standard error asks this in a hook of its own, as `pinpress` does.
#[must_use]
pub fn in_fence() -> bool {
    FENCED.get()
}

/// Runs `parse`; its panic becomes [`Undecided::GaveUp`]. `parse` owns what it works on, so nothing half-changed is
/// left behind.
pub(super) fn fenced<T>(parse: impl FnOnce() -> Result<T, Undecided>) -> Result<T, Undecided> {
    struct Inside;
    impl Drop for Inside {
        fn drop(&mut self) {
            FENCED.set(false);
        }
    }
    let caught = catch_unwind(AssertUnwindSafe(|| {
        FENCED.set(true);
        let _inside = Inside;
        parse()
    }));
    caught.unwrap_or_else(|panic| Err(Undecided::GaveUp(words(panic.as_ref()))))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no reason given").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_undecided_and_the_fence_ends_with_it() {
        let zero = std::hint::black_box(0_u32);
        let fenced = fenced(|| {
            assert!(in_fence());
            Ok(1 / zero)
        });
        assert_eq!(fenced, Err(Undecided::GaveUp("attempt to divide by zero".to_owned())));
        assert!(!in_fence(), "the fence outlived the panic");
    }

    #[test]
    fn without_a_panic_the_answer_passes() {
        assert_eq!(fenced(|| Ok(in_fence())), Ok(true));
        assert_eq!(fenced::<()>(|| Err(Undecided::Fragmented)), Err(Undecided::Fragmented));
        assert!(!in_fence());
    }
}
