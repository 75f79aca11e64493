//! The integration tests, as one binary: the house rules, and Proffer as its users meet it.

// `cfg(test)` on each module tells clippy that helpers, too, may unwrap, expect and panic here.
#[cfg(test)]
mod harness;

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod catalog;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod cli_audit;
#[cfg(test)]
mod cli_author;
#[cfg(test)]
mod cli_fairness;
#[cfg(test)]
mod cli_policy;
#[cfg(test)]
mod cli_replay;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod guide;
#[cfg(test)]
mod http;
#[cfg(test)]
mod minimisation;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod simulate_world;
#[cfg(test)]
mod store;
#[cfg(test)]
mod tamper;
#[cfg(test)]
mod tidiness;
#[cfg(test)]
mod warm_start;
#[cfg(test)]
mod worked_example;
