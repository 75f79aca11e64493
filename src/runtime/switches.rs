//! Switches and overrides beside bundles: set, ended, listed, and laid over the bundle in force. Judges none itself.

use std::sync::Arc;

use super::records::read_bundle;
use super::{Core, RuntimeError};
use crate::domain::{Malformed, OfferId, Timestamp};
use crate::policy::{Bundle, OverrideAction, Rule, RuleKind, Stop, SwitchMistake, SwitchSpec};
use crate::store::{By, NewSwitch, Store, SwitchChanged, SwitchRow};

/// Switches in force at once at most: those who set more than this mean a rule of a bundle.
pub const SWITCHES_MAX: usize = 256;

/// A switch with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchKept {
    /// As kept.
    pub row: SwitchRow,
    /// As asked for.
    pub spec: SwitchSpec,
    /// Whether the call that tells of it has changed anything.
    pub changed: bool,
}

/// How a switch stands at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwitchState {
    /// It begins later.
    Planned,
    /// It holds.
    InForce,
    /// Its own end has come.
    Expired,
    /// Somebody ended it.
    Ended,
}

impl SwitchState {
    /// Every state by its name.
    pub const ALL: [(&'static str, Self); 4] =
        [("in_force", Self::InForce), ("planned", Self::Planned), ("expired", Self::Expired), ("ended", Self::Ended)];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, state)| *state == self).map_or("", |(name, _)| name)
    }
}

/// Why a switch was not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchRefused {
    /// What is wrong with it.
    Mistakes(Vec<SwitchMistake>),
    /// Its id names something else, in a sentence.
    Conflict(String),
}

impl SwitchKept {
    fn of(row: SwitchRow, changed: bool) -> Result<Self, RuntimeError> {
        let spec = parse(&row)?;
        Ok(Self { row, spec, changed })
    }

    /// How it stands at an instant.
    pub fn state(&self, now: Timestamp) -> SwitchState {
        let from = self.spec.interval().and_then(|interval| interval.from);
        match &self.row.ended {
            Some(_) => SwitchState::Ended,
            None if self.row.until <= now => SwitchState::Expired,
            None if from.is_some_and(|from| from > now) => SwitchState::Planned,
            None => SwitchState::InForce,
        }
    }
}

fn parse(row: &SwitchRow) -> Result<SwitchSpec, RuntimeError> {
    let parsed = serde_json::from_str(&row.body);
    Ok(parsed.map_err(|error| Malformed(format!("switch `{}` does not parse: {error}", row.id)))?)
}

/// The switches in force at a revision.
async fn read_switches(store: &dyn Store, revision: u64) -> Result<Vec<SwitchSpec>, RuntimeError> {
    store.switches_at(revision).await?.iter().map(parse).collect()
}

/// A bundle with the switches of a revision laid over it; by itself at revision 0.
pub(super) async fn switched(
    store: &dyn Store,
    bundle: Arc<Bundle>,
    revision: u64,
) -> Result<Arc<Bundle>, RuntimeError> {
    if revision == 0 {
        return Ok(bundle);
    }
    let switches = read_switches(store, revision).await?;
    Ok(Arc::new(bundle.switched(revision, &switches)?))
}

/// The offers that a rule of a switch names.
pub fn offers_named(rule: &Rule) -> &[OfferId] {
    match &rule.kind {
        RuleKind::KillSwitch(switch) => match &switch.stop {
            Stop::All => &[],
            Stop::Named { offers, .. } => offers,
        },
        RuleKind::Override(found) => &found.offers,
        _ => &[],
    }
}

/// Says of the offers that a switch names which are not there: it holds all the same, as soon as they are.
pub fn unknown_offers(rule: &Rule, is_known: impl Fn(&OfferId) -> bool) -> Vec<String> {
    let lifts = rule.overrides(OverrideAction::ForceIn).is_some();
    let unknown = offers_named(rule).iter().filter(|offer| !is_known(offer));
    unknown
        .map(|offer| {
            let does = if lifts { "put in" } else { "touch" };
            format!("offer `{offer}` is not in the catalogue: the switch will {does} it once it is")
        })
        .collect()
}

/// Sets and ends switches in a store, with or without a service running on it.
pub struct SwitchMaker {
    /// The store.
    pub store: Arc<dyn Store>,
}

impl SwitchMaker {
    /// Sets a switch beside the active bundle. When this returns, no decision is committed without it. The same asked
    /// for again changes nothing.
    pub async fn set(
        &self,
        mut spec: SwitchSpec,
        by: By<'_>,
    ) -> Result<Result<(SwitchKept, Option<Rule>), SwitchRefused>, RuntimeError> {
        if let Some(row) = self.store.switch(&spec.id).await? {
            return Ok(known(row, spec)?.map(|kept| (kept, None)));
        }
        let control = self.store.control().await?;
        let Some(hash) = control.bundle else {
            let message = "no bundle is active, so that there is nothing to set a switch beside: `proffer serve` or \
                           `proffer policy activate DIR` puts one in force";
            return Ok(Err(SwitchRefused::Conflict(message.to_owned())));
        };
        let bundle = read_bundle(self.store.as_ref(), hash).await?;
        let others = read_switches(self.store.as_ref(), control.switch_revision).await?;
        spec.complete(by.key, by.at);
        let rule = match checked(&spec, &bundle, &others, by.at) {
            Ok(rule) => rule,
            Err(mistakes) => return Ok(Err(SwitchRefused::Mistakes(mistakes))),
        };
        let body = serde_json::to_string(&spec).unwrap_or_default();
        let until = rule.effective.until.unwrap_or(by.at);
        let new = NewSwitch { id: &spec.id, body: &body, until };
        match self.store.set_switch(&new, by).await? {
            SwitchChanged::Made(control) => {
                let row = SwitchRow {
                    id: spec.id.clone(),
                    body,
                    until,
                    revision: control.switch_revision,
                    at: by.at,
                    by: by.key.to_owned(),
                    ended: None,
                };
                Ok(Ok((SwitchKept { row, spec, changed: true }, Some(rule))))
            }
            // Somebody was faster under the same id.
            SwitchChanged::Known(row) => Ok(known(*row, spec)?.map(|kept| (kept, None))),
            SwitchChanged::Unknown => Ok(Err(SwitchRefused::Conflict(format!("switch `{}` was not kept", spec.id)))),
        }
    }

