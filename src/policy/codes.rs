//! Codes of findings: one stable code per kind of mistake, with its meaning. Finds nothing itself.
//!
//! `P00` is about files and their syntax, `P01` about fields and names, `P02` about what the policies would do, `P03`
//! about conditions and about when rules hold, `P04` about tests, `P05` about approvals.
//! A code is never given a second meaning; a retired one stays unused.

macro_rules! codes {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $name: &str = $code;)*

        /// Every code with its meaning, in order.
        pub const CODES: &[(&str, &str)] = &[$(($code, $meaning)),*];
    };
}

codes! {
    SYNTAX = "P0001", "the file is not well-formed YAML";
    TAB = "P0002", "a tab indents a line; YAML is indented with spaces";
    ANCHOR = "P0003", "an anchor, alias or merge key; every value is written where it counts";
    TAG = "P0004", "a YAML tag; types come from the field";
    DOCUMENTS = "P0005", "more than one YAML document in a file";
    FIELD_TWICE = "P0006", "a field is given twice";
    FILE_UNKNOWN = "P0007", "a file that a bundle does not have";
    FILE_MISSING = "P0008", "a file that every bundle needs is missing";
    FILE_TWICE = "P0009", "the same file is given twice";
    FIELD_UNKNOWN = "P0101", "an unknown field or list";
    FIELD_MISSING = "P0102", "a field that is needed is missing";
    TYPE = "P0103", "a value of another type than the field has";
    VALUE = "P0104", "a value that cannot be read as what the field holds";
    RANGE = "P0105", "a number or a span outside its range";
    CHOICE = "P0106", "a name that is not among those the field allows";
    ATTRIBUTE_UNKNOWN = "P0107", "an attribute that is not in catalog/attributes.yaml";
    PLACEMENT_UNKNOWN = "P0108", "a placement that is not in placements.yaml";
    PURPOSE_UNKNOWN = "P0109", "a purpose that is not in catalog/purposes.yaml";
    CATEGORY_UNKNOWN = "P0110", "a category that `offer.category` does not declare";
    CHANNEL_UNKNOWN = "P0111", "a channel that no placement uses";
    ID_TWICE = "P0112", "an id is declared twice";
    NOT_YET = "P0113", "a part of the language that is not available yet";
    WHY_EMPTY = "P0114", "a rule without its justification";
    NOT_BOOLEAN = "P0115", "a truth value written other than `true` or `false`";
    LIST_EMPTY = "P0116", "a list with nothing in it";
    ENTRY_TWICE = "P0117", "a list names the same thing twice";
    ID_RESERVED = "P0118", "an id that begins with `proffer.`, which names built-in rules";
    CALENDAR_UNKNOWN = "P0119", "a calendar that is not in catalog/calendars.yaml";
    CLASS_PUBLIC = "P0201", "a customer attribute classed as public";
    CATEGORY_KIND = "P0202", "`offer.category` declared as something other than an enum of category names";
    FEATURE_TEXT = "P0203", "a feature over free text";
    FEATURE_CLASS = "P0204", "a feature over a sensitive or protected attribute";
    FEATURE_WIDE = "P0205", "features with too many dimensions together";
    FEATURE_FACTORS = "P0206", "a feature with more than two factors";
    CAP_ZERO = "P0207", "a cap of zero";
    EXPLORATION_ZERO = "P0208", "`linucb` or `epsilon_greedy` without exploration";
    SETTING_UNUSED = "P0209", "a setting given to a strategy that has none of it";
    PURPOSE_CIRCLE = "P0210", "fallback purposes that lead back to themselves";
    BASES_NONE = "P0211", "a gate for a purpose without lawful bases";
    FLOOR_CURRENCY = "P0212", "a floor in another currency than a placement it applies to";
    GATE_OFFERS = "P0213", "a gate limited to offers";
    RULES_MANY = "P0214", "more rules than a bundle can number";
    SHARES = "P0215", "challengers that leave the champion nobody";
    CHAMPION = "P0216", "a challenger that is called as the champion is";
    OVERRIDABLE = "P0217", "a rule that no override may lift, declared as one that it may";
    SEVERITY_GATE = "P0218", "a gate that would refuse nothing";
    // Kept for kinds to come: P0243 to P0249 caps, P0282 to P0289 pools. Ranks: `rules/kinds.rs`.
    DELAY_CURVE = "P0230", "steps that make no delay curve";
    VALUE_UNUSED = "P0231", "a learned value where none counts";
    COOL_DOWN_UNLESS = "P0240", "`unless` with an event that cannot undo what the cool-down counts";
    ZONE_STORE = "P0241", "the time zone `store` where catalog/stores.yaml declares none";
    STORE_UNKNOWN = "P0242", "a store that is not in catalog/stores.yaml";
    CAP_SESSION = "P0245", "a cap within a session that counts for something larger than a session";
    PRICE_LIMIT_ONE = "P0250", "a price limit that says nothing to keep to, or several things";
    PRICE_CURRENCY = "P0251", "a price limit in another currency than a placement it applies to";
    PRICE_PERSONAL_EMPTY = "P0252", "a rule about personalised prices that asks for nothing";
    PRICE_ATTRIBUTE = "P0253", "an attribute that may not move a price, or that tells no product";
    SWITCH_SEVERITY = "P0260", "a switch or an override that would only speak";
    SWITCH_EFFECTIVE = "P0261", "a switch or an override without a beginning or an end, or for more than 14 days";
    SWITCH_STOP = "P0262", "a switch that stops nothing";
    OVERRIDE_CONTRADICTS = "P0263", "two overrides that contradict each other at the same time and place";
    SWITCH_OFFERS = "P0264", "a switch or an override limited to offers by `applies_to`";
    CATEGORY_EXCLUSION_EMPTY = "P0265", "a category exclusion that names neither categories nor brands";
    BRAND_UNDECLARED = "P0266", "a brand that `offer.brand` does not say";
    LINEAGE_CLASS = "P0270", "an attribute classed below what it is derived from";
    LINEAGE_CIRCLE = "P0271", "an attribute that is derived from itself";
    RULE_CLASS = "P0272", "a rule over a protected attribute, or over a sensitive one that it may not read";
    FAIRNESS_ATTRIBUTE = "P0273", "a fairness gate over an attribute that names no groups, or that no rule may read";
    FAIRNESS_CHECK = "P0274", "a fairness gate that says neither or both of `check` and `metric`, or another's limit";
    FAIRNESS_CONSENT = "P0275", "a fairness gate that measures where no gate asks for consent to `measurement`";
    FAIRNESS_CURRENCY = "P0276", "a measure of parity over placements of several currencies";
    BUDGET_CURRENCY = "P0280", "a budget in another currency than a placement it applies to";
    BUDGET_PACE = "P0281", "a pace for a window that never ends";
    CONDITION_SYNTAX = "P0301", "a condition that cannot be read";
    CONDITION_LEFT_OUT = "P0302", "something that conditions leave out: functions, division, branches, null";
    CONDITION_LITERAL = "P0303", "a number, amount, date, span or text in a condition that cannot be read";
    CONDITION_TYPE = "P0304", "values that do not go together in a condition";
    CONDITION_VALUE = "P0305", "a value that an enum does not have";
    CONDITION_CURRENCY = "P0306", "an amount in another currency than a placement its rule applies to";
    CONDITION_NAME = "P0307", "a name that is built in and declared as well";
    CONDITION_LARGE = "P0308", "a condition that is too long, too deep, or may compute too large a number";
    CONDITION_CONSTANT = "P0309", "a condition that reads nothing";
    AVAILABILITY_EMPTY = "P0310", "a rule of availability that says neither where nor when";
    INTERVAL = "P0311", "an interval without ends, without a time zone for its dates, or that ends before it begins";
    ON_MISSING_UNUSED = "P0312", "`on_missing: allow` for a rule that reads no attribute";
    DAYPART = "P0320", "a part of the day with nothing in it, or a time zone that no part of the day reads";
    LOYALTY_EMPTY = "P0321", "a rule of loyalty that asks for nothing";
    LOYALTY_ATTRIBUTE = "P0322", "an attribute that cannot say what a rule of loyalty asks for";
    GATE_BASIS = "P0323", "a gate for a basis that its purpose allows nowhere";
    SIGNAL_UNUSED = "P0324", "a purpose that obeys a signal and has no gate";
    DPV_UNKNOWN = "P0325", "a purpose that the W3C Data Privacy Vocabulary does not have";
    GUARD_WHEN = "P0326", "a guard of an audience that says in no way or in two who belongs to it";
    GUARD_OFFER = "P0327", "a guard of an audience that reads offers, the basket or the hour";
    GUARD_ATTRIBUTE = "P0328", "an attribute that cannot say who belongs to an audience";
    FIXTURE_UNKNOWN = "P0401", "a customer, offer or campaign that no fixture of the tests names";
    RULE_UNKNOWN = "P0402", "a test that names a rule which the bundle does not have";
    FIXTURE_CIRCLE = "P0403", "fixtures that are like each other in a circle";
    FIXTURE_WRONG = "P0404", "an offer in a test that no catalogue could hold";
    CASE_PLACEMENT = "P0405", "a test that does not say where it asks";
    CASE_TIME = "P0406", "a test that does not say when, or names a time that clocks leap over";
    CASE_BEHIND = "P0407", "offers in earlier slots that cannot stand there";
    CASE_NOTES = "P0408", "notes about an offer of which nothing else is expected";
    APPROVAL_MISSING = "P0501", "a use of an attribute, or a bundle, that nobody approved";
    APPROVAL_EXPIRED = "P0502", "an approval that has expired";
    APPROVAL_REVOKED = "P0503", "an approval that was taken back";
    APPROVAL_VOIDED = "P0504", "an approval of something that was edited since";
    APPROVAL_ONE_PERSON = "P0505", "approvals under both authorities by one person";
    APPROVAL_WEAKENED = "P0506", "a bundle that asks for less approval than the one in force";
}

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn codes_are_distinct_and_in_order() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
