//! Steps of persistence, named so that tests can stop a process at each of them. Release builds contain no stop.

/// A point before, inside or after a durable write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A batch is about to be written.
    CommitBegin,
    /// A batch is written but not yet durable.
    CommitWritten,
    /// A batch is durable and nobody was answered.
    CommitDurable,
    /// Identities are written but not yet durable.
    SubjectsWritten,
    /// Identities are durable.
    SubjectsDurable,
    /// A consent change is written but not yet durable.
    ConsentsWritten,
    /// A consent change is durable.
    ConsentsDurable,
    /// Outcomes are about to be written.
    OutcomesBegin,
    /// Outcomes are written but not yet durable.
    OutcomesWritten,
    /// Outcomes are durable and nobody was answered.
    OutcomesDurable,
    /// Outcomes that waited for a decision are matched but not yet durably.
    MatchesWritten,
    /// Outcomes that waited for a decision are matched durably and not yet learned from.
    MatchesDurable,
    /// The learner has read its work.
    LearnBegin,
    /// A step of the learner is written but not yet durable.
    LearnWritten,
    /// A step of the learner is durable and not yet published.
    LearnDurable,
    /// A step of the log is written but not yet durable.
    LogWritten,
    /// A step of the log is durable and no checkpoint of it is signed.
    LogDurable,
    /// An import is written but not yet durable.
    ImportWritten,
    /// An import is durable.
    ImportDurable,
    /// Nobody finds a customer any more, not yet durably.
    ErasureBegun,
    /// What was left of a customer is gone, not yet durably.
    ErasureWritten,
    /// What was left of a customer is gone durably, and is still in the models in memory.
    ErasureDurable,
}

impl Step {
    /// Every step with the name it has in `PROFFER_STOP_AT`.
    pub const ALL: [(Self, &'static str); 22] = [
        (Self::CommitBegin, "commit-begin"),
        (Self::CommitWritten, "commit-written"),
        (Self::CommitDurable, "commit-durable"),
        (Self::SubjectsWritten, "subjects-written"),
        (Self::SubjectsDurable, "subjects-durable"),
        (Self::ConsentsWritten, "consents-written"),
        (Self::ConsentsDurable, "consents-durable"),
        (Self::OutcomesBegin, "outcomes-begin"),
        (Self::OutcomesWritten, "outcomes-written"),
        (Self::OutcomesDurable, "outcomes-durable"),
        (Self::MatchesWritten, "matches-written"),
        (Self::MatchesDurable, "matches-durable"),
        (Self::LearnBegin, "learn-begin"),
        (Self::LearnWritten, "learn-written"),
        (Self::LearnDurable, "learn-durable"),
        (Self::LogWritten, "log-written"),
        (Self::LogDurable, "log-durable"),
        (Self::ImportWritten, "import-written"),
        (Self::ImportDurable, "import-durable"),
        (Self::ErasureBegun, "erasure-begun"),
        (Self::ErasureWritten, "erasure-written"),
        (Self::ErasureDurable, "erasure-durable"),
    ];
}

/// Marks that a step was reached. In debug builds `PROFFER_STOP_AT=commit-written:7` makes the seventh arrival kill
/// the process with SIGKILL, as a power switch would: no destructor, no flush. `PROFFER_PAUSE_AT` makes it stand still
/// there, with SIGSTOP, until somebody wakes it with SIGCONT.
pub fn reach(step: Step) {
    #[cfg(debug_assertions)]
    stop::reach(step);
    #[cfg(not(debug_assertions))]
    let _ = step;
}

/// Whether a debug build was given a fault that tests must catch, or they would catch nothing: `PROFFER_PLANT` names
/// it. Release builds have none.
pub fn planted(fault: &str) -> bool {
    cfg!(debug_assertions) && std::env::var("PROFFER_PLANT").as_deref() == Ok(fault)
}

#[cfg(debug_assertions)]
mod stop {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::Step;

    static ARRIVALS: AtomicU64 = AtomicU64::new(0);
    static STOP: OnceLock<Option<(Step, u64)>> = OnceLock::new();

    static PAUSE: OnceLock<Option<(Step, u64)>> = OnceLock::new();

    fn wanted(variable: &str) -> Option<(Step, u64)> {
        let text = std::env::var(variable).ok()?;
        let (name, arrival) = text.split_once(':')?;
        let step = Step::ALL.iter().find(|(_, known)| *known == name)?.0;
        Some((step, arrival.parse().ok()?))
    }

    fn signal(name: &str) {
        let _ = std::process::Command::new("kill").arg(name).arg(std::process::id().to_string()).status();
    }

    pub(super) fn reach(step: Step) {
        if let Some((at, arrival)) = PAUSE.get_or_init(|| wanted("PROFFER_PAUSE_AT"))
            && *at == step
            && ARRIVALS.fetch_add(1, Ordering::SeqCst) + 1 == *arrival
        {
            signal("-STOP");
            // The signal may take effect a moment later than it was sent; the step must not be passed before.
            std::thread::park_timeout(std::time::Duration::from_millis(50));
        }
        if let Some((at, arrival)) = STOP.get_or_init(|| wanted("PROFFER_STOP_AT"))
            && *at == step
            && ARRIVALS.fetch_add(1, Ordering::SeqCst) + 1 == *arrival
        {
            signal("-9");
            // The signal is on its way; nothing may happen in between.
            loop {
                std::thread::park();
            }
        }
    }
}
