//! The sample shop inside the binary: the policy bundle of `policies/` and the world it is tried on. Compiles neither.

use proffer::policy::Source;

const POLICIES: [(&str, &str); 8] = [
    ("bundle.yaml", include_str!("../../policies/bundle.yaml")),
    ("catalog/attributes.yaml", include_str!("../../policies/catalog/attributes.yaml")),
    ("catalog/purposes.yaml", include_str!("../../policies/catalog/purposes.yaml")),
    ("placements.yaml", include_str!("../../policies/placements.yaml")),
    ("rules/10-consent.yaml", include_str!("../../policies/rules/10-consent.yaml")),
    ("rules/20-margin.yaml", include_str!("../../policies/rules/20-margin.yaml")),
    ("rules/30-caps.yaml", include_str!("../../policies/rules/30-caps.yaml")),
    ("rules/40-offers.yaml", include_str!("../../policies/rules/40-offers.yaml")),
];

/// The world that the demo runs on, as text.
pub const WORLD: &str = include_str!("../../simulators/shop.yaml");

/// The files of the sample bundle.
pub fn policies() -> Vec<Source> {
    POLICIES.iter().map(|(path, text)| Source { path: (*path).to_owned(), text: (*text).to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_carries_every_file_of_the_folder_as_it_is() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        assert_eq!(policies(), proffer::runtime::read_policies(&folder).unwrap());
    }
}
