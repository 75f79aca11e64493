//! From words to a tree, by how closely operators bind. Checks no name and no type.

use std::ops::Range;

use super::slip::Slip;
use super::token::{LITERALS, OPERATORS, Token, tokens};
use super::tree::{CLOSEST, Expr, Kind, Op, RELATION};
use crate::policy::codes;

/// The most parts of one condition: whoever needs more writes two rules.
const PARTS_MAX: usize = 256;

/// The deepest nesting.
const NESTING_MAX: usize = 32;

/// The longest condition in bytes.
const BYTES_MAX: usize = 4_096;

/// Reads a condition. `None` where no tree can be made of it; what is wrong stands in the slips.
pub(in crate::policy) fn parse(text: &str, slips: &mut Vec<Slip>) -> Option<Expr> {
    if text.len() > BYTES_MAX {
        let message = format!("a condition of {} bytes is too long: at most {BYTES_MAX}", text.len());
        slips.push(Slip::new(0..text.len(), codes::CONDITION_LARGE, message, "too long").with_help(SPLIT));
        return None;
    }
    let words = tokens(text, slips)?;
    let before = slips.len();
    let mut parser = Parser { text, words, at: 0, depth: 0, parts: 0, slips };
    let tree = parser.binary(1)?;
    if let Some((_, at)) = parser.words.get(parser.at).cloned() {
        parser.unexpected(&at, OPERATOR);
        return None;
    }
    // What the lexer mended is a tree; what the parser stumbled over is none.
    (slips.len() == before).then_some(tree)
}

const VALUE: &str = "a value";

const OPERATOR: &str = "an operator or the end";

const SPLIT: &str = "split it into several rules";

