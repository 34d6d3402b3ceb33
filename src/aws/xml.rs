//! XML: decodes the responses of the query protocols, which are flat enough for a list of leaves.

use quick_xml::Reader;
use quick_xml::events::Event;

/// The elements that hold text, by local name and in document order, with their text trimmed.
/// `None` if `body` is not well-formed.
pub(super) fn leaves(body: &[u8]) -> Option<Vec<(String, String)>> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut leaves = Vec::new();
    let mut open: Option<(String, String)> = None;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                open = Some((start.local_name().as_ref().to_owned(), String::new()));
            }
            Event::End(_) => {
                if let Some((name, text)) = open.take() {
                    leaves.push((name, text.trim().to_owned()));
                }
            }
            Event::Text(text) => append(&mut open, &text.xml10_content()),
            Event::CData(text) => append(&mut open, &text.xml10_content()),
            Event::GeneralRef(entity) => match entity.resolve_char_ref().ok()? {
                Some(character) => append(&mut open, character.encode_utf8(&mut [0; 4])),
                None => append(
                    &mut open,
                    quick_xml::escape::resolve_predefined_entity(&entity)?,
                ),
            },
            Event::Eof => return Some(leaves),
            _ => {}
        }
    }
}

fn append(open: &mut Option<(String, String)>, more: &str) {
    if let Some((_, text)) = open {
        text.push_str(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn leaves_are_read_in_order_and_unescaped() {
        let xml = "<?xml version=\"1.0\"?><a xmlns=\"x\"><n:b> 1 &lt;&#65; </n:b><c/><d><![CDATA[<>]]></d></a>";
        let expected = [("b", "1 <A"), ("d", "<>")];
        assert_eq!(
            leaves(xml.as_bytes()).unwrap(),
            expected.map(|(name, text)| (name.to_owned(), text.to_owned()))
        );
    }

    #[test]
    fn a_body_that_is_not_well_formed_has_no_leaves() {
        for xml in ["<a><b></a>", "<a", "<a>&nope;</a>", "\u{0}<"] {
            assert_eq!(leaves(xml.as_bytes()), None, "{xml}");
        }
        assert_eq!(leaves(b"\xff"), None);
        assert_eq!(leaves(b"no xml"), Some(vec![]));
    }

    proptest! {
        #[test]
        fn no_body_causes_a_panic(body in prop::collection::vec(any::<u8>(), 0..300), text in "[<>&;/a-c#x0-9 ]*") {
            leaves(&body);
            leaves(text.as_bytes());
        }
    }
}
