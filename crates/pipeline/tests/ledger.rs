//! The ledger: versions, crashes between intent and outcome, attempts, claims, Pins. What every ledger must do is in
//! `rules` and `races`, for any [`rules::Place`]; here it is asked of the one in an SQLite file and of the one in a
//! `PostgreSQL` database, on a server that the test starts.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::panic, reason = "a test that gets something else has failed")]

#[path = "ledger/postgres.rs"]
mod postgres;
#[path = "ledger/queue.rs"]
mod queue;
#[path = "ledger/races.rs"]
mod races;
#[path = "ledger/rules.rs"]
mod rules;
#[path = "ledger/sqlite.rs"]
mod sqlite;

/// A test for each rule, in a place that is made for it.
macro_rules! asked_of {
    ($ledger:ident, $place:expr => $($module:ident::$rule:ident),+ $(,)?) => {
        mod $ledger {
            use super::*;

            $(#[test]
            fn $rule() {
                if let Some(place) = $place {
                    $module::$rule(&place);
                }
            })+
        }
    };
}

/// The same rules for both.
macro_rules! rules {
    ($($rules:tt)+) => {
        asked_of! { in_a_file, Some(sqlite::Scratch::new()) => $($rules)+ }
        asked_of! { in_a_database, postgres::Database::new() => $($rules)+ }
    };
}

rules! {
    rules::a_file_is_known_until_it_is_written,
    rules::everything_is_there_after_a_restart,
    rules::a_step_that_was_cut_off_is_seen_and_counts,
    rules::failures_are_counted_and_interruptions_are_not,
    rules::an_attempt_that_was_overtaken_changes_nothing,
    rules::outputs_stay_with_their_sources_and_are_owned_once_begun,
    rules::one_pin_for_a_content_and_a_board_and_a_destination,
    rules::a_pins_id_belongs_to_one_video,
    rules::a_pin_is_tried_three_times,
    rules::a_claim_is_held_until_its_lease_ends_or_its_outcome_is_there,
    rules::who_was_taken_for_dead_is_told_and_changes_nothing,
    rules::a_job_that_is_set_back_is_lost_to_who_works_on_it,
    rules::what_was_given_up_is_not_begun_again,
    rules::a_pin_that_was_cut_off_is_tried_more_often_than_one_that_failed,
    races::two_claimants_in_any_order_leave_one_outcome_a_claim,
}