struct Parser<'a> {
    text: &'a str,
    words: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
    parts: usize,
    slips: &'a mut Vec<Slip>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.words.get(self.at).map(|(token, _)| token)
    }

    /// Where the next word stands, or the last one where there is none.
    fn place(&self) -> Range<usize> {
        let word = self.words.get(self.at).or(self.words.last());
        word.map_or(0..self.text.len(), |(_, at)| at.clone())
    }

    fn eat(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }

    fn slip(&mut self, at: Range<usize>, message: String, label: &str, help: &str) {
        self.slips.push(Slip::new(at, codes::CONDITION_SYNTAX, message, label).with_help(help));
    }

    fn unexpected(&mut self, at: &Range<usize>, wanted: &str) {
        let found = self.text.get(at.clone()).unwrap_or_default();
        let label = format!("expected {wanted}");
        let help = if found == "between" { "write both limits: `a >= 3 && a <= 5`" } else { help_for(wanted) };
        self.slip(at.clone(), format!("`{found}` cannot stand here"), &label, help);
    }

    /// Says that the text ends, or what stands there, where something else is needed.
    fn missing(&mut self, wanted: &str) {
        let at = self.place();
        if self.at < self.words.len() {
            self.unexpected(&at, wanted);
        } else {
            let label = format!("expected {wanted} behind this");
            self.slip(at, "the condition ends too early".into(), &label, help_for(wanted));
        }
    }

    /// A part, counted.
    fn part(&mut self, at: Range<usize>, kind: Kind) -> Option<Expr> {
        self.parts += 1;
        if self.parts > PARTS_MAX {
            let message = format!("a condition has at most {PARTS_MAX} parts");
            self.slips.push(Slip::new(at, codes::CONDITION_LARGE, message, "one too many").with_help(SPLIT));
            return None;
        }
        Some(Expr { at, kind })
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= NESTING_MAX {
            let message = format!("parentheses and signs nest at most {NESTING_MAX} deep");
            let at = self.place();
            self.slips.push(Slip::new(at, codes::CONDITION_LARGE, message, "too deep").with_help(SPLIT));
            return None;
        }
        self.depth += 1;
        let found = inner(self);
        self.depth -= 1;
        found
    }

    /// Operators that bind at least so closely, from left to right.
    fn binary(&mut self, least: u8) -> Option<Expr> {
        let mut left = self.operand(least)?;
        let mut compared = false;
        loop {
            let token = self.peek().cloned();
            if least == RELATION && (token == Some(Token::In) || self.not_in()) {
                let at = self.place();
                left = self.within(left)?;
                self.chained(at, compared)?;
            } else if let Some(Token::Op(op)) = token.filter(|token| ranks(token, least)) {
                let at = self.place();
                self.at += 1;
                let right = self.operand(least)?;
                self.chained(at, compared && least == RELATION)?;
                let span = left.at.start..right.at.end;
                left = self.part(span, Kind::Binary(op, Box::new(left), Box::new(right)))?;
            } else {
                return Some(left);
            }
            compared = true;
        }
    }

    /// What stands beside an operator.
    fn operand(&mut self, rank: u8) -> Option<Expr> {
        if rank == CLOSEST { self.unary() } else { self.binary(rank + 1) }
    }

    fn chained(&mut self, at: Range<usize>, again: bool) -> Option<()> {
        if again {
            let help = "write `a < b && b < c`, or parentheses";
            self.slip(at, "comparisons do not chain".into(), "a second comparison", help);
        }
        (!again).then_some(())
    }

    /// Whether `not in` stands here, which is said but understood.
    fn not_in(&mut self) -> bool {
        let next = self.words.get(self.at + 1).map(|(token, _)| token);
        if self.peek() != Some(&Token::Not) || next != Some(&Token::In) {
            return false;
        }
        let at = self.place();
        // The word alone was reported before.
        self.slips.retain(|slip| slip.at != at);
        self.slip(at, "there is no `not in`".into(), "write `!(... in [...])`", "");
        self.at += 1;
        true
    }

    fn within(&mut self, left: Expr) -> Option<Expr> {
        self.at += 1;
        if !self.eat(&Token::ListOpen) {
            self.missing("a list such as `[\"silver\", \"gold\"]`");
            return None;
        }
        let mut items = Vec::new();
        let end = loop {
            let end = self.place();
            if self.eat(&Token::ListClose) {
                break end.end;
            }
            if !items.is_empty() && !self.eat(&Token::Comma) {
                self.missing("`,` or `]`");
                return None;
            }
            items.push(self.deeper(|parser| parser.binary(1))?);
        };
        let span = left.at.start..end;
        if items.is_empty() {
            self.slip(span, "a list with nothing in it".into(), "nothing is ever in it", "name at least one value");
            return None;
        }
        self.part(span, Kind::In(Box::new(left), items))
    }

    fn unary(&mut self) -> Option<Expr> {
        let start = self.place().start;
        let not = match self.peek() {
            Some(Token::Not) => true,
            Some(Token::Op(Op::Minus)) => false,
            _ => return self.primary(),
        };
        self.at += 1;
        let inner = self.deeper(Self::unary)?;
        let span = start..inner.at.end;
        let inner = Box::new(inner);
        self.part(span, if not { Kind::Not(inner) } else { Kind::Negate(inner) })
    }

    fn primary(&mut self) -> Option<Expr> {
        let Some((token, at)) = self.words.get(self.at).cloned() else {
            self.missing(VALUE);
            return None;
        };
        let kind = match token {
            Token::Literal(literal) => Kind::Literal(literal),
            Token::Broken => Kind::Broken,
            Token::Name(name) => {
                self.at += 1;
                return self.name(name, at);
            }
            Token::Open => {
                self.at += 1;
                let inner = self.deeper(|parser| parser.binary(1))?;
                if !self.eat(&Token::Close) {
                    self.missing("`)`");
                    return None;
                }
                return Some(inner);
            }
            Token::ListOpen => {
                let help = "write `customer.tier in [\"silver\", \"gold\"]`";
                self.slip(at, "a list stands behind `in` only".into(), "not here", help);
                return None;
            }
            _ => {
                self.missing(VALUE);
                return None;
            }
        };
        self.at += 1;
        self.part(at, kind)
    }

    /// A name, `has(...)`, or a call of what conditions do not have.
    fn name(&mut self, name: String, at: Range<usize>) -> Option<Expr> {
        if self.peek() == Some(&Token::ListOpen) {
            let message = format!("`{name}[`: nothing is picked out of a value");
            self.slips.push(
                Slip::new(at, codes::CONDITION_LEFT_OUT, message, "not a list")
                    .with_help("declare what you need as an attribute of its own"),
            );
            return None;
        }
        if !self.eat(&Token::Open) {
            return self.part(at, Kind::Name(name));
        }
        if name != "has" {
            let message = format!("`{name}(...)`: conditions have no functions but `has`");
            self.slips.push(
                Slip::new(at, codes::CONDITION_LEFT_OUT, message, "no such function")
                    .with_help("let the system that sends the attribute compute it, and declare the result"),
            );
            return None;
        }
        let Some((Token::Name(asked), asked_at)) = self.words.get(self.at).cloned() else {
            self.missing("an attribute such as `customer.tier`");
            return None;
        };
        self.at += 1;
        let end = self.place().end;
        if !self.eat(&Token::Close) {
            self.missing("`)`");
            return None;
        }
        let asked = self.part(asked_at, Kind::Name(asked))?;
        self.part(at.start..end, Kind::Has(Box::new(asked)))
    }
}

fn help_for(wanted: &str) -> &'static str {
    match wanted {
        VALUE => LITERALS,
        OPERATOR => OPERATORS,
        _ => "",
    }
}

fn ranks(token: &Token, rank: u8) -> bool {
    matches!(token, Token::Op(op) if op.rank() == rank)
}
