//! Approvals as a file that somebody without the store can rely on: signed by the site, checked with its public key.
//! Judges none.

use serde::{Deserialize, Serialize};

use crate::domain::key::MasterKey;
use crate::domain::{Malformed, Timestamp};
use crate::policy::Given;
use crate::transparency::signature::{SiteKey, sign};

/// What is signed, and by which layout.
const KIND: &str = "proffer/approvals/1";

/// Every approval of a store at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// When it was made.
    pub at: Timestamp,
    /// The control row's sequence then.
    pub control_sequence: u64,
    /// Oldest first, revoked ones too.
    pub approvals: Vec<Given>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: String,
    export: Export,
    site_key: String,
    signature: String,
}

/// The seed that a site signs with.
pub(super) fn seed(master: &MasterKey) -> [u8; 32] {
    master.derive("site")
}

/// The public key of a site.
pub fn site_key(master: &MasterKey) -> SiteKey {
    SiteKey::of(&seed(master))
}

impl Export {
    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The text of the file.
    pub fn print(&self, master: &MasterKey) -> String {
        let signature = sign(&seed(master), KIND, &self.text());
        let file =
            File { kind: KIND.to_owned(), export: self.clone(), site_key: site_key(master).to_string(), signature };
        let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads a file that this site has signed. What is read is what was signed: a change of any letter of it is an
    /// error.
    pub fn read(text: &str, of: &SiteKey) -> Result<Self, Malformed> {
        let file: File = serde_json::from_str(text).map_err(|error| {
            Malformed(format!(
                "it is no export of approvals ({error}); `proffer policy approvals --export FILE` makes one"
            ))
        })?;
        if file.kind != KIND {
            return Err(Malformed(format!("it is an export of kind `{}`, and this build reads `{KIND}`", file.kind)));
        }
        if file.site_key != of.to_string() {
            return Err(Malformed(format!(
                "it is signed by `{}`, and approvals count that `{of}` has signed: export them from that site",
                file.site_key
            )));
        }
        if !of.verifies(KIND, &file.export.text(), &file.signature) {
            return Err(Malformed::new(
                "its signature does not fit: it was altered after it was exported; export it again from the site",
            ));
        }
        Ok(file.export)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Digest;
    use crate::policy::{Authority, Matter};

    #[test]
    fn an_altered_export_or_one_of_another_site_is_refused() {
        let given = Given {
            id: 3,
            matter: Matter::Bundle,
            pinned: Digest([5; 32]),
            authority: Authority::Privacy,
            at: Timestamp(1_000),
            by: "jane".to_owned(),
            expires: Timestamp(86_400_000),
            note: "memo".to_owned(),
            revoked: None,
        };
        let export = Export { at: Timestamp(2_000), control_sequence: 9, approvals: vec![given] };
        let (master, other) = (MasterKey([1; 32]), MasterKey([2; 32]));
        let text = export.print(&master);
        assert_eq!(Export::read(&text, &site_key(&master)), Ok(export));
        let told = |text: &str, key: &MasterKey| Export::read(text, &site_key(key)).unwrap_err().to_string();
        assert!(told(&text, &other).contains("export them from that site"));
        let longer = text.replace("1970-01-02", "1979-01-02");
        assert_ne!(longer, text);
        assert!(told(&longer, &master).contains("it was altered after it was exported"), "{longer}");
        assert!(told("{}", &master).contains("it is no export of approvals"));
    }
}
