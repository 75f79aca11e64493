//! The check of names and types: from a tree as written to a term that can be evaluated. Evaluates nothing.
//!
//! Everything wrong is said at once. A part that was already reported is passed over, so that one slip is one finding.

use super::compare;
use super::read::{Accepts, BUILT_IN, Read};
use super::slip::Slip;
use super::term::Term;
use super::tree::{Expr, Kind, Literal, Op};
use super::value::{Datum, SCALE};
use crate::domain::{AttributeId, Currency, PlacementId};
use crate::policy::codes;
use crate::policy::declared::attributes::AttributeKind;
use crate::policy::declared::features::Catalog;
use crate::policy::declared::lineage::{self, ReadBy};
use crate::policy::suggest::did_you_mean;

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sort<'a> {
    Bool,
    Number,
    Money,
    Date,
    Span,
    Text,
    /// One of the names of an enum.
    Names(&'a AttributeId, &'a [String]),
}

impl Sort<'_> {
    pub(super) fn text(&self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::Money => "an amount of money",
            Self::Date => "a date",
            Self::Span => "a span of time",
            Self::Text => "text",
            Self::Names(..) => "a name",
        }
    }
}

/// A part that was checked.
pub(super) struct Typed<'a> {
    pub(super) term: Term,
    pub(super) sort: Sort<'a>,
    /// The largest it can be, either way, in the units of its values.
    bound: i128,
}

/// What conditions refer to, and what is wrong with one.
pub(super) struct Checker<'a, 's> {
    pub(super) text: &'a str,
    pub(super) catalog: Catalog<'a>,
    /// Placements that the rule covers, with their currencies.
    pub(super) currencies: Vec<(&'a PlacementId, Currency)>,
    /// What the condition belongs to.
    pub(super) reader: ReadBy,
    pub(super) slips: &'s mut Vec<Slip>,
}

const NOT: &str = "`!`";

/// The largest number or amount that arrives, in millionths; the margin of an offer is a sum of six amounts.
const ARRIVING_MAX: i128 = 6 * 1_000_000_000_000 * SCALE;

/// The largest date in milliseconds, of the year 9999.
const DATE_MAX: i128 = 253_402_300_800_000;

/// The most that a product may reach: one more factor would overflow 128 bits.
const PRODUCT_MAX: i128 = i128::MAX / 1_000_000;

impl<'a> Checker<'a, '_> {
    pub(super) fn slip(&mut self, expr: &Expr, code: &'static str, message: String, label: &str, help: &str) {
        self.slips.push(Slip::new(expr.at.clone(), code, message, label).with_help(help));
    }

