//! The words of a condition, each with its bytes, and what is no word with a way out. Joins no words.

use std::ops::Range;

use super::slip::Slip;
use super::tree::{Literal, Op};
use super::value;
use crate::domain::money::parse_decimal;
use crate::domain::{Currency, Money, Number, Percent, Span};
use crate::policy::codes;

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Literal(Literal),
    Name(String),
    Op(Op),
    Not,
    In,
    Open,
    Close,
    ListOpen,
    ListClose,
    Comma,
    /// Something already reported that stands where a value does.
    Broken,
}

/// The largest number, as everywhere else.
const NUMBER_MAX: i64 = 1_000_000_000_000_000_000;

/// Every word of the text; what cannot be one is a slip, and is read as what it was meant for. `None` where that is not
/// clear.
pub(super) fn tokens(text: &str, slips: &mut Vec<Slip>) -> Option<Vec<(Token, Range<usize>)>> {
    let mut lexer = Lexer { text, at: 0, slips };
    let mut found = Vec::new();
    let mut clear = true;
    while let Some(letter) = lexer.peek() {
        let start = lexer.at;
        let token = match letter {
            _ if letter.is_whitespace() => {
                lexer.at += letter.len_utf8();
                continue;
            }
            '0'..='9' => Some(lexer.number()),
            'a'..='z' | 'A'..='Z' | '_' => Some(lexer.word()),
            '"' | '\'' => Some(lexer.string(letter)),
            _ => lexer.sign(letter),
        };
        clear &= token.is_some();
        found.extend(token.map(|token| (token, start..lexer.at)));
    }
    clear.then_some(found)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    slips: &'a mut Vec<Slip>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Takes letters as long as they fit.
    fn take(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|letter| !fits(letter)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn slip(&mut self, start: usize, code: &'static str, message: String, label: &str, help: &str) {
        self.slips.push(Slip::new(start..self.at, code, message, label).with_help(help));
    }

    fn literal<E: std::fmt::Display>(&mut self, start: usize, read: Result<Literal, E>) -> Token {
        match read {
            Ok(literal) => Token::Literal(literal),
            Err(error) => {
                let error = error.to_string();
                let (wrong, way_out) = error.split_once(": ").unwrap_or((&error, ""));
                let help = if way_out.is_empty() { LITERALS } else { way_out };
                self.slip(start, codes::CONDITION_LITERAL, wrong.to_owned(), "cannot be read", help);
                Token::Broken
            }
        }
    }

    /// A number, percent, amount, date or span.
    fn number(&mut self) -> Token {
        let start = self.at;
        if self.rest().get(..10).is_some_and(looks_like_a_date) {
            self.at += 10;
            let tail = self.take(|letter| letter.is_alphanumeric() || "_:.+".contains(letter));
            let whole = self.text.get(start..self.at).unwrap_or_default();
            if tail.starts_with('T') {
                let message = format!("`{whole}` is an instant, and conditions have dates only");
                self.slip(
                    start,
                    codes::CONDITION_LITERAL,
                    message,
                    "not a date",
                    "write the date, such as `2026-03-01`",
                );
                return Token::Broken;
            }
            let read = value::date(whole).map(Literal::Date);
            let wrong = || {
                format!(
                    "`{whole}` is not a date of the calendar: write a month from `01` to `12` and a day that it has"
                )
            };
            return self.literal(start, read.ok_or_else(wrong));
        }
        let digits = |lexer: &mut Self| lexer.take(|letter| letter.is_ascii_digit());
        digits(self);
        if self.rest().strip_prefix(':').is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit())) {
            self.take(|letter| letter.is_ascii_digit() || letter == ':');
            return self.time_of_day(start);
        }
        if self.rest().strip_prefix('.').is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit())) {
            self.at += 1;
            digits(self);
        }
        let plain = self.text.get(start..self.at).unwrap_or_default();
        let tail = self.take(|letter| letter.is_alphanumeric() || letter == '_');
        let whole = self.text.get(start..self.at).unwrap_or_default();
        match tail {
            "" if self.rest().starts_with('%') => {
                self.at += 1;
                let read = self.text.get(start..self.at).map_or_else(|| Percent::parse(""), Percent::parse);
                self.literal(start, read.map(Literal::Percent))
            }
            "" => match self.currency() {
                Some(code) => {
                    let read = Currency::parse(code).and_then(|currency| Money::parse(plain, currency));
                    self.literal(start, read.map(Literal::Money))
                }
                None => self.literal(start, decimal(plain)),
            },
            "am" | "pm" | "AM" | "PM" => self.time_of_day(start),
            "s" | "m" | "h" | "d" => self.literal(start, Span::parse(whole).map(Literal::Span)),
            tail if is_code(tail) => {
                let message = format!("`{whole}`: an amount has a space before its currency");
                self.slip(start, codes::CONDITION_LITERAL, message, "no space", &format!("write `{plain} {tail}`"));
                Token::Broken
            }
            tail => {
                let message = format!("`{whole}` is neither a number nor a name");
                let help = if tail.chars().all(char::is_alphabetic) {
                    "a span of time is a whole number with `s`, `m`, `h` or `d`, such as `36h` or `21d`; text stands \
                     in quotes"
                } else {
                    LITERALS
                };
                self.slip(start, codes::CONDITION_LITERAL, message, "cannot be read", help);
                Token::Broken
            }
        }
    }

    /// What people write where hours are meant.
    fn time_of_day(&mut self, start: usize) -> Token {
        let time = self.text.get(start..self.at).unwrap_or_default();
        let message = format!("`{time}` is a time of day, and conditions have whole hours only");
        let help = "hours are numbers from 0 to 23: write `hour_of_day >= 18`; times to the minute are for `dayparts` \
                    of `availability`";
        self.slip(start, codes::CONDITION_LITERAL, message, "not a number", help);
        Token::Broken
    }

    /// A currency behind the number just read, with the spaces before it.
    fn currency(&mut self) -> Option<&'a str> {
        let rest = self.rest().trim_start();
        let end = rest.find(|letter: char| !(letter.is_alphanumeric() || "_.".contains(letter))).unwrap_or(rest.len());
        let code = rest.get(..end).filter(|word| is_code(word) && !["AND", "NOT"].contains(word))?;
        self.at = self.text.len() - rest.len() + 3;
        Some(code)
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        let word = self.take(|letter| letter.is_alphanumeric() || "_.".contains(letter));
        let trimmed = word.trim_end_matches('.');
        self.at -= word.len() - trimmed.len();
        let (token, meant) = match trimmed {
            "true" => return Token::Literal(Literal::Bool(true)),
            "false" => return Token::Literal(Literal::Bool(false)),
            "in" => return Token::In,
            "and" | "AND" => (Token::Op(Op::And), "&&"),
            "or" | "OR" => (Token::Op(Op::Or), "||"),
            "not" | "NOT" => (Token::Not, "!"),
            "True" | "TRUE" => (Token::Literal(Literal::Bool(true)), "true"),
            "False" | "FALSE" => (Token::Literal(Literal::Bool(false)), "false"),
            "null" | "nil" | "None" | "NULL" => {
                let message = format!("`{trimmed}`: a missing value is compared with nothing");
                let help = "ask `has(customer.tier)` for there being a value, `!has(customer.tier)` for its absence";
                self.slip(start, codes::CONDITION_LEFT_OUT, message, "not a value", help);
                return Token::Broken;
            }
            name => return Token::Name(name.to_owned()),
        };
        self.slip(
            start,
            codes::CONDITION_SYNTAX,
            format!("`{trimmed}` is not spelt so"),
            &format!("write `{meant}`"),
            "",
        );
        token
    }

    fn string(&mut self, quote: char) -> Token {
        let start = self.at;
        let mut held = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                _ if letter == quote => {
                    self.at = start + at + 1;
                    return Token::Literal(Literal::Text(held));
                }
                '\\' => match letters.next() {
                    Some((_, escaped)) if ['"', '\'', '\\'].contains(&escaped) => held.push(escaped),
                    other => {
                        self.at = start + at + 1 + other.map_or(0, |(_, letter)| letter.len_utf8());
                        let message = format!("`{}` means nothing in text", &self.text[start + at..self.at]);
                        let help = "a backslash stands before a quote or another backslash only";
                        self.slip(start + at, codes::CONDITION_LITERAL, message, "here", help);
                    }
                },
                _ => held.push(letter),
            }
        }
        self.at = self.text.len();
        let help = format!("end it with `{quote}`");
        self.slip(start, codes::CONDITION_SYNTAX, "text without an end".into(), "begins here", &help);
        Token::Broken
    }

    /// Operators and brackets, and what people write instead of them.
    fn sign(&mut self, letter: char) -> Option<Token> {
        let start = self.at;
        for (text, token, meant) in SIGNS {
            if self.rest().starts_with(text) {
                self.at += text.len();
                if !meant.is_empty() {
                    let label = format!("write `{meant}`");
                    self.slip(start, codes::CONDITION_SYNTAX, format!("`{text}` is not spelt so"), &label, "");
                }
                return Some(token);
            }
        }
        self.at += letter.len_utf8();
        let (code, message, help) = match letter {
            '/' => (
                codes::CONDITION_LEFT_OUT,
                "conditions do not divide".to_owned(),
                "multiply the other side instead: `offer.discount > offer.price * 50%`",
            ),
            '%' => (codes::CONDITION_SYNTAX, "`%` stands alone".to_owned(), "write it right behind its number: `15%`"),
            '?' | ':' => (
                codes::CONDITION_LEFT_OUT,
                format!("`{letter}`: conditions have no branches"),
                "write `a && b || !a && c`, or two rules",
            ),
            '“' | '”' | '„' | '‘' | '’' => {
                (codes::CONDITION_SYNTAX, format!("`{letter}` does not quote text"), "use straight quotes: `\"gold\"`")
            }
            '.' => (codes::CONDITION_SYNTAX, "`.` stands alone".to_owned(), "a number begins with a digit: `0.5`"),
            _ => (codes::CONDITION_SYNTAX, format!("`{letter}` has no meaning in a condition"), OPERATORS),
        };
        self.slip(start, code, message, "here", help);
        None
    }
}

