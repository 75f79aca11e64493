//! Jurisdictions: which lawful bases a purpose allows where. Judges no consent.

use std::collections::BTreeMap;

use crate::domain::{Basis, Malformed};

/// Countries where a rule for `EU` holds: the 27 members, and Iceland, Liechtenstein and Norway by the EEA agreement.
const EEA: [&str; 30] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT",
    "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// Accepts `EU`, a country code such as `US`, or one with a region such as `US-NY`.
pub fn check(text: &str) -> Result<String, Malformed> {
    let (country, region) = text.split_once('-').map_or((text, None), |(country, region)| (country, Some(region)));
    let country_fits = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
    let region_fits = region.is_none_or(|region| {
        (1..=3).contains(&region.len()) && region.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    });
    if country_fits && region_fits {
        return Ok(text.to_owned());
    }
    Err(Malformed::new(format!(
        "`{text}` is not a jurisdiction: expected `EU`, a country such as `US` or a region such as `US-NY`"
    )))
}

/// The bases allowed in a jurisdiction: its own entry, else its country's, else that of the EU for the EU and the EEA.
/// Where it is absent or unknown, only the bases that every listed jurisdiction allows.
pub(in crate::policy) fn bases(listed: &BTreeMap<String, Vec<Basis>>, jurisdiction: Option<&str>) -> Vec<Basis> {
    let named = jurisdiction.map(str::to_ascii_uppercase).and_then(|exact| {
        let country = exact.split('-').next().unwrap_or_default();
        let union = || EEA.contains(&country).then(|| listed.get("EU")).flatten();
        listed.get(&exact).or_else(|| listed.get(country)).or_else(union).cloned()
    });
    named.unwrap_or_else(|| {
        let everywhere = |basis: &Basis| listed.values().all(|allowed| allowed.contains(basis));
        listed.values().next().into_iter().flatten().filter(|basis| everywhere(basis)).copied().collect()
    })
}

/// Whether a region named in a rule covers the jurisdiction of a request: `US` covers `US-NY`, `EU` its members and the
/// EEA. Nothing where the request says too little: `US` may or may not lie in `US-NY`.
fn covers(named: &str, asked: &str) -> Option<bool> {
    let asked = asked.to_ascii_uppercase();
    let country = |text: &str| text.split('-').next().unwrap_or_default().to_owned();
    let of = country(&asked);
    if named == asked || named == of || named == "EU" && EEA.contains(&of.as_str()) {
        return Some(true);
    }
    let wider = asked == country(named) || asked == "EU" && EEA.contains(&country(named).as_str());
    (!wider).then_some(false)
}

/// Whether one of the regions named covers the jurisdiction of a request; nothing where that is not known.
pub(in crate::policy) fn covered(named: &[String], asked: Option<&str>) -> Option<bool> {
    let mut found = Some(false);
    for region in named {
        match covers(region, asked?) {
            Some(true) => return Some(true),
            None => found = None,
            Some(false) => {}
        }
    }
    found
}

/// Whether a request may come from a region of both lists.
pub(in crate::policy) fn meet(a: &[String], b: &[String]) -> bool {
    a.iter().any(|a| b.iter().any(|b| covers(a, b) != Some(false)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_jurisdiction_counts_and_an_unknown_one_allows_only_what_all_allow() {
        use Basis::{Consent, Contract, LegitimateInterest};
        let listed = BTreeMap::from([
            ("EU".to_owned(), vec![Consent]),
            ("FR".to_owned(), vec![Consent, Contract]),
            ("US".to_owned(), vec![LegitimateInterest, Consent]),
            ("US-CA".to_owned(), vec![Consent, Contract]),
        ]);
        for (jurisdiction, expected) in [
            (Some("US-NY"), vec![LegitimateInterest, Consent]),
            (Some("us-ca"), vec![Consent, Contract]),
            (Some("DE"), vec![Consent]),
            (Some("DE-BY"), vec![Consent]),
            (Some("NO"), vec![Consent]),
            (Some("FR"), vec![Consent, Contract]),
            (Some("EU"), vec![Consent]),
            (Some("CH"), vec![Consent]),
            (Some(""), vec![Consent]),
            (None, vec![Consent]),
        ] {
            assert_eq!(bases(&listed, jurisdiction), expected, "{jurisdiction:?}");
        }
        assert_eq!(bases(&BTreeMap::new(), Some("DE")), []);
    }

    #[test]
    fn a_country_covers_its_regions_and_a_country_alone_may_or_may_not_lie_in_a_region() {
        for (named, asked, expected) in [
            ("US", "US-NY", Some(true)),
            ("US", "us", Some(true)),
            ("US-NY", "US-NY", Some(true)),
            ("US-NY", "US-CA", Some(false)),
            ("US-NY", "US", None),
            ("EU", "DE-BY", Some(true)),
            ("EU", "NO", Some(true)),
            ("EU", "CH", Some(false)),
            ("DE", "EU", None),
            ("US", "EU", Some(false)),
            ("US", "", Some(false)),
        ] {
            assert_eq!(covers(named, asked), expected, "{named} {asked}");
        }
    }

    #[test]
    fn a_jurisdiction_is_a_country_or_a_region() {
        for good in ["EU", "US", "US-NY", "GB-ENG"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "usa", "us", "U", "US-", "US-NEWY", "Europe"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
