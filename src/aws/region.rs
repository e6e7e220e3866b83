//! The regions that AWS has, as far as we know. New ones appear every year, so an unknown one is never refused.

/// A line for each: its name, a blank, where it is. `tests/clients/regions` makes it.
const LIST: &str = include_str!("regions.txt");

/// Names of regions, and where they are.
pub fn known() -> impl Iterator<Item = (&'static str, &'static str)> {
    LIST.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '))
}

pub fn is_known(name: &str) -> bool {
    known().any(|(known, _)| known == name)
}

/// The day on which what the list was made from was published.
pub fn list_date() -> &'static str {
    LIST.lines().next().and_then(|line| line.rsplit(' ').next()).unwrap_or_default()
}

/// The known name that takes the fewest changes to get to, if it takes few.
pub fn nearest(name: &str) -> Option<&'static str> {
    const FEW: usize = 3;
    let name = name.to_ascii_lowercase();
    let changes = |(known, _)| (strsim::osa_distance(known, &name), known);
    let (_, near) =
        known().map(changes).filter(|(changes, _)| *changes <= FEW).min_by_key(|near| near.0)?;
    Some(near)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overrides::is_region_name;

    #[test]
    fn the_list_has_regions_with_their_places_and_a_date() {
        assert!(known().count() > 30);
        assert!(known().all(|(name, place)| is_region_name(name) && !place.is_empty()));
        assert!(is_known("eu-west-1") && is_known("us-gov-west-1") && !is_known("aws-global"));
        assert!(list_date().parse::<jiff::civil::Date>().is_ok(), "{}", list_date());
    }

    #[test]
    fn a_slip_of_the_keys_is_near_and_another_name_is_not() {
        for (typed, near) in [
            ("eu-wset-1", Some("eu-west-1")),
            ("US-EAST-1", Some("us-east-1")),
            ("uswest2", Some("us-west-2")),
            ("frankfurt", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed), near, "{typed}");
        }
    }
}
