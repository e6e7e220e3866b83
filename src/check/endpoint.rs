//! Where a service is: as the user's variables say, or by the region.
//!
//! Rules: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html> and the endpoint rules of the SDKs.

use crate::world::Environment;

/// An AWS service that is asked.
pub struct Service {
    /// The first part of its host's name.
    pub host: &'static str,
    /// What it is called in signatures.
    pub signs_as: &'static str,
    /// The variable that moves it.
    variable: &'static str,
}

pub const STS: Service = Service { host: "sts", signs_as: "sts", variable: "AWS_ENDPOINT_URL_STS" };
pub const BEDROCK: Service =
    Service { host: "bedrock", signs_as: "bedrock", variable: "AWS_ENDPOINT_URL_BEDROCK" };
pub const BEDROCK_RUNTIME: Service = Service {
    host: "bedrock-runtime",
    signs_as: "bedrock",
    variable: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
};

/// What hosts end with, by the beginning of the region.
const SUFFIXES: [(&str, &str); 3] =
    [("cn-", "amazonaws.com.cn"), ("eusc-", "amazonaws.eu"), ("", "amazonaws.com")];

/// The address of a service, without a slash at its end.
pub fn endpoint(service: &Service, region: &str, env: &Environment) -> String {
    let says = |name: &str| env.non_empty(name).map(|value| value.to_string_lossy().into_owned());
    let is_on = |name: &str| says(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let configured = says(service.variable).or_else(|| says("AWS_ENDPOINT_URL"));
    if let Some(url) = configured.filter(|_| !is_on("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) {
        return url.trim_end_matches('/').to_owned();
    }
    // In GovCloud, STS has only such endpoints, under the usual name.
    let named = service.host == "sts" && region.starts_with("us-gov-");
    let fips = if is_on("AWS_USE_FIPS_ENDPOINT") && !named { "-fips" } else { "" };
    let suffix = SUFFIXES.iter().find(|(start, _)| region.starts_with(start));
    format!("https://{}{fips}.{region}.{}", service.host, suffix.map_or("", |(_, suffix)| suffix))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn with(service: &Service, region: &str, variables: &[(&str, &str)]) -> String {
        let pair = |(name, value): &(&str, &str)| (OsString::from(name), OsString::from(value));
        endpoint(service, region, &variables.iter().map(pair).collect())
    }

    #[test]
    fn a_service_is_where_its_partition_is() {
        for (service, region, expected) in [
            (&STS, "eu-west-1", "https://sts.eu-west-1.amazonaws.com"),
            (&BEDROCK, "cn-north-1", "https://bedrock.cn-north-1.amazonaws.com.cn"),
            (
                &BEDROCK_RUNTIME,
                "us-gov-west-1",
                "https://bedrock-runtime.us-gov-west-1.amazonaws.com",
            ),
            (&BEDROCK, "eusc-de-east-1", "https://bedrock.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(with(service, region, &[]), expected);
        }
    }

    #[test]
    fn fips_endpoints_have_names_of_their_own() {
        let fips = [("AWS_USE_FIPS_ENDPOINT", "True")];
        for (service, region, expected) in [
            (&STS, "us-east-1", "https://sts-fips.us-east-1.amazonaws.com"),
            (&STS, "us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com"),
            (&BEDROCK, "us-gov-west-1", "https://bedrock-fips.us-gov-west-1.amazonaws.com"),
            (&BEDROCK_RUNTIME, "us-west-2", "https://bedrock-runtime-fips.us-west-2.amazonaws.com"),
        ] {
            assert_eq!(with(service, region, &fips), expected);
        }
        let off = [("AWS_USE_FIPS_ENDPOINT", "false")];
        assert_eq!(with(&STS, "us-east-1", &off), "https://sts.us-east-1.amazonaws.com");
    }

    #[test]
    fn a_services_own_variable_goes_before_the_common_one() {
        let both = [
            ("AWS_ENDPOINT_URL", "http://localhost:4566/"),
            ("AWS_ENDPOINT_URL_BEDROCK", "https://vpce.example.com"),
            ("AWS_ENDPOINT_URL_STS", ""),
        ];
        assert_eq!(with(&BEDROCK, "us-east-1", &both), "https://vpce.example.com");
        assert_eq!(with(&BEDROCK_RUNTIME, "us-east-1", &both), "http://localhost:4566");
        assert_eq!(with(&STS, "us-east-1", &both), "http://localhost:4566");
        let ignored = [both[0], both[1], ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
        assert_eq!(
            with(&BEDROCK, "us-east-1", &ignored),
            "https://bedrock.us-east-1.amazonaws.com"
        );
    }
}
