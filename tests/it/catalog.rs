//! `proffer catalog` as merchandisers meet it: files in, files out, and what they are told.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::source::package;
use crate::http::shop;

/// Exit code, standard output and standard error of `proffer catalog`.
fn catalog(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proffer"));
    command.arg("catalog").args(args).current_dir(folder).env_clear().env("PROFFER_LOG", "off");
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim_end().to_owned();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A folder with a bundle in `policies` and the sample files.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    shop::write_policies(&folder.path().join("policies"), &shop::policies());
    for file in ["shop.yaml", "campaigns.csv", "offers.csv", "ten-mistakes.csv"] {
        std::fs::copy(package().join("tests/data/catalogue").join(file), folder.path().join(file)).unwrap();
    }
    folder
}

#[test]
fn a_catalogue_is_imported_shown_exported_and_imported_again() {
    let folder = folder();
    let run = |args: &[&str]| catalog(folder.path(), args);
    let done = |code: i32, out: &str| (code, out.to_owned(), String::new());
    assert_eq!(run(&["show"]), done(0, "no offers; `proffer catalog import FILE` adds some"));
    let checked = run(&["import", "campaigns.csv", "offers.csv", "--check"]);
    assert_eq!(checked, done(0, "5 new, 0 changed, 0 unchanged, nothing is wrong and nothing was changed"));
    assert_eq!(run(&["import", "campaigns.csv", "offers.csv"]), done(0, "5 new, 0 changed, 0 unchanged, revision 1"));
    assert_eq!(run(&["import", "shop.yaml"]), done(0, "0 new, 0 changed, 5 unchanged, revision 1"));

    let (_, table, _) = run(&["show"]);
    let tents: Vec<&str> =
        table.lines().filter(|line| line.starts_with("OFFER") || line.starts_with("house")).collect();
    // How wide columns are depends on what day it is: on some an offer's standing is a longer word.
    let words: Vec<String> = tents.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    insta::assert_snapshot!(words.join("\n"), @r#"
    OFFER PRICE MARGIN STANDING CAMPAIGN STOCK VARIANTS
    house-welcome 0.00 USD 0.00 USD running house 1
    "#);
    assert!(table.ends_with("3 offers, 2 campaigns, revision 1"), "{table}");

    let sheet = folder.path().join("offers.csv");
    let text = std::fs::read_to_string(&sheet).unwrap();
    std::fs::write(&sheet, text.replace("120.00", "115.00")).unwrap();
    assert_eq!(run(&["import", "offers.csv"]), done(0, "0 new, 1 changed, 2 unchanged, revision 2"));
    let (code, one, _) = run(&["show", "tent"]);
    assert_eq!(code, 0);
    let steady: Vec<&str> =
        one.lines().filter(|line| !line.starts_with("revision") && !line.starts_with("tent")).collect();
    insta::assert_snapshot!(steady.join("\n"), @r#"
    offers:
      - offer_id: tent
        category: outdoor
        ends_at: "2026-12-31T23:00:00.000Z"
        price: 115.00 USD
        cost_of_goods: 90.00 USD
        variants:
          - variant_id: a
            content:
              headline: Sleep outside
    "#);
    assert_eq!(one.lines().filter(|line| line.ends_with("by command line")).count(), 2, "{one}");

    for form in ["yaml", "json", "csv"] {
        let out = format!("out.{form}");
        let (code, _, err) = run(&["export", "--out", &out]);
        assert!(code == 0 && err.starts_with(&format!("3 offers, 2 campaigns, revision 2 in {out}")), "{err}");
        let kept = if form == "csv" { 3 } else { 5 };
        assert_eq!(run(&["import", &out]), done(0, &format!("0 new, 0 changed, {kept} unchanged, revision 2")));
    }
    let (_, before, _) = run(&["export", "--as", "json", "--revision", "1"]);
    let before: Value = serde_json::from_str(&before).unwrap();
    assert_eq!(before["offers"][1]["price"]["amount"], "120.00");
    let (_, campaigns, err) = run(&["export", "--as", "csv", "--campaigns"]);
    assert!(campaigns.starts_with("campaign_id,") && campaigns.lines().count() == 3 && err.is_empty(), "{campaigns}");
}

#[test]
fn a_sheet_with_ten_mistakes_is_answered_with_all_of_them_and_changes_nothing() {
    let folder = folder();
    let (code, out, err) = catalog(folder.path(), &["import", "ten-mistakes.csv"]);
    assert_eq!((code, out.as_str()), (1, ""));
    insta::assert_snapshot!(err, @r#"
    error: ten-mistakes.csv:1: discuont: unknown column `discuont`; did you mean `discount`?
    error: ten-mistakes.csv:2: price: `80,00` has a decimal comma: write `80.00`
    error: ten-mistakes.csv:3: variant_id: variant `a` of offer `winter-boots` stands in line 2 already: give this one another name, or remove it
    error: ten-mistakes.csv:4: offer_id: `rain boots` is not an offer id: expected 1 to 64 letters, digits, `.`, `_`, `:` or `-`, starting with a letter, a digit or `_`
    error: ten-mistakes.csv:5: category: `outdor` is not a value of `offer.category`: expected one of `shoes`, `outdoor`, `home`, `service`; did you mean `outdoor`?
    error: ten-mistakes.csv:7: starts_at: `01.12.2026` is neither a date nor an instant: expected `2026-12-01` or `2026-12-01T09:30:00Z`; write `2026-12-01`
    error: ten-mistakes.csv:8: price: `12.00` contradicts `10.00` in line 7 about offer `mug`: write the same in both lines, or leave one empty
    error: ten-mistakes.csv:9: price: `25.00` has no currency: write it behind the amount, such as `25.00 USD`, or in the column `currency`
    error: ten-mistakes.csv:10: stock: expected a whole number from 0 to 4294967295, found `-5`
    error: ten-mistakes.csv:11: this line has 13 cells and the header 12: put a cell with a separator or a line break inside between quotes, and write amounts with a decimal point
    10 mistakes; nothing was changed
    "#);
    let (code, out, err) = catalog(folder.path(), &["import", "ten-mistakes.csv", "--format", "json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, err.as_str(), &told["ok"]), (1, "", &Value::Bool(false)));
    assert!(told["mistakes"].as_array().unwrap().len() >= 10, "{out}");
    assert!(catalog(folder.path(), &["show"]).1.starts_with("no offers"));
}

#[test]
fn what_cannot_be_done_is_told_with_a_way_out() {
    let folder = folder();
    let mut told = String::new();
    for args in [
        &["import", "nowhere.csv"][..],
        &["import", "policies"],
        &["show", "tnet"],
        &["export", "--revision", "9"],
        &["export", "--campaigns"],
    ] {
        let (code, out, err) = catalog(folder.path(), args);
        writeln!(told, "{} -> {code}{out}\n  {err}", args.join(" ")).unwrap();
    }
    std::fs::remove_dir_all(folder.path().join("policies")).unwrap();
    let (code, _, err) = catalog(folder.path(), &["import", "offers.csv"]);
    writeln!(told, "import without a bundle -> {code}\n  {err}").unwrap();
    insta::assert_snapshot!(told, @r#"
    import nowhere.csv -> 2
      error: `nowhere.csv` cannot be read: No such file or directory (os error 2); name a file
    import policies -> 2
      error: `policies` does not say its format: name it `.yaml`, `.json` or `.csv`, or add --as csv
    show tnet -> 1
      error: no offer `tnet` is in the catalogue: `proffer catalog show` lists those that are
    export --revision 9 -> 1
      error: the catalogue has no revision 9: it is at 0 now
    export --campaigns -> 2
      error: --campaigns chooses what a CSV holds: YAML and JSON hold campaigns and offers together
    import without a bundle -> 1
      error: no bundle is active in this store and there is no folder `policies`, so nobody says which attributes offers may have: `proffer policy activate DIR` first
    "#);
}
