//! Which values are compared with which: sorts that go together, and names that an enum has. Compares no values.

use super::check::{Checker, Sort, Typed};
use super::tree::{Expr, Kind, Literal, Op};
use crate::domain::AttributeId;
use crate::policy::codes;
use crate::policy::suggest::did_you_mean;

/// Whether two parts may be compared so; if not, the reason is among the slips.
pub(super) fn comparison(
    checker: &mut Checker<'_, '_>,
    expr: &Expr,
    op: Op,
    (left, a): (&Expr, &Typed<'_>),
    (right, b): (&Expr, &Typed<'_>),
) -> bool {
    let ordered = !matches!(op, Op::Equal | Op::NotEqual);
    match (a.sort, b.sort) {
        (Sort::Bool, Sort::Bool) | (Sort::Text | Sort::Names(..), Sort::Text | Sort::Names(..)) if ordered => {
            let sort = a.sort.text();
            let message = format!("`{}`: {sort} has no order", op.text());
            let help = match a.sort {
                Sort::Bool => "compare it by `==` or `!=`",
                _ => "name the values meant: `customer.tier in [\"silver\", \"gold\"]`",
            };
            checker.slip(expr, codes::CONDITION_TYPE, message, "no order", help);
            false
        }
        (Sort::Names(id, names), Sort::Names(other, others)) => {
            let common = names.iter().any(|name| others.contains(name));
            if !common {
                let message = format!("`{id}` and `{other}` have no value in common");
                let values = |names: &[String]| format!("`{}`", names.join("`, `"));
                let help = format!(
                    "`{id}` has the values {}, and `{other}` has {}: compare it with one of its own",
                    values(names),
                    values(others)
                );
                checker.slip(expr, codes::CONDITION_VALUE, message, "never equal", &help);
            }
            common
        }
        (Sort::Names(id, names), Sort::Text) => declared(checker, id, names, right),
        (Sort::Text, Sort::Names(id, names)) => declared(checker, id, names, left),
        (Sort::Number, Sort::Number)
        | (Sort::Money, Sort::Money)
        | (Sort::Date, Sort::Date)
        | (Sort::Span, Sort::Span)
        | (Sort::Bool, Sort::Bool)
        | (Sort::Text, Sort::Text) => true,
        (a, b) => {
            mixed(checker, expr, (left, a), (right, b));
            false
        }
    }
}

/// Whether text written out is a value that the enum has.
fn declared(checker: &mut Checker<'_, '_>, id: &AttributeId, names: &[String], expr: &Expr) -> bool {
    let Kind::Literal(Literal::Text(text)) = &expr.kind else { return true };
    let known = names.iter().any(|name| name == text);
    if !known {
        let meant = did_you_mean(text, names.iter().map(String::as_str));
        let message = format!("`{id}` is never `{text}`{meant}");
        let help = format!("its values are `{}`", names.join("`, `"));
        checker.slip(expr, codes::CONDITION_VALUE, message, "not a value of it", &help);
    }
    known
}

fn mixed(checker: &mut Checker<'_, '_>, expr: &Expr, (left, a): (&Expr, Sort<'_>), (right, b): (&Expr, Sort<'_>)) {
    let (said, other) = (checker.written(left), checker.written(right));
    let message = format!("`{said}` is {}, and `{other}` is {}", a.text(), b.text());
    let quoted = |expr: &Expr| matches!(expr.kind, Kind::Literal(Literal::Text(_)));
    let help = match (a, b) {
        (Sort::Money, Sort::Number) => {
            format!("write an amount, such as `5.00 USD`, or a share of one: `{said} > offer.price * 15%`")
        }
        (Sort::Number, Sort::Money) => "write an amount, such as `5.00 USD`".to_owned(),
        (Sort::Date, Sort::Text) if quoted(right) => "write the date without quotes: `2026-03-01`".to_owned(),
        (Sort::Number, Sort::Text) if quoted(right) => "write the number without quotes".to_owned(),
        (Sort::Bool, Sort::Text) if quoted(right) => "write `true` or `false` without quotes".to_owned(),
        (Sort::Bool, _) if matches!(left.kind, Kind::Not(_)) => {
            "`!` binds closer than a comparison: write `!(a == b)` or `a != b`".to_owned()
        }
        (Sort::Text | Sort::Names(..), Sort::Bool | Sort::Number) => "text stands in quotes".to_owned(),
        (Sort::Date, Sort::Span) => "compare two dates, such as `customer.since < context.today - 30d`".to_owned(),
        (Sort::Span, Sort::Number) => "write a span, such as `30d`".to_owned(),
        _ => String::new(),
    };
    checker.slip(expr, codes::CONDITION_TYPE, message, "not of one kind", &help);
}