/// Signs, and what people write instead of them with the sign meant. The longer before what it begins with.
const SIGNS: [(&str, Token, &str); 28] = [
    ("<>", Token::Op(Op::NotEqual), "!="),
    ("===", Token::Op(Op::Equal), "=="),
    ("!==", Token::Op(Op::NotEqual), "!="),
    ("&&", Token::Op(Op::And), ""),
    ("||", Token::Op(Op::Or), ""),
    ("==", Token::Op(Op::Equal), ""),
    ("!=", Token::Op(Op::NotEqual), ""),
    ("<=", Token::Op(Op::LessOrEqual), ""),
    (">=", Token::Op(Op::GreaterOrEqual), ""),
    ("=>", Token::Op(Op::GreaterOrEqual), ">="),
    ("=<", Token::Op(Op::LessOrEqual), "<="),
    ("=", Token::Op(Op::Equal), "=="),
    ("&", Token::Op(Op::And), "&&"),
    ("|", Token::Op(Op::Or), "||"),
    ("≥", Token::Op(Op::GreaterOrEqual), ">="),
    ("≤", Token::Op(Op::LessOrEqual), "<="),
    ("≠", Token::Op(Op::NotEqual), "!="),
    ("<", Token::Op(Op::Less), ""),
    (">", Token::Op(Op::Greater), ""),
    ("+", Token::Op(Op::Plus), ""),
    ("-", Token::Op(Op::Minus), ""),
    ("*", Token::Op(Op::Times), ""),
    ("!", Token::Not, ""),
    ("(", Token::Open, ""),
    (")", Token::Close, ""),
    ("[", Token::ListOpen, ""),
    ("]", Token::ListClose, ""),
    (",", Token::Comma, ""),
];

/// How values are written.
pub(super) const LITERALS: &str =
    "values are written `\"gold\"`, `3`, `0.25`, `15%`, `5.00 USD`, `2026-03-01`, `36h`, `true`";

/// What may stand between values.
pub(super) const OPERATORS: &str = "operators are `&& || ! == != < <= > >= in + - *`, with parentheses and `has(...)`";

fn is_code(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|b| b.is_ascii_uppercase())
}

fn looks_like_a_date(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() })
}

fn decimal(text: &str) -> Result<Literal, String> {
    if text.len() > 1 && text.starts_with('0') && !text.starts_with("0.") {
        let meant = text.trim_start_matches('0');
        let meant = if meant.starts_with(|letter: char| letter.is_ascii_digit()) { meant } else { "0" };
        return Err(format!("`{text}` begins with a zero: write `{meant}`"));
    }
    let number = parse_decimal(text, 6).map_err(|error| error.to_string())?;
    if number > NUMBER_MAX {
        return Err(format!("`{text}` is too large: numbers end at 1000000000000"));
    }
    Ok(Literal::Number(Number(number)))
}