    pub(super) fn written(&self, expr: &Expr) -> &'a str {
        self.text.get(expr.at.clone()).unwrap_or_default()
    }

    /// A whole condition: true or false, and about something.
    pub(super) fn condition(&mut self, expr: &Expr) -> Option<Term> {
        let before = self.slips.len();
        let typed = self.truth(expr, "a condition")?;
        if self.slips.len() > before {
            return None;
        }
        let mut any = false;
        typed.term.reads(&mut |_| any = true);
        if !any {
            let message = "the condition reads nothing, so that it is always the same".to_owned();
            let help = "name an attribute, or leave the rule out";
            self.slip(expr, codes::CONDITION_CONSTANT, message, "always the same", help);
            return None;
        }
        Some(typed.term)
    }

    fn truth(&mut self, expr: &Expr, joined: &str) -> Option<Typed<'a>> {
        let typed = self.check(expr)?;
        if matches!(typed.sort, Sort::Bool) {
            return Some(typed);
        }
        let message = format!("{joined} needs true or false, `{}` is {}", self.written(expr), typed.sort.text());
        let help = match typed.sort {
            _ if joined == NOT => "`!` binds closer than a comparison: write `!(a == b)` or `a != b`",
            Sort::Text | Sort::Names(..) => {
                "compare it: `customer.tier == \"gold\"`, or several: `customer.tier in [\"silver\", \"gold\"]`"
            }
            _ => "compare it with something, such as `customer.visits_90d > 3`",
        };
        self.slip(expr, codes::CONDITION_TYPE, message, typed.sort.text(), help);
        None
    }

    pub(super) fn check(&mut self, expr: &Expr) -> Option<Typed<'a>> {
        match &expr.kind {
            Kind::Broken => None,
            Kind::Literal(literal) => self.literal(expr, literal),
            Kind::Name(name) => self.name(expr, name).map(|(read, sort)| Typed {
                bound: if matches!(sort, Sort::Date) { DATE_MAX } else { ARRIVING_MAX },
                term: Term::Read(read),
                sort,
            }),
            Kind::Has(inner) => {
                let Kind::Name(name) = &inner.kind else { return None };
                let (read, _) = self.name(inner, name)?;
                Some(Typed { term: Term::Has(read), sort: Sort::Bool, bound: 1 })
            }
            Kind::Not(inner) => {
                let typed = self.truth(inner, NOT)?;
                Some(Typed { term: Term::Negate(Box::new(typed.term)), ..typed })
            }
            Kind::Negate(inner) => {
                let typed = self.check(inner)?;
                if !matches!(typed.sort, Sort::Number | Sort::Money | Sort::Span) {
                    let message = format!("`-` needs a number, `{}` is {}", self.written(inner), typed.sort.text());
                    self.slip(inner, codes::CONDITION_TYPE, message, typed.sort.text(), "");
                    return None;
                }
                Some(Typed { term: Term::Negate(Box::new(typed.term)), ..typed })
            }
            Kind::Binary(op @ (Op::And | Op::Or), left, right) => {
                let name = format!("`{}`", op.text());
                let (left, right) = (self.truth(left, &name), self.truth(right, &name));
                Some(joined(*op, left?, right?, Sort::Bool, 1))
            }
            Kind::Binary(op @ (Op::Plus | Op::Minus | Op::Times), left, right) => {
                let (a, b) = (self.check(left), self.check(right));
                self.arithmetic(expr, *op, a?, b?)
            }
            Kind::Binary(op, left, right) => {
                let (a, b) = (self.check(left), self.check(right));
                let (a, b) = (a?, b?);
                compare::comparison(self, expr, *op, (left, &a), (right, &b)).then(|| joined(*op, a, b, Sort::Bool, 1))
            }
            Kind::In(left, list) => self.within(left, list),
        }
    }

    fn within(&mut self, left: &Expr, list: &[Expr]) -> Option<Typed<'a>> {
        let a = self.check(left);
        let items: Vec<_> = list.iter().map(|item| self.check(item)).collect();
        let a = a?;
        let mut terms = Vec::new();
        let mut whole = true;
        for (item, typed) in list.iter().zip(items) {
            let fits = typed.filter(|b| compare::comparison(self, item, Op::Equal, (left, &a), (item, b)));
            whole &= fits.is_some();
            terms.extend(fits.map(|b| b.term));
        }
        whole.then(|| Typed { term: Term::In(Box::new(a.term), terms), sort: Sort::Bool, bound: 1 })
    }

    fn literal(&mut self, expr: &Expr, literal: &Literal) -> Option<Typed<'a>> {
        let (datum, sort, bound) = match literal {
            Literal::Bool(truth) => (Datum::Bool(*truth), Sort::Bool, 1),
            Literal::Number(number) => (Datum::Number(number.0.into()), Sort::Number, number.0.into()),
            Literal::Percent(percent) => {
                let share = i128::from(percent.0) * SCALE / 10_000;
                (Datum::Number(share), Sort::Number, share)
            }
            Literal::Money(money) => {
                if let Some((id, currency)) = self.currencies.iter().find(|(_, other)| *other != money.currency) {
                    let message = format!("`{money}` is in {} but placement `{id}` is in {currency}", money.currency);
                    let label = format!("not in {currency}");
                    let help = "amounts of two currencies are never compared: name the placements of this currency in \
                         `applies_to: {placements: [...]}`";
                    self.slip(expr, codes::CONDITION_CURRENCY, message, &label, help);
                    return None;
                }
                let amount = i128::from(money.minor) * SCALE;
                (Datum::Money(amount, money.currency), Sort::Money, amount)
            }
            Literal::Date(ms) => (Datum::Date((*ms).into()), Sort::Date, DATE_MAX),
            Literal::Span(span) => (Datum::Span(span.0.into()), Sort::Span, span.0.into()),
            Literal::Text(text) => (Datum::Text(text.clone()), Sort::Text, 0),
        };
        Some(Typed { term: Term::Constant(datum), sort, bound })
    }

    /// What a name stands for, with what it is.
    fn name(&mut self, expr: &Expr, name: &str) -> Option<(Read, Sort<'a>)> {
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, built_in)| *built_in);
        let spec = self.catalog.specs.get(name);
        if let Some(built_in) = built_in {
            if spec.is_some() {
                let message = format!("`{name}` is built in, and declared as an attribute too");
                let help = "rename the attribute in catalog/attributes.yaml, so that it is clear which is meant";
                self.slip(expr, codes::CONDITION_NAME, message, "which one?", help);
                return None;
            }
            let sort = match name {
                "context.today" => Sort::Date,
                "hour_of_day" | "basket.size" => Sort::Number,
                _ => Sort::Money,
            };
            return Some((Read::BuiltIn(built_in), sort));
        }
        let Some(spec) = spec else {
            // A declared attribute without a spec has a finding of its own.
            if self.catalog.declared.lacks(name) {
                self.unknown(expr, name);
            }
            return None;
        };
        if let Some(barred) = lineage::barred(self.catalog.specs, spec, self.reader) {
            self.slip(expr, codes::RULE_CLASS, barred.message, &barred.label, barred.help);
            return None;
        }
        let (accepts, sort) = match &spec.kind {
            AttributeKind::Enum(names) => (Accepts::Names(names.clone()), Sort::Names(&spec.id, names)),
            AttributeKind::Number { .. } => (Accepts::Number, Sort::Number),
            AttributeKind::Bool => (Accepts::Bool, Sort::Bool),
            AttributeKind::Date => (Accepts::Date, Sort::Date),
            AttributeKind::Text => (Accepts::Text, Sort::Text),
        };
        Some((Read::Attribute(spec.id.clone(), accepts), sort))
    }

    fn unknown(&mut self, expr: &Expr, name: &str) {
        let known = || self.catalog.declared.names().chain(BUILT_IN.iter().map(|(name, _)| *name));
        // Whoever leaves the scope out means the attribute of that name.
        let scoped = known().find(|known| known.split_once('.').is_some_and(|(_, rest)| rest == name));
        let quoted = self.catalog.specs.values().find_map(|spec| match &spec.kind {
            AttributeKind::Enum(names) => names.iter().find(|known| *known == name),
            _ => None,
        });
        let meant = match (scoped, quoted) {
            (Some(scoped), _) => format!("; did you mean `{scoped}`?"),
            (None, Some(quoted)) => format!("; did you mean the text `\"{quoted}\"`?"),
            (None, None) => match name {
                "yes" | "on" | "True" | "TRUE" => "; did you mean `true`?".to_owned(),
                "no" | "off" | "False" | "FALSE" => "; did you mean `false`?".to_owned(),
                _ => did_you_mean(name, known()),
            },
        };
        let message = format!("unknown attribute `{name}`{meant}");
        let built_in = BUILT_IN.map(|(name, _)| name).join("`, `");
        let help = format!(
            "declare it there, or correct it; text stands in quotes: `\"{name}\"`; there without being declared are \
             `{built_in}`"
        );
        let help = if meant.is_empty() { help.as_str() } else { "" };
        self.slip(expr, codes::ATTRIBUTE_UNKNOWN, message, "not in catalog/attributes.yaml", help);
    }

    fn arithmetic(&mut self, expr: &Expr, op: Op, a: Typed<'a>, b: Typed<'a>) -> Option<Typed<'a>> {
        let sort = match (op, a.sort, b.sort) {
            (_, Sort::Number, Sort::Number) => Sort::Number,
            (Op::Plus | Op::Minus, Sort::Money, Sort::Money)
            | (Op::Times, Sort::Money, Sort::Number)
            | (Op::Times, Sort::Number, Sort::Money) => Sort::Money,
            (Op::Plus | Op::Minus, Sort::Span, Sort::Span)
            | (Op::Times, Sort::Span, Sort::Number)
            | (Op::Times, Sort::Number, Sort::Span)
            | (Op::Minus, Sort::Date, Sort::Date) => Sort::Span,
            (Op::Plus | Op::Minus, Sort::Date, Sort::Span) | (Op::Plus, Sort::Span, Sort::Date) => Sort::Date,
            _ => {
                self.no_sum(expr, op, a.sort, b.sort);
                return None;
            }
        };
        let bound = match op {
            Op::Times => a.bound.checked_mul(b.bound).map(|product| product / SCALE + 1),
            _ => a.bound.checked_add(b.bound),
        };
        let Some(bound) = bound.filter(|bound| *bound <= PRODUCT_MAX) else {
            let message = format!("`{}` may be too large to compute", self.written(expr));
            let help = "two attributes may be multiplied with each other, not more";
            self.slip(expr, codes::CONDITION_LARGE, message, "may be too large", help);
            return None;
        };
        Some(joined(op, a, b, sort, bound))
    }

    fn no_sum(&mut self, expr: &Expr, op: Op, a: Sort<'_>, b: Sort<'_>) {
        let message =
            format!("`{}` goes with numbers, amounts, dates and spans, not {} and {}", op.text(), a.text(), b.text());
        let help = match (a, b) {
            (Sort::Text | Sort::Names(..), _) | (_, Sort::Text | Sort::Names(..)) => {
                "conditions build no text; compare it as it is"
            }
            (Sort::Money, Sort::Number) | (Sort::Number, Sort::Money) => {
                "write the number as an amount, such as `5.00 USD`"
            }
            (Sort::Date, Sort::Number) | (Sort::Number, Sort::Date) => "write the number as a span, such as `30d`",
            _ => "",
        };
        self.slip(expr, codes::CONDITION_TYPE, message, "do not go together", help);
    }
}

fn joined<'a>(op: Op, a: Typed<'a>, b: Typed<'a>, sort: Sort<'a>, bound: i128) -> Typed<'a> {
    Typed { term: Term::Binary(op, Box::new(a.term), Box::new(b.term)), sort, bound }
}
