//! What was written of the newest snapshot, so that it is not written again for each who asks.

use std::cell::RefCell;
use std::rc::Rc;

use super::snapshot::Snapshot;

/// How many answers are kept.
const MOST: usize = 16;

/// How much is kept, in bytes: whoever asks can think of as many questions as he likes.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Answers to questions about one snapshot.
#[derive(Debug, Default)]
pub struct Written {
    answers: RefCell<Vec<(Rc<Snapshot>, String, Text)>>,
}

/// An answer's body, which all who ask the same share.
pub type Body = Rc<Vec<u8>>;

/// An answer's body and its entity tag.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Text {
    pub body: Body,
    pub etag: Rc<str>,
}

impl Written {
    /// What was written of `snapshot` for `question`, or what `write` writes now.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn get<E>(
        &self,
        snapshot: &Rc<Snapshot>,
        question: &str,
        write: impl FnOnce() -> Result<Text, E>,
    ) -> Result<Text, E> {
        let known = self.answers.borrow().iter().find_map(|(of, asked, text)| {
            (Rc::ptr_eq(of, snapshot) && asked == question).then(|| text.clone())
        });
        if let Some(text) = known {
            return Ok(text);
        }
        let text = write()?;
        let mut answers = self.answers.borrow_mut();
        answers.retain(|(of, ..)| Rc::ptr_eq(of, snapshot));
        answers.push((Rc::clone(snapshot), question.to_owned(), text.clone()));
        let bytes = |answers: &[(_, _, Text)]| -> usize {
            answers.iter().map(|(.., text)| text.body.len()).sum()
        };
        while answers.len() > MOST || bytes(&answers) > MOST_BYTES {
            answers.remove(0);
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::time::UNIX_EPOCH;

    fn snapshot() -> Rc<Snapshot> {
        Rc::new(Snapshot {
            generated_at: UNIX_EPOCH,
            account: None,
            clusters: Vec::new(),
            failures: Vec::new(),
            kept: Vec::new(),
        })
    }

    #[test]
    fn each_question_about_a_snapshot_is_written_once() {
        let written = Written::default();
        let writes = Cell::new(0);
        let ask = |snapshot: &Rc<Snapshot>, question: &str| {
            let text = written.get(snapshot, question, || {
                writes.set(writes.get() + 1);
                Ok::<_, ()>(Text {
                    body: Rc::new(question.into()),
                    etag: "".into(),
                })
            });
            assert_eq!(*text.unwrap().body, question.as_bytes());
            writes.get()
        };
        let (one, other) = (snapshot(), snapshot());
        assert_eq!([ask(&one, "a"), ask(&one, "a"), ask(&one, "b")], [1, 1, 2]);
        assert_eq!([ask(&other, "a"), ask(&other, "a")], [3, 3]);
        assert_eq!(ask(&one, "a"), 4, "the older snapshot's are dropped");
        for number in 0..2 * MOST {
            ask(&one, &number.to_string());
        }
        assert_eq!(written.answers.borrow().len(), MOST);
        ask(&one, &"long".repeat(MOST_BYTES / 8));
        ask(&one, &"longer".repeat(MOST_BYTES / 8));
        assert_eq!(
            written.answers.borrow().len(),
            1,
            "the older ones make room"
        );
        ask(&one, &"x".repeat(MOST_BYTES));
        assert_eq!(written.answers.borrow().len(), 1, "as much as is kept");
        ask(&one, &"x".repeat(MOST_BYTES + 1));
        assert_eq!(
            written.answers.borrow().len(),
            0,
            "what is too long is not kept"
        );
    }
}
