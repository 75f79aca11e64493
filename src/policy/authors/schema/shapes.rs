//! What each field of a file holds, in a JSON Schema with a sentence that editors show. Lists no file's fields.
//!
//! Values are told by their type and by examples, and by names only where the readers' own tables give them: a schema
//! that knew less than the reader would call right things wrong.

use serde_json::{Value, json};

use super::object;
use crate::domain::outcome::OutcomeKind;
use crate::domain::{Basis, Prior, Strategy};
use crate::policy::declared::{attributes, contenders, placements};
use crate::policy::kinds::cool_downs;
use crate::policy::rules::Severity;
use crate::policy::{applies, interval};

/// A list of rules with the sentence that the page for authors has of it.
pub(super) fn described(list: &str, mut schema: Value) -> Value {
    let page = include_str!("../../../docs/policies.md");
    let row = page.lines().find_map(|line| line.strip_prefix(&format!("| `{list}` | "))?.strip_suffix(" |"));
    if let Some(row) = row {
        schema["description"] = json!(format!("Each leaves an offer out {row}."));
    }
    schema
}

/// Any value written without brackets.
/// The fields of the window of a cap.
const WINDOW: [&str; 4] = ["rolling", "calendar", "time_zone", "week_starts"];

fn scalar(about: &str, examples: &[&str]) -> Value {
    json!({"type": ["string", "number"], "description": about, "examples": examples})
}

fn text(about: &str) -> Value {
    json!({"type": "string", "minLength": 1, "description": about})
}

fn flag(about: &str) -> Value {
    json!({"type": "boolean", "description": about})
}

fn names(about: &str, examples: &[&str]) -> Value {
    json!({"type": "array", "minItems": 1, "items": {"type": ["string", "number"]}, "description": about,
        "examples": [examples]})
}

fn whole(about: &str, least: u32) -> Value {
    json!({"type": "integer", "minimum": least, "description": about})
}

fn share(about: &str) -> Value {
    json!({"type": "string", "description": about, "examples": ["10%"]})
}

fn span(about: &str) -> Value {
    json!({"type": "string", "description": about, "examples": ["24h", "7d"]})
}

fn choice(about: &str, names: &[&str]) -> Value {
    json!({"enum": names, "description": about})
}

fn any(about: &str) -> Value {
    json!({"description": about})
}

/// A mapping whose fields have rows of their own.
fn deeper(about: &str, of: &str, fields: &[&str], required: &[&str]) -> Value {
    let mut schema = object(of, fields, required);
    schema["description"] = json!(about);
    schema
}

fn list_of(about: &str, item: &Value) -> Value {
    json!({"type": "array", "items": item, "description": about})
}

/// What a field holds; nothing where it has no row. `of` is the list or the mapping it stands in.
pub(super) fn shape(of: &str, field: &str) -> Option<Value> {
    common(of, field).or_else(|| declared(of, field)).or_else(|| of_rule(of, field)).or_else(|| of_test(of, field))
}

/// Fields of the same meaning wherever they stand.
fn common(of: &str, field: &str) -> Option<Value> {
    Some(match (of, field) {
        (_, "id") => scalar("Its name, unique in the bundle.", &["margin.floor.default"]),
        ("bundle", "name") => text("The name of the bundle, for people."),
        ("bundle", "schema") => choice_of_numbers(),
        ("strategy", "name") => choice("Which strategy.", &Strategy::NAMES),
        (_, "name") => text("What it is called, in a few words."),
        (_, "why") => text("Who asked for it and where that is written down; logged with every exclusion."),
        (_, "owner") => text("Who answers for it."),
        (_, "time_zone") => text("An IANA time zone such as `Europe/Berlin`, or `customer` where that is allowed."),
        (_, "channels") => names("Channels of placements.", &["web", "email"]),
        (_, "regions") => names("Jurisdictions: `EU`, a country or a region of one.", &["US-NY"]),
        (_, "placements") => names("Ids of placements.", &["home_banner"]),
        (_, "categories") => names("Names of `offer.category`.", &["shoes"]),
        ("delay", "offers") => list_of("Offers with a curve of their own.", &any("`{offers: [...], steps: [...]}`")),
        (_, "offers") => names("Ids of offers.", &["free-shipping"]),
        (_, "applies_to") => deeper("Where the rule applies; a list left out allows any.", of, &applies::FIELDS, &[]),
        (_, "effective") => deeper("When the rule holds; always, if left out.", "interval", &interval::FIELDS, &[]),
        (_, "dates") => deeper("When the offer may be shown.", "interval", &interval::FIELDS, &[]),
        ("interval", "from") => text("The first day, or an instant such as `2026-11-27T09:00:00Z`."),
        ("interval", "until") => text("The last day, or the first instant that no longer belongs."),
        (_, "severity") => {
            choice("What becomes of an offer that it speaks against.", &Severity::ALL.map(|(name, _)| name))
        }
        (_, "on_missing") => choice("What becomes of an offer where something is missing.", &["exclude", "allow"]),
        (_, "overridable") => flag("Whether an override may lift it."),
        _ => return None,
    })
}

