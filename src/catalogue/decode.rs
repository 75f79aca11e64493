//! Bytes of a file to text, and the words a person writes to amounts, instants and values. Knows no file format.

use chrono_tz::Tz;

use super::tree::short;
use crate::domain::money::parse_decimal;
use crate::domain::{Currency, Malformed, Money, Number, Timestamp, Value};
use crate::policy::{AttributeKind, AttributeSpec, date, day_start, did_you_mean};

/// The text of a file, and what is wrong with its bytes, with the line. Text that is not UTF-8 is read as Latin-1, so
/// that its other mistakes are found too.
pub(super) fn text(bytes: &[u8], format: &str) -> (String, Option<(usize, String)>) {
    if bytes.starts_with(b"PK\x03\x04") {
        return (String::new(), Some((0, format!("this is a workbook, not {format}: save it as `CSV UTF-8`"))));
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") || bytes.iter().take(4).any(|byte| *byte == 0) {
        let message = format!("this is not {format} in UTF-8 but UTF-16 or binary: save it as UTF-8 (`CSV UTF-8`)");
        return (String::new(), Some((0, message)));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return (text.to_owned(), None),
        Err(error) => error.valid_up_to(),
    };
    let (before, rest) = bytes.split_at(error);
    let line = 1 + before.split(|byte| *byte == b'\n').count() - 1;
    let byte = rest.first().copied().unwrap_or_default();
    let start = before.iter().rposition(|byte| !byte.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
    let behind = rest.iter().skip(1).take_while(|byte| byte.is_ascii_alphanumeric());
    let word: String = before[start..].iter().chain([&byte]).chain(behind).map(|byte| char::from(*byte)).collect();
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| std::str::from_utf8(line).is_err()).count();
    let more = if lines > 1 { format!(" (the first of {lines} such lines)") } else { String::new() };
    let message = format!(
        "the byte `0x{byte:02X}` is not UTF-8{more}; in Latin-1 it stands in `{}`: save the file as UTF-8 (`CSV UTF-8` \
         in a spreadsheet)",
        short(&word)
    );
    (bytes.iter().map(|byte| char::from(*byte)).collect(), Some((line, message)))
}

/// `59.90 USD`, or `59.90` where a currency is known.
pub(super) fn money(text: &str, currency: Option<Currency>) -> Result<Money, Malformed> {
    let text = text.trim();
    if let Some(sign) = text.chars().find(|c| ['$', '€', '£', '¥'].contains(c)) {
        return Err(Malformed(format!(
            "`{}` has the sign `{sign}`, which several currencies share: write the code, such as `59.90 USD`",
            short(text)
        )));
    }
    let (amount, code) = match text.rsplit_once(char::is_whitespace) {
        Some((amount, code)) if code.starts_with(|c: char| c.is_alphabetic()) => (amount.trim_end(), Some(code)),
        _ => (text, None),
    };
    let code = code.map(currency_code).transpose()?;
    let amount = decimal(amount)?;
    if !amount.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(Malformed(format!("`{}` is not an amount: expected one such as `59.90 USD`", short(text))));
    }
    match code.or(currency) {
        Some(currency) => Money::parse(amount, currency),
        None => Err(Malformed(format!(
            "`{amount}` has no currency: write it behind the amount, such as `{amount} USD`, or in the column \
             `currency`"
        ))),
    }
}

/// A currency by its code.
pub(super) fn currency_code(code: &str) -> Result<Currency, Malformed> {
    Currency::parse(code).map_err(|error| {
        let upper = code.to_ascii_uppercase();
        let known = Currency::parse(&upper).is_ok();
        if known { Malformed(format!("`{code}` is not a currency: write it as `{upper}`")) } else { error }
    })
}

