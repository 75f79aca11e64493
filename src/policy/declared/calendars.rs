//! Calendars of a shop: from `catalog/calendars.yaml` to days that features read. Knows no clock and no country.

use std::collections::BTreeMap;

use crate::domain::{Calendar, Holidays, Malformed, Marked};
use crate::policy::codes;
use crate::policy::declare::{self, Declared};
use crate::policy::finding::{Place, Report};
use crate::policy::read;
use crate::policy::suggest::did_you_mean;
use crate::policy::syntax::Node;

/// Where they stand.
pub(in crate::policy) const CALENDARS: &str = "catalog/calendars.yaml";

/// How the names of features that read them begin.
pub(in crate::policy) const PREFIX: &str = "holiday.";

/// The calendars of a bundle.
#[derive(Debug, Clone, Default)]
pub(in crate::policy) struct Calendars {
    read: BTreeMap<String, Holidays>,
    declared: Declared,
}

impl Calendars {
    /// Those of a file that cannot be read.
    pub(in crate::policy) fn unreadable() -> Self {
        Self { declared: Declared::unreadable(), ..Self::default() }
    }

    /// The one that a feature names, `holiday.` included.
    pub(in crate::policy) fn of(&self, name: &str) -> Option<Holidays> {
        self.read.get(name.strip_prefix(PREFIX)?).cloned()
    }

    /// Says of a feature that it names no calendar; nothing where the one it names could not be read.
    pub(in crate::policy) fn unknown(&self, report: &mut Report<'_>, what: &str, place: Place, name: &str) {
        let id = name.strip_prefix(PREFIX).unwrap_or(name);
        if self.declared.lacks(id) {
            let of_countries = Holidays::ALL.into_iter().filter_map(|(name, _)| name.strip_prefix(PREFIX));
            let meant = did_you_mean(id, self.declared.names().chain(of_countries));
            report
                .add(
                    codes::CALENDAR_UNKNOWN,
                    place,
                    format!("{what}: unknown calendar `{id}`{meant}"),
                    format!("not in {CALENDARS}"),
                )
                .with_help(format!("declare it there, such as `{{id: {id}, days: [2026-11-27, 12-24]}}`"));
        }
    }
}

/// The fields of a calendar.
pub(in crate::policy) const FIELDS: [&str; 2] = ["id", "days"];

/// Reads `catalog/calendars.yaml`.
pub(in crate::policy) fn read(report: &mut Report<'_>, root: &Node) -> Calendars {
    let mut calendars = Calendars::default();
    for item in declare::items(report, root, "calendars", "calendars: [...]", &mut calendars.declared) {
        let Some(fields) = declare::item(report, "calendar", item, &FIELDS, &mut calendars.declared) else {
            continue;
        };
        let id = ("calendar", "a name such as `sales`", "id: sales");
        let id = declare::declare(report, &fields, id, name, &mut calendars.declared);
        let days = fields.need(report, "days", "days: [2026-11-27, 12-24]").and_then(|node| {
            let what = format!("{}: days", fields.what);
            read::list_of(report, &what, node, "name a day at least, or leave the calendar out", |report, node| {
                read::parsed(report, &what, node, "a day such as `2026-11-27`, or `12-24` of every year", day)
            })
        });
        if let (Some(id), Some(days)) = (id, days) {
            let calendar = Calendar { name: format!("{PREFIX}{id}"), days: days.into() };
            calendars.read.insert(id, Holidays::Own(calendar));
        }
    }
    calendars
}

fn name(text: &str) -> Result<String, Malformed> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b));
    if !fits {
        return Err(Malformed(format!(
            "`{text}` is not a calendar: expected 1 to 64 small letters, digits, `_` or `-`"
        )));
    }
    if Holidays::ALL.into_iter().any(|(name, _)| name.strip_prefix(PREFIX) == Some(text)) {
        return Err(Malformed(format!("`{text}` is the calendar of a country, which is there already")));
    }
    Ok(text.to_owned())
}