fn choice_of_numbers() -> Value {
    json!({"const": 1, "description": "The version of the language."})
}

/// Fields of declarations and placements.
fn declared(of: &str, field: &str) -> Option<Value> {
    let strategy: Vec<&str> = contenders::settings().into_iter().chain(["half_life"]).collect();
    let bases = Basis::ALL.map(|(_, name)| name);
    Some(match (of, field) {
        ("attributes", "type") => json!({
            "description": "What values it takes.",
            "anyOf": [
                {"enum": ["number", "bool", "date", "text"]},
                deeper("One of these names.", "type", &["enum"], &["enum"]),
                deeper("A number, and how features scale it.", "type", &["number"], &["number"]),
            ],
        }),
        ("type", "enum") => names("The names it may have.", &["bronze", "silver", "gold"]),
        ("type", "number") => deeper("Features use `(value - mean) / scale`.", "number", &["mean", "scale"], &[]),
        ("number", _) => json!({"type": "number"}),
        (_, "class") => choice("How carefully it is handled.", &attributes::CLASSES.map(|(name, _)| name)),
        (_, "source") => text("The system it comes from."),
        (_, "time_to_live") => span("How long a value may be kept."),
        (_, "dpv") => text("Its name in the W3C Data Privacy Vocabulary."),
        ("purposes", "bases") => json!({"type": "object", "description": "Lawful bases by jurisdiction.",
            "additionalProperties": {"type": "array", "items": {"enum": bases}}}),
        ("purposes", "fallback") => text("The purpose decided under when this one is refused."),
        ("calendars", "days") => names("Days such as `2026-11-27`, or `12-24` of every year.", &["12-24"]),
        ("stores", "region") => text("The jurisdiction it lies in, such as `US-NY`."),
        ("purposes", "gpc") => text("What becomes of it where Global Privacy Control is on: `ignore` or `refuse`."),
        (_, "obeys_caps") => flag("Whether caps leave offers out here."),
        (_, "counts_toward_caps") => flag("Whether what is shown here counts for caps."),
        (_, "channel") => text("Such as `web` or `email`."),
        (_, "purpose") => text("A purpose of catalog/purposes.yaml."),
        (_, "currency") => text("An ISO 4217 code such as `USD`."),
        (_, "slots") => whole("The most offers of one answer.", 1),
        (_, "nothing_allowed") => flag("Whether showing nothing may be the best."),
        (_, "objective") => deeper(
            "What is learned to maximise.",
            "objective",
            &placements::OBJECTIVE,
            &["kind", "window", "reward_cap"],
        ),
        ("objective", "kind") => text("`margin`, `conversion` or `click`."),
        ("objective", "window") => span("Until when after a decision its orders or clicks count."),
        ("objective", "reward_cap") => scalar("The most that one order counts for.", &["200.00"]),
        ("objective", "value") => text("Where the value of an order comes from: `catalogue` or `learned`."),
        ("objective", "value_orders") => whole("As many orders the margin of the catalogue counts for.", 1),
        (_, "exposure") => text("What counts as shown: `decision` or `impression`."),
        (_, "delay") => {
            deeper("How late orders come.", "delay", &["version", "steps", "offers"], &["version", "steps"])
        }
        ("delay", "version") => whole("Another number for another curve.", 1),
        ("delay", "steps") => list_of("What has come by which age.", &any("`{age: 10m, share: 31%}`")),
        (_, "reservation") => span("How long a chosen offer counts for caps before its impression."),
        (_, "strategy") => deeper("How the offer is chosen among those allowed.", "strategy", &strategy, &["name"]),
        (_, "exploration") => json!({"type": "number", "minimum": 0, "maximum": 1,
            "description": "The share of decisions of which every eligible offer gets an equal part."}),
        (_, "prior") => choice("What a new variant begins with.", &Prior::NAMES),
        (_, "half_life") => span("What is learned counts half after so long."),
        ("strategy", _) => json!({"type": "number", "description": "A setting of the strategy."}),
        (_, "challengers") => {
            let item = object("challenger", &["id", "share", "strategy"], &["id", "share", "strategy"]);
            list_of("Strategies tried on a share of the customers.", &item)
        }
        (_, "share") => share("A share of the customers."),
        (_, "features") => json!({"type": "array", "items": {"type": "string"},
            "description": "What the choice may depend on: attributes, the clock, products of two."}),
        (_, "holdout") => share("The share of customers who always see the fallback."),
        ("placements", "fallback") => {
            deeper("Shown where nothing else may be.", "fallback", &["offer", "variant"], &["offer", "variant"])
        }
        ("fallback", _) => scalar("An id of the catalogue.", &["house-welcome"]),
        (_, "cheapest") => deeper("The cheapest offer that is good enough.", "cheapest", &["share"], &["share"]),
        (_, "exploration_budget") => scalar("What exploring may cost a day.", &["50.00"]),
        _ => return None,
    })
}

