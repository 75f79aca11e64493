//! Switches and overrides that are set beside a bundle: read, checked and judged as the rules of `kill_switches` and
//! `overrides` are, by the same code. Keeps none and reads no clock.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::bundle::{Bundle, Source, compile};
use super::codes;
use super::declare::Declared;
use super::declared::calendars::Calendars;
use super::declared::features::Catalog;
use super::declared::stores::StoreNames;
use super::finding::{Finding, Report};
use super::interval::{self, Interval};
use super::rules::{self, Categories, Known, Rule};
use super::syntax;
use crate::domain::{Malformed, RuleId, Timestamp};

/// Before the id of a switch in records: no rule of a bundle may begin so.
const PREFIX: &str = "proffer.";

/// Before the id of a switch while it is read.
const READ_PREFIX: &str = "switch.";

/// The longest id of a switch, in bytes: with what stands before it, it names a rule.
pub const SWITCH_ID_BYTES_MAX: usize = 48;

/// The longest text of a switch, in bytes.
const TEXT_BYTES_MAX: usize = 500;

/// Which list of a bundle it would stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SwitchKind {
    /// `kill_switches`.
    KillSwitch,
    /// `overrides`.
    Override,
}

impl SwitchKind {
    fn list(self) -> &'static str {
        match self {
            Self::KillSwitch => "kill_switches",
            Self::Override => "overrides",
        }
    }
}

/// A switch or an override as it is asked for, with the fields that it would have in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with the fields of a switch")]
pub struct SwitchSpec {
    /// Names it for ever: an id is used once.
    pub id: String,
    /// What it is.
    pub kind: SwitchKind,
    /// The justification, told with everything that it leaves out, puts in or pins.
    pub why: String,
    /// Who answers for it; whoever sets it unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Who approved it.
    pub approver: String,
    /// Where that is written down.
    pub ticket: String,
    /// `{from, until}` as in a bundle, at most 14 days; from now on unless `from` is given.
    pub effective: Map<String, Value>,
    /// `{placements, channels, regions}` as in a bundle; everywhere unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applies_to: Option<Value>,
    /// Of a kill switch: `{offers, categories, campaigns}`, or `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Value>,
    /// Of an override: `force_in`, `force_out` or `pin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Value>,
    /// Of an override: its offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offers: Option<Value>,
}