    /// Ends a switch; nothing where no switch has the id. When this returns, no decision is committed with it. Ended
    /// again it stays as it was.
    pub async fn end(&self, id: &str, why: &str, by: By<'_>) -> Result<Option<SwitchKept>, RuntimeError> {
        let changed = match self.store.end_switch(id, why, by).await? {
            SwitchChanged::Made(_) => true,
            SwitchChanged::Known(_) => false,
            SwitchChanged::Unknown => return Ok(None),
        };
        let row = self.store.switch(id).await?;
        row.map(|row| SwitchKept::of(row, changed)).transpose()
    }

    /// Switches set before a revision (or all), newest first, whether they hold or not.
    pub async fn list(&self, before: Option<u64>, limit: u32) -> Result<Vec<SwitchKept>, RuntimeError> {
        let rows = self.store.switches(before, limit).await?;
        rows.into_iter().map(|row| SwitchKept::of(row, false)).collect()
    }
}

/// The rule that a switch comes to beside a bundle and other switches, at an instant.
fn checked(
    spec: &SwitchSpec,
    bundle: &Bundle,
    others: &[SwitchSpec],
    now: Timestamp,
) -> Result<Rule, Vec<SwitchMistake>> {
    let rule = spec.check(bundle, others)?;
    let mistake =
        |pointer: &str, message: String| vec![SwitchMistake { pointer: pointer.to_owned(), code: None, message }];
    if rule.effective.until.is_some_and(|until| until <= now) {
        let message =
            format!("switch `{}` would have ended already, {}: give a later `until`", spec.id, rule.effective.text);
        return Err(mistake("/effective", message));
    }
    if others.len() >= SWITCHES_MAX {
        let message = format!(
            "{SWITCHES_MAX} switches are in force, which is as many as there may be: end some, or write a rule of a \
             bundle"
        );
        return Err(mistake("", message));
    }
    Ok(rule)
}

/// What a switch that is there says to whoever asks for one of its id.
fn known(row: SwitchRow, mut asked: SwitchSpec) -> Result<Result<SwitchKept, SwitchRefused>, RuntimeError> {
    let kept = SwitchKept::of(row, false)?;
    if asked.owner.is_none() {
        asked.owner.clone_from(&kept.spec.owner);
    }
    if let Some(from) = kept.spec.effective.get("from") {
        asked.effective.entry("from").or_insert_with(|| from.clone());
    }
    let SwitchRow { id, at, by, ended, .. } = &kept.row;
    let conflict = match ended {
        Some(ended) => format!(
            "switch `{id}` was ended at {} by {} ({}): an id is used once; choose another",
            ended.at, ended.by, ended.why
        ),
        None if asked != kept.spec => format!(
            "switch `{id}` was set at {at} by {by} and says something else: choose another id, or end that one first"
        ),
        None => return Ok(Ok(kept)),
    };
    Ok(Err(SwitchRefused::Conflict(conflict)))
}

impl Core {
    /// Sets and ends switches in the store of this process.
    pub fn switches(&self) -> SwitchMaker {
        SwitchMaker { store: self.store.clone() }
    }

    /// Sets a switch, and decides with it from now on; with what will surprise whoever set it.
    pub async fn set_switch(
        &self,
        spec: SwitchSpec,
        by: &str,
    ) -> Result<Result<(SwitchKept, Vec<String>), SwitchRefused>, RuntimeError> {
        let by = By { key: by, at: self.clock.now() };
        let (kept, rule) = match self.switches().set(spec, by).await? {
            Ok(set) => set,
            Err(refused) => return Ok(Err(refused)),
        };
        self.follow_now().await;
        let catalogue = self.snapshot().catalogue.clone();
        let is_known = |offer: &OfferId| catalogue.offer(offer.as_str()).is_some();
        let warnings = rule.map(|rule| unknown_offers(&rule, is_known)).unwrap_or_default();
        Ok(Ok((kept, warnings)))
    }

    /// Ends a switch, and decides without it from now on; nothing where no switch has the id.
    pub async fn end_switch(&self, id: &str, why: &str, by: &str) -> Result<Option<SwitchKept>, RuntimeError> {
        let ended = self.switches().end(id, why, By { key: by, at: self.clock.now() }).await?;
        self.follow_now().await;
        Ok(ended)
    }

    /// Follows the control row at once. Where that fails nothing is lost: commits are gated on it.
    async fn follow_now(&self) {
        if let Err(error) = self.follow_control().await {
            tracing::warn!(%error, "the switches will be taken up later");
        }
    }
}