/// Fields of single kinds of rules. Whoever adds a kind adds its fields here.
fn of_rule(of: &str, field: &str) -> Option<Value> {
    let events = cool_downs::EVENTS.map(OutcomeKind::name);
    Some(match (of, field) {
        (_, "when") => text("A condition such as `customer.tier == \"bronze\" && offer.loyalty_only`."),
        (_, "min_margin") => scalar("The least contribution margin.", &["10%", "2.00 USD"]),
        ("purpose_gates", "bases") => names("Lawful bases that open it.", &["consent"]),
        (_, "channel_opt_in") => flag("Whether the consent has to name the channel."),
        (_, "consent_age") => span("How old a consent may be."),
        ("attributes", "derived_from") => names("The attributes it is computed from.", &["customer.birth_year"]),
        ("category_exclusions", "kind") => text("Why: `sensitive`, `competitor` or `regulated`."),
        (_, "brands") => names("Values of `offer.brand`.", &["acme"]),
        ("fairness_gates", "interval") => any("How sure the measure has to be."),
        (_, "check") => text("What is alike."),
        (_, "metric") => text("What is measured."),
        (_, "min_ratio") => any("The least ratio between groups."),
        (_, "min_group_size") => whole("The smallest group that is measured.", 1),
        (_, "action") => text("What it does with the offers."),
        (_, "approver") => text("Who approved it."),
        (_, "ticket") => scalar("Where that is written down.", &["OPS-12"]),
        (_, "stop") => any("What it stops: `all`, or `{offers, categories, campaigns}`."),
        (_, "over") => text("Of what it is the margin: `offer`, `answer` or `basket`."),
        (_, "audience") => text("Who is meant, such as `minors`."),
        (_, "attribute") => text("The attribute that tells who is meant."),
        (_, "respect") => text("`advertised_price_min` or `prior_price`."),
        (_, "min_price") => scalar("The least price.", &["5.00 USD"]),
        (_, "max_discount") => scalar("The largest discount.", &["50%", "5.00 USD"]),
        (_, "allowed") => names("Attributes that may move a price.", &["customer.tier"]),
        (_, "same_as") => text("The attribute of offers that names their product."),
        (_, "max_spread") => share("How far prices of one product may lie apart."),
        (_, "disclosure") => text("What is said beside a personalised price."),
        (_, "banned_in") => names("Jurisdictions where no price may be personalised.", &["US-NY"]),
        (_, "amount") => scalar("How much may be spent.", &["500.00 USD"]),
        (_, "units") => whole("How many may be given out.", 0),
        (_, "by") => any("What is counted apart."),
        (_, "pace") => text("How it is spent over its window."),
        (_, "scope") => names("What is counted apart.", &["customer", "offer"]),
        (_, "max") => whole("The most contacts in a window.", 1),
        (_, "window") => json!({
            "description": "Since when contacts count.",
            "anyOf": [
                {"type": "string", "examples": ["lifetime"]},
                deeper("So long, or since a period began.", "window", &WINDOW, &[]),
            ],
        }),
        ("window", "rolling") => span("So long."),
        ("window", "week_starts") => text("The day that a week begins with."),
        ("window", "calendar") => text("`day`, `week` or `month`."),
        (_, "counts") => text("What makes a contact count: `decision` or `impression`."),
        (_, "without_identifier") => text("What becomes of an offer where nobody is known: `exclude` or `allow`."),
        (_, "dayparts") => list_of(
            "Parts of the day and of the week.",
            &deeper("From, until, on which days.", "daypart", &["days", "from", "until"], &[]),
        ),
        ("daypart", "days") => names("Days of the week.", &["mon", "fri"]),
        ("daypart", _) => scalar("A time of day.", &["17:00"]),
        (_, "stores") => names("Ids of stores.", &["s-12"]),
        (_, "group") => deeper("Offers of one group.", "group", &["offers", "categories"], &[]),
        (_, "at_most") => whole("The most in one answer.", 1),
        (_, "exclusive_pairs") => list_of("Of each pair one at most.", &names("Two offers.", &["a", "b"])),
        (_, "per") => text("`category`, `campaign`, or an attribute of offers."),
        (_, "tier" | "points" | "member_for") => any("What a customer needs: a value, or `{attribute, at_least}`."),
        (_, "after") => deeper("What starts it.", "after", &["event", "times", "within", "unless"], &["event"]),
        ("after", "event") => json!({"type": "string", "description": "What happened.", "examples": events}),
        ("after", "times") => whole("How often.", 1),
        ("after", "unless") => text("What undoes it."),
        ("after", "within") => span("Within what span."),
        (_, "suppress_for") => span("How long nothing of it is shown."),
        _ => return None,
    })
}