/// Something wrong with a switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchMistake {
    /// The field.
    pub pointer: String,
    /// Of the finding, as in files of a bundle; nothing where it is none.
    pub code: Option<&'static str>,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl SwitchSpec {
    /// The id of its rule, by which records name it.
    pub fn rule_id(&self) -> String {
        format!("{PREFIX}{READ_PREFIX}{}", self.id)
    }

    /// Fills in what whoever asks may leave out. What was filled in is the same when the same is asked for again.
    pub fn complete(&mut self, owner: &str, from: Timestamp) {
        self.owner.get_or_insert_with(|| owner.to_owned());
        self.effective.entry("from").or_insert_with(|| Value::String(from.to_string()));
    }

    /// When it holds, as its rule reads it.
    pub fn interval(&self) -> Option<Interval> {
        let file = [Source { path: String::new(), text: Value::Object(self.effective.clone()).to_string() }];
        let mut report = Report::new(&file);
        let root = syntax::parse(&mut report, 0, &file[0].text)?;
        interval::read(&mut report, "effective", &root)
    }

    /// The texts that are wrong whatever the bundle says.
    fn texts(&self) -> Vec<SwitchMistake> {
        let mut mistakes = Vec::new();
        let mut add = |pointer: &str, message: String| {
            mistakes.push(SwitchMistake { pointer: pointer.to_owned(), code: None, message });
        };
        let fits = (1..=SWITCH_ID_BYTES_MAX).contains(&self.id.len()) && RuleId::new(self.rule_id()).is_ok();
        if !fits {
            let shown: String = self.id.chars().take(80).collect();
            add(
                "/id",
                format!(
                    "`{shown}` is not the id of a switch: expected 1 to {SWITCH_ID_BYTES_MAX} letters, digits, `.`, \
                     `_`, `:` or `-`"
                ),
            );
        }
        let owner = self.owner.as_deref().unwrap_or("x");
        for (pointer, text) in
            [("/why", &*self.why), ("/approver", &*self.approver), ("/ticket", &*self.ticket), ("/owner", owner)]
        {
            let name = pointer.trim_start_matches('/');
            // The rule's own reader tells of an empty reason.
            if text.trim().is_empty() && name != "why" {
                add(pointer, format!("`{name}` is empty: who asks later finds nothing; say it"));
            } else if text.len() > TEXT_BYTES_MAX {
                add(pointer, format!("`{name}` has {} bytes: at most {TEXT_BYTES_MAX} are kept", text.len()));
            }
        }
        mistakes
    }

    /// Its fields in the order of the lines that it is read from.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let text = |text: &str| Value::String(text.to_owned()).to_string();
        let value = |value: &Option<Value>| value.as_ref().map(Value::to_string);
        let all = [
            ("id", Some(text(&format!("{READ_PREFIX}{}", self.id)))),
            ("why", Some(text(&self.why))),
            ("owner", self.owner.as_deref().map(text)),
            ("approver", Some(text(&self.approver))),
            ("ticket", Some(text(&self.ticket))),
            ("effective", Some(Value::Object(self.effective.clone()).to_string())),
            ("applies_to", value(&self.applies_to)),
            ("stop", value(&self.stop)),
            ("action", value(&self.action)),
            ("offers", value(&self.offers)),
        ];
        all.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
    }

    /// As a file of rules: a field on each line, from the second on.
    fn file(&self) -> Source {
        let mut text = format!("{}:", self.kind.list());
        for (at, (name, value)) in self.lines().into_iter().enumerate() {
            let before = if at == 0 { "- " } else { "  " };
            let _ = write!(text, "\n{before}{name}: {value}");
        }
        Source { path: format!("rules/{READ_PREFIX}{}.yaml", self.id), text }
    }

    /// What a finding in its file says, by field.
    fn mistake(&self, finding: &Finding) -> SwitchMistake {
        let lines = self.lines();
        let field = finding.line.checked_sub(2).and_then(|at| lines.get(at)).map(|(name, _)| *name);
        let pointer = match field {
            // What is missing, and what contradicts another one, is about the whole.
            Some(name) if ![codes::FIELD_MISSING, codes::OVERRIDE_CONTRADICTS].contains(&finding.code) => {
                format!("/{name}")
            }
            _ => String::new(),
        };
        // What only this reading knows is not told: files that nobody wrote, and ids with something before them.
        let told = finding.told();
        let told = told.split(&format!(" (`{READ_PREFIX}")).next().unwrap_or_default();
        let message =
            told.replace(&format!("rule `{READ_PREFIX}"), "switch `").replace(&format!("`{READ_PREFIX}"), "switch `");
        SwitchMistake { pointer, code: Some(finding.code), message }
    }

    /// Its rule, whatever a bundle declares: what names something that is not there stops nothing, and everything else
    /// of it holds.
    fn rule(&self, bundle: &Bundle) -> Result<Rule, Malformed> {
        let file = [self.file()];
        let mut report = Report::new(&file);
        let root = syntax::parse(&mut report, 0, &file[0].text);
        let (unknown, calendars, stores) = (Declared::unreadable(), Calendars::unreadable(), StoreNames::unreadable());
        let known = Known {
            specs: &bundle.purposes,
            purposes: &unknown,
            placements: &bundle.placements,
            placement_names: &unknown,
            categories: Categories::Unreadable,
            attributes: Catalog { specs: &bundle.attributes, declared: &unknown, calendars: &calendars },
            stores: &stores,
        };
        let (mut declared, mut read) = (Declared::default(), Vec::new());
        if let Some(root) = &root {
            rules::read(&mut report, root, known, &mut declared, &mut read);
        }
        let found = report.finish();
        match (read.pop(), found.first()) {
            (Some(rule), None) => {
                Ok(Rule { id: RuleId::new(self.rule_id())?, place: ("switches".to_owned(), 1), ..rule })
            }
            (_, finding) => {
                let why = finding.map(|finding| finding.message.clone()).unwrap_or_default();
                Err(Malformed(format!("switch `{}` cannot be read: {why}", self.id)))
            }
        }
    }

    /// Whether it may be set beside a bundle and the other switches in force; everything wrong with it if not. Gives
    /// the rule that it comes to.
    pub fn check(&self, bundle: &Bundle, others: &[Self]) -> Result<Rule, Vec<SwitchMistake>> {
        let mut mistakes = self.texts();
        if mistakes.iter().any(|mistake| mistake.pointer == "/id") {
            return Err(mistakes);
        }
        let own = self.file();
        let others = others.iter().filter(|other| other.id != self.id).map(Self::file);
        let files: Vec<Source> = bundle.sources.iter().cloned().chain(others).chain([own.clone()]).collect();
        let name = format!("`{READ_PREFIX}{}`", self.id);
        let concerns = |finding: &&Finding| {
            // What two contradict each other about is told where the second of them stands.
            finding.path == own.path || finding.code == codes::OVERRIDE_CONTRADICTS && finding.message.contains(&name)
        };
        if let Err(findings) = compile(&files) {
            mistakes.extend(findings.iter().filter(concerns).map(|finding| SwitchMistake {
                pointer: if finding.path == own.path { self.mistake(finding).pointer } else { String::new() },
                ..self.mistake(finding)
            }));
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let unread =
            |error: Malformed| vec![SwitchMistake { pointer: String::new(), code: None, message: error.to_string() }];
        self.rule(bundle).map_err(unread)
    }
}