/// `2026-11-27` is that day, `12-24` that of every year.
fn day(text: &str) -> Result<Marked, Malformed> {
    let wrong = || Malformed(format!("`{text}` is no day of the calendar"));
    let digits = |from: usize, until: usize| -> Option<u32> {
        let part = text.get(from..until)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let dashes = |at: &[usize]| at.iter().all(|at| text.as_bytes().get(*at) == Some(&b'-'));
    match text.len() {
        10 if dashes(&[4, 7]) => {
            let year = digits(0, 4).and_then(|year| i32::try_from(year).ok()).ok_or_else(wrong)?;
            let (month, day) = digits(5, 7).zip(digits(8, 10)).ok_or_else(wrong)?;
            chrono::NaiveDate::from_ymd_opt(year, month, day).map(Marked::Once).ok_or_else(wrong)
        }
        5 if dashes(&[2]) => {
            let (month, day) = digits(0, 2).zip(digits(3, 5)).ok_or_else(wrong)?;
            // Of a leap year, which has all days that any year has.
            let known = chrono::NaiveDate::from_ymd_opt(2024, month, day);
            known.map(|_| Marked::Yearly(month, day)).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::CALENDARS;
    use crate::domain::Timestamp;
    use crate::domain::placement::Encoder;
    use crate::policy::sample::{PLACEMENTS, files, shown};
    use crate::policy::{Source, compile};

    const DECLARED: &str = "calendars:\n  - {id: sales, days: [2026-11-27, 12-24]}\n";

    /// The sample bundle with calendars and one more feature.
    fn bundle(calendars: &str, feature: &str) -> Vec<Source> {
        let mut files = files();
        files.push(Source { path: CALENDARS.into(), text: calendars.into() });
        let file = files.iter_mut().find(|file| file.path == PLACEMENTS).unwrap();
        file.text = file.text.replacen("features: [", &format!("features: [{feature}, "), 1);
        files
    }

    fn said(calendars: &str, feature: &str) -> String {
        shown(&compile(&bundle(calendars, feature)).expect_err("it compiled"))
    }

    #[test]
    fn a_calendar_is_a_feature_by_its_name_and_its_days_are_no_part_of_the_model() {
        let placement = |calendars: &str| {
            let bundle =
                compile(&bundle(calendars, "holiday.sales")).unwrap_or_else(|found| panic!("{}", shown(&found)));
            bundle.placement("home_banner").unwrap().clone()
        };
        let declared = placement(DECLARED);
        let Encoder::Holiday(sales) = &declared.features[0].atoms[0].encoder else { panic!("a calendar") };
        let on = |day: &str| sales.contains(Timestamp::parse(&format!("{day}T12:00:00Z")).unwrap().day());
        assert_eq!(["2026-11-27", "2027-11-27", "2027-12-24"].map(on), [true, false, true]);
        assert_eq!(sales.name(), "holiday.sales");
        let next_year = placement(&DECLARED.replace("2026-11-27", "2027-11-26"));
        assert_ne!(next_year.features, declared.features);
        assert_eq!(next_year.model_id(), declared.model_id());
        let other = placement("calendars: [{id: sales, days: [12-24]}, {id: fairs, days: [05-01]}]\n");
        assert_eq!(other.model_id(), declared.model_id());
    }

    #[test]
    fn mistakes_in_calendars_are_told_by_place_and_value() {
        let twice = "calendars:\n  - {id: sales, days: [2026-02-29, 11-31, 27.11., 12-24, 12-24]}\n";
        insta::assert_snapshot!(said(twice, "weekend"), @r"
        error[P0104]: calendar `sales`: days: `2026-02-29` is no day of the calendar
         --> catalog/calendars.yaml:2:24
          |
        2 |   - {id: sales, days: [2026-02-29, 11-31, 27.11., 12-24, 12-24]}
          |                        ^^^^^^^^^^ expected a day such as `2026-11-27`, or `12-24` of every year

        error[P0104]: calendar `sales`: days: `11-31` is no day of the calendar
         --> catalog/calendars.yaml:2:36
          |
        2 |   - {id: sales, days: [2026-02-29, 11-31, 27.11., 12-24, 12-24]}
          |                                    ^^^^^ expected a day such as `2026-11-27`, or `12-24` of every year

        error[P0104]: calendar `sales`: days: `27.11.` is no day of the calendar
         --> catalog/calendars.yaml:2:43
          |
        2 |   - {id: sales, days: [2026-02-29, 11-31, 27.11., 12-24, 12-24]}
          |                                           ^^^^^^ expected a day such as `2026-11-27`, or `12-24` of every year

        error[P0117]: calendar `sales`: days: `12-24` appears twice in the list
         --> catalog/calendars.yaml:2:58
          |
        2 |   - {id: sales, days: [2026-02-29, 11-31, 27.11., 12-24, 12-24]}
          |                                                          ^^^^^ again
          = help: keep one of them
        ");
        let ids = "calendars:\n  - {id: us, days: [12-24]}\n  - {id: Sales, days: []}\n  - {id: fairs}\n";
        insta::assert_snapshot!(said(ids, "weekend"), @r"
        error[P0104]: calendar `us`: `us` is the calendar of a country, which is there already
         --> catalog/calendars.yaml:2:10
          |
        2 |   - {id: us, days: [12-24]}
          |          ^^ expected a name such as `sales`

        error[P0104]: calendar `Sales`: `Sales` is not a calendar
         --> catalog/calendars.yaml:3:10
          |
        3 |   - {id: Sales, days: []}
          |          ^^^^^ expected a name such as `sales`
          = help: expected 1 to 64 small letters, digits, `_` or `-`

        error[P0116]: calendar `Sales`: days: an empty list
         --> catalog/calendars.yaml:3:23
          |
        3 |   - {id: Sales, days: []}
          |                       ^ nothing in it
          = help: name a day at least, or leave the calendar out

        error[P0102]: calendar `fairs`: field `days` is missing
         --> catalog/calendars.yaml:4:6
          |
        4 |   - {id: fairs}
          |      ^^ no `days` here
          = help: add it, such as `days: [2026-11-27, 12-24]`
        ");
        insta::assert_snapshot!(said(DECLARED, "holiday.sale"), @r"
        error[P0119]: placement `home_banner`: unknown calendar `sale`; did you mean `sales`?
          --> placements.yaml:10:16
           |
        10 |     features: [holiday.sale, customer.tier, customer.region, customer.visits_90d, context.device_type]
           |                ^^^^^^^^^^^^ not in catalog/calendars.yaml
           = help: declare it there, such as `{id: sale, days: [2026-11-27, 12-24]}`
        ");
    }
}
