//! Region: the form of a region's name, and the names that are known (AWS General Reference, "AWS
//! Regions"; botocore's list of 2026-11). A region that is not known yet is accepted all the same.

/// The known regions. They only serve suggestions.
const KNOWN: [&str; 46] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// Whether `text` has the form of a region, such as `us-gov-west-1`: lower-case words and a number,
/// joined by hyphens. The region becomes part of a host name.
#[must_use]
pub fn is_region(text: &str) -> bool {
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    match text.rsplit_once('-') {
        Some((words, number)) => {
            words.contains('-')
                && words.split('-').all(word)
                && matches!(number.len(), 1 | 2)
                && number.bytes().all(|b| b.is_ascii_digit())
        }
        None => false,
    }
}

/// The known region that `text` is written like: in capitals, with blanks or other hyphens, or with
/// the letter of an availability zone behind it.
#[must_use]
pub fn suggestion(text: &str) -> Option<&'static str> {
    let bare = |text: &str| -> String {
        let characters = text.chars().filter(char::is_ascii_alphanumeric);
        characters.map(|c| c.to_ascii_lowercase()).collect()
    };
    let given = bare(text);
    let zone = given.trim_end_matches(|c: char| c.is_ascii_lowercase());
    KNOWN
        .into_iter()
        .find(|known| [given.as_str(), zone].contains(&bare(known).as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_of_every_partition_are_accepted() {
        assert!(KNOWN.into_iter().all(is_region));
        for other in [
            "",
            "1",
            "sydney",
            "us-1",
            "us--1",
            "-east-1",
            "us-east-",
            "us-east-100",
            "us-east-1a",
            "US-east-1",
            "us_east_1",
            "us-east1-1",
            "us-east-1.evil",
        ] {
            assert!(!is_region(other), "{other}");
        }
    }

    #[test]
    fn a_region_that_is_written_otherwise_is_suggested() {
        for (text, expected) in [
            ("Ap-Southeast-2", Some("ap-southeast-2")),
            ("ap-south east-2", Some("ap-southeast-2")),
            ("us_east_1", Some("us-east-1")),
            ("useast1", Some("us-east-1")),
            ("eu\u{2011}west\u{2011}1", Some("eu-west-1")),
            ("us-east-1b", Some("us-east-1")),
            ("us-gov-west-1", Some("us-gov-west-1")),
            ("mars-1", None),
            ("sydney", None),
            ("", None),
        ] {
            assert_eq!(suggestion(text), expected, "{text}");
        }
    }
}
