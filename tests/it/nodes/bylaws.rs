//! Bylaws: the caps of the town as one list, from which its rules are written and its records are counted. Counts
//! nothing.

use chrono_tz::Tz;
use proffer::domain::SubjectKind;
use proffer::domain::outcome::OutcomeKind;

/// Since when a cap counts.
#[derive(Clone, Copy)]
pub enum Window {
    /// The last milliseconds.
    Rolling(i64),
    /// Since midnight, where the customer is unless a zone is named.
    Day(Option<Tz>),
    /// For ever, or as long as the session is.
    Always,
}

/// One cap.
#[derive(Clone, Copy)]
pub struct TownCap {
    pub id: &'static str,
    pub whose: SubjectKind,
    /// `offer`, `category`, `campaign`, `channel` or `all`.
    pub by: &'static str,
    pub max: u32,
    pub window: Window,
    /// As the rules have it.
    window_text: &'static str,
    /// What confirms what is reserved; nothing where the decision counts.
    pub counts: Option<OutcomeKind>,
}

const DAY_MS: i64 = 86_400_000;

/// The caps, with so many offers a week for one customer.
pub fn caps(of_all: u32) -> Vec<TownCap> {
    use SubjectKind::{Customer, Device, Household, Session};
    let cap = |id, (whose, by), max, (window, window_text), counts| TownCap {
        id,
        whose,
        by,
        max,
        window,
        window_text,
        counts,
    };
    let week = (Window::Rolling(7 * DAY_MS), "{rolling: 7d}");
    let day = (Window::Rolling(DAY_MS), "{rolling: 24h}");
    let here = (Window::Day(None), "{calendar: day, time_zone: customer}");
    let there = (Window::Day(Some(Tz::America__New_York)), "{calendar: day, time_zone: America/New_York}");
    let lifetime = (Window::Always, "lifetime");
    let (seen, clicked) = (Some(OutcomeKind::Impression), Some(OutcomeKind::Click));
    vec![
        cap("cap.customer.all", (Customer, "all"), of_all, week, None),
        cap("cap.customer.offer", (Customer, "offer"), 2, day, None),
        cap("cap.customer.category", (Customer, "category"), 5, here, None),
        cap("cap.household.all", (Household, "all"), 20, lifetime, None),
        cap("cap.household.campaign", (Household, "campaign"), 6, there, seen),
        cap("cap.device.channel", (Device, "channel"), 13, week, seen),
        cap("cap.device.offer", (Device, "offer"), 3, lifetime, clicked),
        cap("cap.session.all", (Session, "all"), 5, (Window::Always, "session"), None),
        cap("cap.session.category", (Session, "category"), 3, day, seen),
    ]
}

/// The caps as rules.
pub fn written(caps: &[TownCap]) -> String {
    let one = |cap: &TownCap| {
        format!(
            "  - {{id: {}, why: Contact standard, scope: [{}, {}], max: {}, window: {}, counts: {}}}\n",
            cap.id,
            cap.whose.name(),
            cap.by,
            cap.max,
            cap.window_text,
            cap.counts.map_or("decision", OutcomeKind::name),
        )
    };
    format!("frequency_caps:\n{}", caps.iter().map(one).collect::<String>())
}
