//! Work that blocks, out of the tasks that must not: storage is asked by threads of its own.

use crossbeam_channel::{Receiver, Sender, unbounded};

type Errand<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Hands errands to the threads that [`run_errands`] runs on.
#[derive(Clone)]
pub(super) struct Aside<'a>(Sender<Errand<'a>>);

/// The desk where errands are left, and where they are fetched.
pub(super) fn aside<'a>() -> (Aside<'a>, Receiver<Errand<'a>>) {
    let (errands, waiting) = unbounded();
    (Aside(errands), waiting)
}

impl<'a> Aside<'a> {
    /// What `errand` answers; `None` when nobody runs errands any more.
    pub(super) async fn run<T: Send + 'a>(&self, errand: impl FnOnce() -> T + Send + 'a) -> Option<T> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let errand = Box::new(move || {
            // Who asked may have gone.
            drop(tell.send(errand()));
        });
        self.0.send(errand).ok()?;
        told.await.ok()
    }
}

/// Runs errands until nobody can leave any.
pub(super) fn run_errands(waiting: &Receiver<Errand<'_>>) {
    for errand in waiting {
        errand();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errands_run_beside_tasks_and_answer() {
        let words = ["one".to_owned(), "two".to_owned()];
        let (aside, waiting) = aside();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let told = std::thread::scope(|scope| {
            scope.spawn(|| run_errands(&waiting));
            let aside = aside;
            let words = &words;
            runtime.block_on(async move {
                // Another runtime may be waited for there, which a task may not.
                let other = || tokio::runtime::Builder::new_current_thread().build().unwrap();
                let first = aside.run(move || other().block_on(async { words[0].len() }));
                let second = aside.run(move || words[1].clone());
                (first.await, second.await)
            })
        });
        assert_eq!(told, (Some(3), Some("two".to_owned())));
    }

    #[test]
    fn an_errand_that_nobody_runs_has_no_answer() {
        let (aside, waiting) = aside();
        drop(waiting);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(aside.run(|| 1)), None);
    }
}
