//! The plain reading of categories and brands that are left out. Reads no customer: of what was seen only whether any
//! of it was personal.

use std::fmt::Write as _;

use super::asked::Asked;
use super::chance::Chance;
use super::written::{Kind, Says, Written, categories};
use crate::domain::{Offer, Value};

struct Kept {
    why: &'static str,
    categories: &'static [&'static str],
    brands: &'static [&'static str],
}

pub(super) fn any(chance: &mut Chance) -> Box<dyn Kind> {
    let lists: [(&[&str], &[&str]); 5] = [
        (&["garden"], &[]),
        (&["shoes"], &["acme"]),
        (&["home", "toys"], &[]),
        (&[], &["zeta", "nobody"]),
        (&["garden"], &["acme", "zeta"]),
    ];
    let (categories, brands) = chance.one(&lists);
    Box::new(Kept { why: chance.one(&["sensitive", "sensitive", "competitor", "regulated"]), categories, brands })
}

impl Kind for Kept {
    fn text(&self) -> String {
        let mut text = format!("kind: {}", self.why);
        for (name, names) in [("categories", self.categories), ("brands", self.brands)] {
            if !names.is_empty() {
                write!(text, ", {name}: [{}]", names.join(", ")).unwrap();
            }
        }
        text
    }

    fn says(&self, _: &Written, asked: &Asked<'_>, offer: &Offer) -> Says {
        let brand = match offer.attributes.get("brand") {
            Some(Value::Text(brand)) => brand.as_str(),
            _ => "",
        };
        let named = categories(offer).iter().any(|own| self.categories.contains(own)) || self.brands.contains(&brand);
        // Of all that requests may say only the device is about nobody.
        let personal = asked.used.keys().any(|name| name != "context.device");
        Says::plainly(named && (personal || self.why != "sensitive"))
    }

    fn protects(&self) -> bool {
        self.why != "competitor"
    }
}
