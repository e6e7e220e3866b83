//! When credentials expire: the spellings of the time, and how long is left.
//!
//! No standard says how tools write the time, so whatever is unambiguous is read.
//!
//! `2030-01-02T03:04:05Z` (most tools), `2030-01-02 03:04:05` in UTC (aws-mfa), `2030-01-02 03:04:05 +0000 UTC` (Go's
//! default), and Unix seconds or milliseconds.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The keys that hold an expiry time, the most specific first.
pub(super) const KEYS: [&str; 4] =
    ["aws_session_expiration", "aws_expiration", "expiration", "x_security_token_expires"];

/// No spelling is longer; what is longer need not be looked at.
const LONGEST: usize = 64;

/// Reads a time. One without a zone is UTC.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > LONGEST {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return from_unix(text);
    }
    let text = match *text.split_ascii_whitespace().collect::<Vec<_>>() {
        [time] => time.to_owned(),
        [date, time] | [date, time, "UTC"] => format!("{date}T{time}"),
        // A zone's name adds nothing to an offset.
        [date, time, offset] | [date, time, offset, _] => format!("{date}T{time}{offset}"),
        _ => return None,
    };
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    // A civil time also parses with an offset, and drops it: only what has none may get here.
    let time_of_day = text.split_once(['T', 't']).map_or("", |(_, time)| time);
    if time_of_day.contains(['+', '-', 'Z', 'z', '[']) {
        return None;
    }
    let time = text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(time.timestamp())
}

/// Ten digits are seconds, until the year 2286; thirteen are milliseconds. Anything else is not a time of our days.
fn from_unix(digits: &str) -> Option<Timestamp> {
    let number = digits.parse().ok()?;
    let since_epoch = match digits.len() {
        10 => SignedDuration::from_secs(number),
        13 => SignedDuration::from_millis(number),
        _ => return None,
    };
    Timestamp::UNIX_EPOCH.checked_add(since_epoch).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        parse(text).map(Timestamp::as_second)
    }

    /// 2030-01-02T03:04:05Z
    const THEN: i64 = 1_893_553_445;

    #[test]
    fn one_moment_is_read_in_every_spelling_seen_in_the_wild() {
        for text in [
            "2030-01-02T03:04:05Z",
            "2030-01-02t03:04:05z",
            "2030-01-02T03:04:05+00:00",
            "2030-01-02T03:04:05+0000",
            "2030-01-02T04:04:05+01:00",
            "2030-01-02T03:04:05.000Z",
            "2030-01-02T03:04:05",
            "2030-01-02 03:04:05",
            "2030-01-02 03:04:05Z",
            "2030-01-02 03:04:05+00:00",
            "2030-01-02 03:04:05 +0000",
            "2030-01-02 03:04:05 +0000 UTC",
            "2030-01-02 05:04:05 +0200 CEST",
            "2030-01-02 03:04:05 UTC",
            "20300102T030405Z",
            "1893553445",
            "1893553445000",
            "  2030-01-02T03:04:05Z\t",
        ] {
            assert_eq!(seconds(text), Some(THEN), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_time_is_not_guessed_at() {
        for text in [
            "",
            " ",
            "never",
            "2030-13-02T03:04:05Z",
            "2030-01-02T25:04:05+00:00",
            "2030-01-02T03:04:05+99:00",
            "2030-01-02 03:04:05 PST",
            "2030-01-02 03:04:05 +0000 UTC m=+0.001",
            "20300102",
            "99999999999999999999999",
            "-1893553445",
            "03:04:05",
            "٢٠٣٠-٠١-٠٢",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
        assert_eq!(seconds(&"2030-01-02T03:04:05Z ".repeat(1 << 20)), None);
    }
}
