//! Acceptance on commitment with missing materials (信用承诺容缺受理).
//!
//! Each node that a row claims (`when`) wants its materials. One that is missing is an error, unless it is
//! on the node's may-be-missing list *and* a commitment covers it: present, with a deadline that can be
//! told and is not too far off. The row gets the commitment's status and due day.
//!
//! | column | holds |
//! |---|---|
//! | `commitment_status` | `none`, `open`, `due_soon`, `extended`, `overdue`, `fulfilled`, `terminated`, `breached`, `revoked` |
//! | `commitment_due` | the day by which the missing materials are promised, with its extension; null without a commitment |
//! | `commitment_missing` | required materials of the claimed nodes that are not there; null when no node is claimed |
//! | `commitment_since` | the day on which it came to this status |
//! | `commitment_history` | every status it had with its day (`2026-09-22 due_soon`) |
//! | `commitment_nodes` | claimed nodes that rest on it while it is open (容缺) |
//! | `blocked_until` | until when a breach keeps the company from committing |
//!
//! What a missing value does: `when` null claims nothing; materials null are none handed in, so all are
//! missing; a commitment with neither number, date nor deadline is none; one without a date is an error, since its
//! deadline cannot be checked; a list of promised materials that is empty promises nothing; no day
//! of fulfilment means not fulfilled. Each has a test in [`judge`].
//!
//! An overdue commitment is a warning by default: as an error (as in the domain's V20) it would keep the
//! very row out of the register in which people look for overdue commitments.
//!
//! With `applicant` the stage remembers what it accepted, and refuses who is on the credit list, has broken a
//! commitment, has too many open, promises the same twice or extends twice ([`applicant`]).
//!
//! Start at [`Options`]; a row's fate is decided in [`judge`], how a commitment fares in time in [`course`], days are
//! counted in [`calendar`].

mod applicant;
pub mod calendar;
mod columns;
mod course;
mod judge;
mod materials;
mod options;
mod report;
mod stage;

pub use options::{
    ApplicantOptions, CalendarOptions, CommitmentColumns, CreditOptions, LetterColumns, NodeOptions, Options,
    Severities,
};
pub use stage::Commitment;

huiliu_abi::export_plugin!(huiliu_plugin_v1_commitment, [Commitment]);
