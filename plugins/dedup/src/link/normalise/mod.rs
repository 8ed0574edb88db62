//! Values made comparable: one file for each kind of value.
//!
//! The raw value stays what it was; what is made here is only ever compared.

pub mod company;
pub mod date;
pub mod identifier;
pub mod marks;
pub mod money;
mod numbers;
pub mod place;
pub mod regions;
pub mod text;
