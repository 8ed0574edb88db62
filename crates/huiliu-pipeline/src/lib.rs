//! From a pipeline file to a running delivery.
//!
//! A pipeline file is read ([`config`]), checked against the stages, sources and sinks at hand
//! ([`plan`]) and run, one delivery after the other ([`run`]). Each step makes a new type, so a
//! [`plan::Plan`] that exists is a plan that was checked.
//!
//! This crate knows stages, stores and sinks as traits only ([`ports`]). It never opens a file, a socket
//! or a shared library, and it never asks for the time: the daemon hands all of these in. That is
//! why every test here runs in memory.
//!
//! To follow one batch, start at [`run::Runner::run`].

mod account;
pub mod config;
pub mod diagnostic;
pub mod expression;
pub mod host;
pub mod labels;
pub mod plan;
pub mod ports;
mod rejects;
pub mod run;
