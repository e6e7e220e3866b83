//! Where a service is: as the user's variables say, or by the region.
//!
//! Rules: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html> and the endpoint rules of the SDKs.

use crate::world::Environment;

/// The address of a service, without a slash at its end. It is named by the first part of its host.
pub fn endpoint(service: &str, region: &str, env: &Environment) -> String {
    let variable = format!("AWS_ENDPOINT_URL_{}", service.to_uppercase().replace('-', "_"));
    let is_on = |name| env.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let mut configured = [&*variable, "AWS_ENDPOINT_URL"].into_iter();
    let configured = configured.find_map(|name| env.non_empty(name));
    if let Some(url) = configured.filter(|_| !is_on("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) {
        return url.to_string_lossy().trim_end_matches('/').to_owned();
    }
    // In GovCloud, STS has only such endpoints, under the usual name.
    let named = service == "sts" && region.starts_with("us-gov-");
    let fips = if is_on("AWS_USE_FIPS_ENDPOINT") && !named { "-fips" } else { "" };
    let suffix = match region.split('-').next() {
        Some("cn") => "amazonaws.com.cn",
        Some("eusc") => "amazonaws.eu",
        _ => "amazonaws.com",
    };
    format!("https://{service}{fips}.{region}.{suffix}")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn with(service: &str, region: &str, variables: &[(&str, &str)]) -> String {
        let pair = |(name, value): &(&str, &str)| (OsString::from(name), OsString::from(value));
        endpoint(service, region, &variables.iter().map(pair).collect())
    }

    #[test]
    fn a_service_is_where_its_partition_is() {
        for (service, region, expected) in [
            ("sts", "eu-west-1", "https://sts.eu-west-1.amazonaws.com"),
            ("bedrock", "cn-north-1", "https://bedrock.cn-north-1.amazonaws.com.cn"),
            (
                "bedrock-runtime",
                "us-gov-west-1",
                "https://bedrock-runtime.us-gov-west-1.amazonaws.com",
            ),
            ("bedrock", "eusc-de-east-1", "https://bedrock.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(with(service, region, &[]), expected);
        }
    }

    #[test]
    fn a_fips_endpoint_is_used_where_the_user_says_so() {
        let fips = [("AWS_USE_FIPS_ENDPOINT", "True")];
        for (service, region, expected) in [
            ("sts", "us-east-1", "https://sts-fips.us-east-1.amazonaws.com"),
            ("sts", "us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com"),
            ("bedrock", "us-gov-west-1", "https://bedrock-fips.us-gov-west-1.amazonaws.com"),
        ] {
            assert_eq!(with(service, region, &fips), expected);
        }
        let off = [("AWS_USE_FIPS_ENDPOINT", "false")];
        assert_eq!(with("sts", "us-east-1", &off), "https://sts.us-east-1.amazonaws.com");
    }

    #[test]
    fn a_services_own_variable_goes_before_the_common_one() {
        let both = [
            ("AWS_ENDPOINT_URL", "http://localhost:4566/"),
            ("AWS_ENDPOINT_URL_BEDROCK", "https://vpce.example.com"),
            ("AWS_ENDPOINT_URL_STS", ""),
        ];
        assert_eq!(with("bedrock", "us-east-1", &both), "https://vpce.example.com");
        assert_eq!(with("bedrock-runtime", "us-east-1", &both), "http://localhost:4566");
        assert_eq!(with("sts", "us-east-1", &both), "http://localhost:4566");
        let ignored = [both[0], both[1], ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
        assert_eq!(
            with("bedrock", "us-east-1", &ignored),
            "https://bedrock.us-east-1.amazonaws.com"
        );
    }
}