/// Fields of cases and fixtures.
fn of_test(of: &str, field: &str) -> Option<Value> {
    Some(match (of, field) {
        (_, "like") => text("Another one that it is like, but for what is written here."),
        (_, "expect") => json!({"type": "object", "description": "For each offer exactly the rules that leave it out.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}}}),
        (_, "notes") => any("For each offer the rules that speak against it and let it be."),
        (_, "refused_by") => json!({"type": "array", "items": {"type": "string"},
            "description": "The gates that refuse the purpose of the placement."}),
        (_, "placement") => text("Where a decision is asked for."),
        (_, "at") => text("When, such as `2026-03-02 12:00`."),
        (_, "jurisdiction") => text("From where the request comes, such as `US-NY`."),
        (_, "store") => scalar("The store asked in.", &["s-12"]),
        (_, "customer") => any("A customer of the fixtures, one written out, or `nobody`."),
        (_, "consents") => any("What was consented to and refused, by purpose."),
        (_, "gpc") => flag("Whether Global Privacy Control is on."),
        (_, "gone") => any("What was spent or given out before."),
        (_, "history" | "basket" | "behind") => json!({"type": "array"}),
        ("offers" | "campaigns", _) => any("As in the catalogue."),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::shape;
    use crate::policy::rules::{FIELDS, KINDS};

    #[test]
    fn every_field_of_every_kind_of_rule_has_a_row() {
        for kind in &KINDS {
            for field in FIELDS.iter().chain(kind.fields) {
                assert!(shape(kind.list, field).is_some(), "add a row for `{field}` of `{}` to `of_rule`", kind.list);
            }
        }
    }
}
