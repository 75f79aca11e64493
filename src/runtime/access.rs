//! Access: everything that is held about a customer, opened. Leaves nothing out and judges no claim to it.

use super::{ConsentKept, Core, Opened, OutcomesSeen, RuntimeError};
use crate::domain::{KnownAttribute, SubjectId, SubjectKind, SubjectRef, Timestamp};
use crate::store::{By, KeptOutcome, LegalHold};

/// Everything that is held about a customer.
#[derive(Debug, Clone)]
pub struct Accessed {
    /// Every id that it is known by, its own first.
    pub names: Vec<SubjectRef>,
    /// Consent records, oldest first, those of who became it too.
    pub consents: Vec<ConsentKept>,
    /// Attributes kept.
    pub attributes: Vec<KnownAttribute>,
    /// The legal hold that it is under.
    pub hold: Option<LegalHold>,
    /// Decisions, oldest first, with what followed.
    pub decisions: Vec<(Opened, OutcomesSeen)>,
    /// Outcomes that are known to be about it, in the order of their instants.
    pub outcomes: Vec<KeptOutcome>,
}

impl Core {
    /// Everything that is held about a customer; nothing if nobody is known by the id. That it was asked for is
    /// written down.
    pub async fn access_customer(&self, who: &SubjectRef, by: &str) -> Result<Option<Accessed>, RuntimeError> {
        let Some(found) = self.store.find_subject(who).await? else { return Ok(None) };
        let known_as = self.store.known_as(who).await?;
        let ids: Vec<SubjectId> = known_as.iter().map(|(subject, _)| *subject).collect();
        let mut names: Vec<SubjectRef> = known_as.into_iter().map(|(_, name)| name).collect();
        names.sort_by_key(|name| (*name != found.reference, name.clone()));
        let mut decisions = Vec::new();
        for stored in self.store.subject_decisions(found.subject, Timestamp(i64::MIN)).await? {
            let opened = self.open_record(stored).await?;
            let outcomes = self.outcomes_of(&opened).await?;
            decisions.push((opened, outcomes));
        }
        let mut outcomes = self.store.outcomes_about(&ids).await?;
        outcomes.sort_by_key(|kept| (kept.row.fact.occurred_at, kept.row.fact.key));
        let consents = self.consents(&found.reference).await?.unwrap_or_default();
        let attributes = self.attributes(&found.reference).await?.unwrap_or_default();
        let hold = self.store.held(found.subject).await?;
        let detail = format!("{} decisions, {} outcomes", decisions.len(), outcomes.len());
        self.store.note("customers.access", &detail, By { key: by, at: self.clock.now() }).await?;
        Ok(Some(Accessed { names, consents, attributes, hold, decisions, outcomes }))
    }
}

impl Accessed {
    /// All of it in sentences, for the customer to read.
    pub fn sentences(&self) -> Vec<String> {
        let mut told = Vec::new();
        for (at, name) in self.names.iter().enumerate() {
            let kind = match name.kind {
                SubjectKind::Customer => "customer",
                other => other.name(),
            };
            let also = if at > 0 { "also " } else { "" };
            told.push(format!("You are {also}known as {kind} `{}`.", name.outside_id));
        }
        for ConsentKept { at, record } in &self.consents {
            let channel = record.channel.as_ref().map(|channel| format!(" by {channel}")).unwrap_or_default();
            told.push(format!(
                "On {at} your consent for `{}`{channel} was noted: {}.",
                record.purpose,
                record.state.name()
            ));
        }
        for KnownAttribute { name, value, at, until } in &self.attributes {
            let until = until.map(|until| format!(", kept until {until}")).unwrap_or_default();
            told.push(format!("`{name}` is known as {value} since {at}{until}."));
        }
        if self.hold.is_some() {
            told.push("What is held must not be erased for now: a legal hold says so.".to_owned());
        }
        for (opened, outcomes) in &self.decisions {
            told.extend(crate::audit::explain(
                &opened.skeleton,
                opened.private.as_ref(),
                &opened.bundle,
                &opened.catalogue,
            ));
            if outcomes.count > 0 {
                told.push(format!("{} events followed it.", outcomes.count));
            }
        }
        for kept in &self.outcomes {
            let fact = &kept.row.fact;
            let to = kept.row.decision_id.map_or_else(String::new, |id| format!(", of decision {id}"));
            told.push(format!("On {} `{}` told of: {}{to}.", fact.occurred_at, kept.row.source, fact.kind.name()));
        }
        told
    }
}
