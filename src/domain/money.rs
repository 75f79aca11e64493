//! Money as integer minor units with its currency, and percents as basis points. Converts no currencies.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Malformed;

/// Every active ISO 4217 code that is money, four bytes each.
const CODES: &str = "\
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP \
CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG \
HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL \
MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR \
RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD \
TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG";

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode)]
#[serde(try_from = "String", into = "String")]
#[cbor(transparent)]
pub struct Currency(#[cbor(n(0), with = "minicbor::bytes")] [u8; 3]);

impl Currency {
    /// Parses a code such as `USD`.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let known = CODES.split_ascii_whitespace().any(|code| code == text);
        let bytes = text.as_bytes().try_into().ok().filter(|_| known);
        bytes.map(Self).ok_or_else(|| {
            Malformed(format!("`{text}` is not a currency: expected an ISO 4217 code such as `USD` or `EUR`"))
        })
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Digits behind the decimal point.
    pub fn exponent(&self) -> u32 {
        match self.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
            | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        Self::parse(&text)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The largest amount accepted at the door, in minor units: far above any price, far below overflow.
pub const MINOR_MAX: i64 = 1_000_000_000_000;

/// Parses decimal text such as `-14.20` into an integer scaled by `10^digits`, exactly.
pub fn parse_decimal(text: &str, digits: u32) -> Result<i64, Malformed> {
    let wrong = || {
        let shown: String = text.chars().take(40).collect();
        Malformed(format!("`{shown}` is not a decimal number with at most {digits} digits behind the point"))
    };
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let digits = usize::try_from(digits).map_err(|_| wrong())?;
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let dangling = rest.ends_with('.');
    if whole.is_empty() || whole.len() > 13 || dangling || fraction.len() > digits || !plain(whole) || !plain(fraction)
    {
        return Err(wrong());
    }
    let padded = format!("{whole}{fraction:0<digits$}");
    padded.parse::<i64>().map(|value| sign * value).map_err(|_| wrong())
}

/// Prints an integer scaled by `10^digits` as decimal text; the inverse of [`parse_decimal`].
pub fn print_decimal(value: i64, digits: u32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let scale = 10_u64.pow(digits);
    let (whole, fraction) = (value.unsigned_abs() / scale, value.unsigned_abs() % scale);
    if digits == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{fraction:0width$}", width = digits as usize)
}

/// An amount of money: integer minor units of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Money {
    /// Minor units, such as cents.
    #[n(0)]
    pub minor: i64,
    /// What they are units of.
    #[n(1)]
    pub currency: Currency,
}

impl Money {
    /// Parses decimal text and refuses digits the currency does not have.
    pub fn parse(amount: &str, currency: Currency) -> Result<Self, Malformed> {
        let minor = parse_decimal(amount, currency.exponent())
            .map_err(|error| Malformed(format!("{error}, as {currency} has")))?;
        if minor.abs() > MINOR_MAX {
            return Err(Malformed(format!(
                "`{amount}` {currency} is too large: at most {}",
                Self { minor: MINOR_MAX, currency }
            )));
        }
        Ok(Self { minor, currency })
    }

    /// The amount as decimal text, without the currency.
    pub fn amount(&self) -> String {
        print_decimal(self.minor, self.currency.exponent())
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

/// How money stands in JSON: `{"amount": "59.90", "currency": "USD"}`.
#[derive(Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an amount as text with its currency, such as `{\"amount\": \"59.90\", \"currency\": \"USD\"}`"
)]
struct MoneyText {
    amount: String,
    currency: Currency,
}

impl Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        MoneyText { amount: self.amount(), currency: self.currency }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = MoneyText::deserialize(deserializer)?;
        Self::parse(&text.amount, text.currency).map_err(serde::de::Error::custom)
    }
}

/// A share in basis points: 100 is one percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Encode, Decode)]
#[cbor(transparent)]
pub struct Percent(#[n(0)] pub i32);

impl Percent {
    /// Parses text such as `15%` or `2.5%`.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let wrong = || Malformed(format!("`{text}` is not a percent: expected text such as `15%` or `2.5%`"));
        let number = text.strip_suffix('%').ok_or_else(wrong)?;
        let points = parse_decimal(number.trim_end(), 2).map_err(|_| wrong())?;
        i32::try_from(points).map(Self).map_err(|_| wrong())
    }
}

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = print_decimal(i64::from(self.0), 2);
        write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn money_keeps_every_cent_and_refuses_what_is_not_money() {
        let usd = Currency::parse("USD").unwrap();
        let jpy = Currency::parse("JPY").unwrap();
        assert_eq!(Money::parse("59.90", usd).unwrap().minor, 5990);
        assert_eq!(Money::parse("-0.05", usd).unwrap().to_string(), "-0.05 USD");
        assert_eq!(Money::parse("300", jpy).unwrap().to_string(), "300 JPY");
        for bad in ["", ".5", "5.", "1e3", "1,5", "+1", "1.005", "--1", "99999999999999"] {
            assert!(Money::parse(bad, usd).is_err(), "{bad}");
        }
        assert_eq!(
            Money::parse("1.5", jpy).unwrap_err().to_string(),
            "`1.5` is not a decimal number with at most 0 digits behind the point, as JPY has"
        );
        assert_eq!(
            Currency::parse("usd").unwrap_err().to_string(),
            "`usd` is not a currency: expected an ISO 4217 code such as `USD` or `EUR`"
        );
    }

    #[test]
    fn percents_are_basis_points() {
        assert_eq!(Percent::parse("15%"), Ok(Percent(1500)));
        assert_eq!(Percent::parse("2.5%").unwrap().to_string(), "2.5%");
        assert_eq!(Percent(1000).to_string(), "10%");
        assert!(Percent::parse("15").is_err());
    }

    proptest! {
        #[test]
        fn parse_of_print_is_the_same_amount(minor in -MINOR_MAX..MINOR_MAX, digits in 0_u32..4) {
            prop_assert_eq!(parse_decimal(&print_decimal(minor, digits), digits), Ok(minor));
        }
    }
}
