//! The long pages, mounted here so that their links and code are checked. No code of Proffer lives here.

#[doc = include_str!("api.md")]
pub mod api {}

#[doc = include_str!("architecture.md")]
pub mod architecture {}

#[doc = include_str!("authors.md")]
pub mod authors {}

#[doc = include_str!("catalogue.md")]
pub mod catalogue {}

#[doc = include_str!("cold_start.md")]
pub mod cold_start {}

#[doc = include_str!("design.md")]
pub mod design {}

#[doc = include_str!("mathematics.md")]
pub mod mathematics {}

#[doc = include_str!("policies.md")]
pub mod policies {}

#[doc = include_str!("worked_example.md")]
pub mod worked_example {}