impl Bundle {
    /// The bundle with the switches set beside it at a revision; its hash is that of its files.
    pub fn switched(&self, revision: u64, switches: &[SwitchSpec]) -> Result<Self, Malformed> {
        let rules: Result<Vec<Rule>, Malformed> = switches.iter().map(|spec| spec.rule(self)).collect();
        let all = self.rules.iter().cloned().chain(rules?).collect();
        Ok(self.with_rules(rules::sorted(all), revision))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::kinds::switches::Stop;
    use super::super::rules::RuleKind;
    use super::super::sample;
    use super::*;

    const NOW: &str = "2026-11-27T09:00:00Z";

    fn kill(id: &str, more: &Value) -> SwitchSpec {
        let mut spec = json!({
            "id": id, "kind": "kill_switch", "why": "Recall", "approver": "Jane Doe", "ticket": "OPS-7",
            "effective": {"until": "2026-11-29T09:00:00Z"}, "stop": {"offers": ["boots"]},
        });
        for (name, value) in more.as_object().unwrap() {
            spec[name] = value.clone();
        }
        let object = spec.as_object_mut().unwrap();
        object.retain(|_, value| !value.is_null());
        let mut spec: SwitchSpec = serde_json::from_value(spec).unwrap();
        spec.complete("anna", Timestamp::parse(NOW).unwrap());
        spec
    }

    fn over(id: &str, action: &str, offers: &Value) -> SwitchSpec {
        kill(id, &json!({"kind": "override", "stop": null, "action": action, "offers": offers}))
    }

    fn wrong(spec: &SwitchSpec, others: &[SwitchSpec]) -> String {
        let mistakes = spec.check(&sample::bundle(), others).unwrap_err();
        let told = mistakes.iter().map(|mistake| {
            let SwitchMistake { pointer, code, message } = mistake;
            let at = if pointer.is_empty() { "(all)" } else { pointer };
            format!("{at} {}: {message}", code.unwrap_or("-"))
        });
        told.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_switch_is_the_rule_that_it_would_be_in_a_bundle() {
        let rule = kill("recall-boots", &json!({})).check(&sample::bundle(), &[]).unwrap();
        assert_eq!((rule.id.as_str(), rule.why.as_str()), ("proffer.switch.recall-boots", "Recall"));
        assert_eq!((rule.owner.as_str(), rule.overridable, rule.blocks()), ("anna", false, true));
        let holds = |text: &str| rule.effective.holds(Timestamp::parse(text).unwrap());
        let instants = ["2026-11-27T08:59:59Z", NOW, "2026-11-29T08:59:59Z", "2026-11-29T09:00:00Z"];
        assert_eq!(instants.map(holds), [false, true, true, false]);
        let RuleKind::KillSwitch(switch) = &rule.kind else { panic!("{rule:?}") };
        assert_eq!(switch.approval.to_string(), "approved by Jane Doe, ticket OPS-7");
        let all = kill("all", &json!({"stop": "all"})).check(&sample::bundle(), &[]).unwrap();
        assert!(matches!(&all.kind, RuleKind::KillSwitch(switch) if switch.stop == Stop::All));
    }

    #[test]
    fn everything_wrong_with_a_switch_is_told_with_its_field_and_code() {
        insta::assert_snapshot!(wrong(&kill("a b", &json!({})), &[]), @"
        /id -: `a b` is not the id of a switch: expected 1 to 48 letters, digits, `.`, `_`, `:` or `-`
        ");
        insta::assert_snapshot!(wrong(&kill("x", &json!({"why": " ", "ticket": ""})), &[]), @"
        /ticket -: `ticket` is empty: who asks later finds nothing; say it
        /why P0114: switch `x`: `why` is empty; say who asked for the rule and where that is written down: it is logged with every exclusion
        ");
        insta::assert_snapshot!(wrong(&kill("x", &json!({"stop": null})), &[]), @"
        (all) P0102: switch `x`: field `stop` is missing; add it, such as `stop: {offers: [boots]}`
        ");
        insta::assert_snapshot!(wrong(&kill("x", &json!({"stop": {}})), &[]), @"
        /stop P0262: switch `x`: stop: it is not said what is stopped; write `stop: {offers: [...], categories: [...], campaigns: [...]}`, or `stop: all`
        ");
        insta::assert_snapshot!(wrong(&kill("x", &json!({"stop": {"category": ["shoes"]}})), &[]), @"
        /stop P0101: switch `x`: stop: unknown field `category`; did you mean `categories`? the fields here are `offers`, `categories`, `campaigns`
        ");
        insta::assert_snapshot!(wrong(&kill("x", &json!({"stop": {"categories": ["shoos"]}})), &[]), @"
        /stop P0110: switch `x`: stop: unknown category `shoos`; did you mean `shoes`? categories are the names of `offer.category` in catalog/attributes.yaml: add it there, or correct it here
        ");
        insta::assert_snapshot!(wrong(&kill("x", &json!({"applies_to": {"placements": ["hom"]}})), &[]), @"
        /applies_to P0108: switch `x`: applies_to: unknown placement `hom`; declare it there, or name one of `home_banner`, `home_banner_linucb`, `home_banner_uniform`
        ");
        insta::assert_snapshot!(wrong(&kill("x", &json!({"applies_to": {"offers": ["boots"]}})), &[]), @"
        /applies_to P0264: switch `x`: applies_to: which offers it is about stands beside `applies_to`; `applies_to` says where: `placements`, `channels`, `regions`; the rule itself says of what
        ");
        insta::assert_snapshot!(wrong(&kill("x", &json!({"effective": {"until": "2026-12-12T09:00:01Z"}})), &[]), @"
        /effective P0261: switch `x`: it holds for more than 14 days; what acts at once passes: say when it begins and when it ends, at most 14 days later; what is to stay is a rule of another list
        ");
        insta::assert_snapshot!(wrong(&kill("x", &json!({"effective": {}})), &[]), @"
        /effective P0261: switch `x`: both `from` and `until` are needed; what acts at once passes: say when it begins and when it ends, at most 14 days later; what is to stay is a rule of another list
        ");
        insta::assert_snapshot!(wrong(&kill("x", &json!({"effective": {"until": "tomorrow"}})), &[]), @"
        /effective P0104: switch `x`: effective: `tomorrow` is neither a date nor an instant; expected `2026-11-01` or `2026-11-01T09:30:00Z`
        ");
        insta::assert_snapshot!(wrong(&kill("x", &json!({"action": "pin"})), &[]), @"
        /action P0101: switch `x`: unknown field `action`; the fields here are `id`, `why`, `owner`, `applies_to`, `effective`, `severity`, `on_missing`, `overridable`, `stop`, `approver`, `ticket`
        ");
        insta::assert_snapshot!(wrong(&over("x", "stop", &json!(["boots"])), &[]), @"
        /action P0106: switch `x`: unknown action `stop`; expected one of `force_in`, `force_out`, `pin`
        ");
        insta::assert_snapshot!(wrong(&over("x", "pin", &json!([])), &[]), @"
        /offers P0116: switch `x`: an empty list; it names nothing; leave the list out, or name something
        ");
    }

    #[test]
    fn an_override_that_contradicts_another_one_in_force_is_refused_whichever_comes_first() {
        for (own, other) in [("a", "b"), ("b", "a")] {
            let others = [over(other, "force_in", &json!(["boots", "tent"]))];
            let told = wrong(&over(own, "force_out", &json!(["boots"])), &others);
            assert!(told.contains("[P0263]") || told.contains("P0263: "), "{told}");
            assert!(told.contains("of `boots`"), "{told}");
            // Asked for again it is itself, and not another one.
            assert!(others[0].check(&sample::bundle(), &others).is_ok());
            assert!(over(own, "force_out", &json!(["socks"])).check(&sample::bundle(), &others).is_ok());
        }
    }

    #[test]
    fn a_bundle_with_switches_keeps_its_hash_and_its_rules_and_says_which_switches() {
        let bundle = sample::bundle();
        let switches = [kill("recall", &json!({})), over("launch", "pin", &json!(["tent"]))];
        let switched = bundle.switched(7, &switches).unwrap();
        assert_eq!((switched.hash, switched.switches, bundle.switches), (bundle.hash, Some(7), None));
        assert_eq!((switched.cap_set, switched.counted), (bundle.cap_set, bundle.counted));
        let ids = |bundle: &Bundle| bundle.rules.iter().map(|rule| rule.id.to_string()).collect::<Vec<_>>();
        let own: Vec<String> = ids(&switched).into_iter().filter(|id| !id.starts_with("proffer.switch.")).collect();
        assert_eq!((own, ids(&switched).len()), (ids(&bundle), bundle.rules.len() + 2));
        // The order means nothing, and one that names what is no longer there holds for the rest.
        assert_eq!(bundle.switched(7, &[switches[1].clone(), switches[0].clone()]).unwrap(), switched);
        let gone = kill(
            "gone",
            &json!({"stop": {"categories": ["gone"], "offers": ["boots"]},
            "applies_to": {"placements": ["gone", "home_banner"], "channels": ["gone"]}}),
        );
        assert!(gone.check(&bundle, &[]).is_err());
        assert!(bundle.switched(8, &[gone]).is_ok());
    }

    #[test]
    fn a_text_cannot_become_a_field() {
        let text = "Recall\"\n  severity: shadow\n  overridable: true # \t \u{7f}\u{2028}";
        let rule = kill("x", &json!({"why": text})).check(&sample::bundle(), &[]);
        assert!(rule.is_err() || rule.is_ok_and(|rule| rule.blocks() && !rule.overridable && rule.why == text.trim()));
        let again: SwitchSpec = serde_json::from_str(&serde_json::to_string(&kill("x", &json!({}))).unwrap()).unwrap();
        assert_eq!(again, kill("x", &json!({})));
    }
}
