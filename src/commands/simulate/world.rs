//! Worlds on the command line: reads the file, and plays every seed on so many threads. Prints nothing.

use std::path::{Path, PathBuf};

use proffer::simulation::compare::{Settings, Summary};
use proffer::simulation::trial::{Round, Trial, summarise};
use proffer::simulation::{World, WorldError};

use super::{SimulateArgs, SimulateError, in_order, reserve};

/// Why a world cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum WorldFileError {
    /// There is no such file, or nobody may read it.
    #[error("the world `{}` cannot be read: name a file such as `simulators/shop.yaml`", .path.display())]
    Read {
        /// As given.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is no world.
    #[error("{}: {why}", .path.display())]
    Wrong {
        /// As given.
        path: PathBuf,
        /// Everything.
        why: WorldError,
    },
}

/// Plays every strategy with every seed.
pub fn played(args: &SimulateArgs, file: &Path, settings: &Settings, threads: usize) -> Result<Summary, SimulateError> {
    let path = || file.to_owned();
    let text = std::fs::read_to_string(file).map_err(|source| WorldFileError::Read { path: path(), source })?;
    let world = World::parse(&text).map_err(|why| WorldFileError::Wrong { path: path(), why })?;
    let decisions = usize::try_from(args.decisions).unwrap_or(usize::MAX);
    let trial = Trial::prepare(world, settings, decisions, args.features.as_deref())?;
    reserve(args)?;
    let rounds = rounds(&trial, args, threads)?;
    Ok(summarise(&trial, settings, &rounds))
}

/// A round for each seed.
fn rounds(trial: &Trial, args: &SimulateArgs, threads: usize) -> Result<Vec<Round>, SimulateError> {
    let size = (usize::from(args.seeds), trial.strategies() * trial.decisions);
    in_order(size, threads, args.format, &|at, told| Ok(trial.round(at as u64 + 1, told)?))
}
