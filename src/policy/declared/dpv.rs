//! Purposes of the W3C Data Privacy Vocabulary (DPV 2.0, <https://w3id.org/dpv>), by term and by IRI. Says nothing of
//! what a purpose allows.

/// Every purpose of the vocabulary by its term, sorted.
#[rustfmt::skip]
pub(in crate::policy) const PURPOSES: [&str; 96] = [
    "AcademicResearch", "AccountManagement", "Advertising", "AgeVerification", "CombatClimateChange",
    "CommercialPurpose", "CommercialResearch", "CommunicationForCustomerCare", "CommunicationManagement",
    "CounterMoneyLaundering", "Counterterrorism", "CreditChecking", "CustomerCare", "CustomerClaimsManagement",
    "CustomerManagement", "CustomerOrderManagement", "CustomerRelationshipManagement", "CustomerSolvencyMonitoring",
    "DataAltruism", "DeliveryOfGoods", "DirectMarketing", "DisputeManagement", "EnforceAccessControl",
    "EnforceSecurity", "EstablishContractualAgreement", "FraudPreventionAndDetection",
    "FulfilmentOfContractualObligation", "FulfilmentOfObligation", "HumanResourceManagement",
    "IdentityAuthentication", "IdentityVerification", "ImproveExistingProductsAndServices", "ImproveHealthcare",
    "ImproveInternalCRMProcesses", "ImprovePublicServices", "ImproveTransportMobility", "IncreaseServiceRobustness",
    "InternalResourceOptimisation", "LegalCompliance", "MaintainCreditCheckingDatabase",
    "MaintainCreditRatingDatabase", "MaintainFraudDatabase", "Marketing", "MemberPartnerManagement",
    "MisusePreventionAndDetection", "NonCommercialPurpose", "NonCommercialResearch", "OptimisationForConsumer",
    "OptimisationForController", "OptimiseUserInterface", "OrganisationComplianceManagement",
    "OrganisationGovernance", "OrganisationRiskManagement", "PaymentManagement", "Personalisation",
    "PersonalisedAdvertising", "PersonalisedBenefits", "PersonnelHiring", "PersonnelManagement", "PersonnelPayment",
    "ProtectionOfIPR", "ProtectionOfNationalSecurity", "ProtectionOfPublicSecurity", "ProvideEventRecommendations",
    "ProvideOfficialStatistics", "ProvidePersonalisedRecommendations", "ProvideProductRecommendations",
    "PublicBenefit", "PublicPolicyMaking", "PublicRelations", "Purpose", "RecordManagement", "RepairImpairments",
    "RequestedServiceProvision", "ResearchAndDevelopment", "RightsFulfillment", "ScientificResearch",
    "SearchFunctionalities", "SellDataToThirdParties", "SellInsightsFromData", "SellProducts",
    "SellProductsToDataSubject", "ServiceOptimisation", "ServicePersonalisation", "ServiceProvision",
    "ServiceRegistration", "ServiceUsageAnalytics", "SocialMediaMarketing", "TargetedAdvertising",
    "TechnicalServiceProvision", "UserInterfacePersonalisation", "VendorManagement", "VendorPayment",
    "VendorRecordsManagement", "VendorSelectionAssessment", "Verification",
];

const NAMESPACE: &str = "https://w3id.org/dpv#";

/// Where terms may stand: the IRI without a version and those with one, and the usual prefix.
const BEGINNINGS: [&str; 6] = [
    NAMESPACE,
    "http://w3id.org/dpv#",
    "https://www.w3id.org/dpv#",
    "https://w3id.org/dpv/2.0#",
    "https://w3id.org/dpv/2.1#",
    "dpv:",
];

/// The term alone, however it is written.
pub(in crate::policy) fn term(text: &str) -> &str {
    BEGINNINGS.iter().find_map(|beginning| text.strip_prefix(beginning)).unwrap_or(text)
}

/// The IRI of a purpose, given as a term or as an IRI; one of another vocabulary stays as it is. Nothing where the
/// vocabulary has no such purpose.
pub(in crate::policy) fn iri(text: &str) -> Option<String> {
    let term = term(text);
    if PURPOSES.binary_search(&term).is_ok() {
        return Some([NAMESPACE, term].concat());
    }
    let (_, rest) = text.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme))?;
    let foreign =
        term == text && !rest.starts_with("w3id.org/dpv#") && rest.len() > 1 && !rest.contains(char::is_whitespace);
    foreign.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_given_as_a_term_or_as_an_iri_and_is_always_an_iri() {
        let marketing = Some("https://w3id.org/dpv#Marketing".to_owned());
        for text in
            ["Marketing", "dpv:Marketing", "https://w3id.org/dpv#Marketing", "https://w3id.org/dpv/2.0#Marketing"]
        {
            assert_eq!(iri(text), marketing, "{text}");
        }
        let own = "https://shop.example/purposes#welcome";
        assert_eq!(iri(own), Some(own.to_owned()));
        for text in [
            "",
            "marketing",
            "Marketin",
            "dpv:Sales",
            "https://w3id.org/dpv#Sales",
            "https://w3id.org/dpv/2.0#",
            "https://",
            "ftp://a/b",
        ] {
            assert_eq!(iri(text), None, "{text}");
        }
        assert!(PURPOSES.is_sorted());
    }
}
