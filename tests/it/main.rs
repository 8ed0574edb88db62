//! Drives the real program as its users do: drops files, kills it, starts it again, loads plugins built as
//! shared libraries, reads receipts and sinks. One file a subject; what they share is in [`support`].
//!
//! Everything happens in a fresh temporary folder. Needed besides cargo: `cc`, which compiles the plugin in C.

#![allow(clippy::unwrap_used)] // a test that cannot go on should stop where it is

mod architecture;
mod cases;
mod cli;
mod commitments;
mod config;
mod conservation;
mod crash;
mod drops;
mod folder;
mod formats;
mod issues;
mod letters;
mod library;
mod once;
mod packages;
mod quarantine;
mod readme;
mod receipts;
mod review;
mod rules;
mod schedule;
mod sinks;
mod stages;
mod support;
mod tables;
mod threads;
mod workbooks;