/// A number as it is written with a decimal point; one with commas is told what it may have meant.
fn decimal(text: &str) -> Result<&str, Malformed> {
    let Some(last) = text.rfind(',') else { return Ok(text) };
    let shown = short(text);
    let behind = text.len() - last - 1;
    let digits = |c: char| c.is_ascii_digit() || c == '-';
    let kept = |from: &str| from.chars().filter(|c| digits(*c)).collect::<String>();
    let message = if text.contains('.') && text.rfind('.') > Some(last) {
        format!("`{shown}` has a comma between thousands: write `{}`", text.replace(',', ""))
    } else if behind == 3 && text.matches(',').count() == 1 && !text.contains('.') {
        let (point, none) = (text.replace(',', "."), text.replace(',', ""));
        format!("`{shown}` has a comma: write `{point}` if it begins the decimals, `{none}` if it parts thousands")
    } else {
        format!("`{shown}` has a decimal comma: write `{}.{}`", kept(&text[..last]), kept(&text[last + 1..]))
    };
    Err(Malformed(message))
}

/// An instant, or a date: the first moment of that day in a time zone.
pub(super) fn instant(text: &str, zone: Tz) -> Result<Timestamp, Malformed> {
    let text = text.trim();
    if let Some(ms) = date(text) {
        return Ok(day_start(ms, zone));
    }
    Timestamp::parse(text).map_err(|_| {
        let way = mended(text).map(|date| format!("; write `{date}`")).unwrap_or_default();
        Malformed(format!(
            "`{}` is neither a date nor an instant: expected `2026-12-01` or `2026-12-01T09:30:00Z`{way}",
            short(text)
        ))
    })
}

/// A date as many people write it, the other way round. Nothing where day and month could be mistaken for each other.
fn mended(text: &str) -> Option<String> {
    let mark = ['.', '/', '-'].into_iter().find(|mark| text.matches(*mark).count() == 2)?;
    let parts: Vec<u32> = text.split(mark).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [a, b, c] = parts.try_into().ok()?;
    let (year, month, day) = match mark {
        _ if a > 31 => (a, b, c),
        // With points, the day comes first everywhere.
        '.' => (c, b, a),
        _ if a > 12 => (c, b, a),
        _ if b > 12 => (c, a, b),
        _ => return None,
    };
    let mended = format!("{year:04}-{month:02}-{day:02}");
    date(&mended).map(|_| mended)
}

/// A time zone by its name.
pub(super) fn time_zone(text: &str) -> Result<Tz, Malformed> {
    text.trim().parse().map_err(|_| {
        Malformed(format!("`{}` is not a time zone: expected an IANA name such as `Europe/Berlin`", short(text)))
    })
}

/// An attribute from words without quotes, as its declaration says. Of one that nobody declared, what it looks like.
pub(super) fn attribute(text: &str, spec: Option<&AttributeSpec>) -> Result<Value, Malformed> {
    let truth = |text: &str| match text.trim() {
        "true" | "TRUE" | "True" => Some(Value::Bool(true)),
        "false" | "FALSE" | "False" => Some(Value::Bool(false)),
        _ => None,
    };
    match spec.map(|spec| &spec.kind) {
        Some(AttributeKind::Bool) => truth(text).ok_or_else(|| {
            let meant = did_you_mean(text.trim(), ["true", "false"]);
            Malformed(format!("`{}` is neither `true` nor `false`{meant}", short(text)))
        }),
        Some(AttributeKind::Number { .. }) => {
            let number = decimal(text.trim())?;
            parse_decimal(number, 6).map(|millionths| Value::Number(Number(millionths)))
        }
        Some(_) => Ok(Value::Text(text.to_owned())),
        None => Ok(truth(text).unwrap_or_else(|| match number(text) {
            Some(number) => Value::Number(number),
            None => Value::Text(text.to_owned()),
        })),
    }
}

/// A number as JSON writes it, in millionths.
fn number(text: &str) -> Option<Number> {
    serde_json::from_str::<serde_json::Number>(text).ok()?;
    parse_decimal(text, 6).ok().map(Number)
}
