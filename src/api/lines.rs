//! Lines out of a body as it arrives, each bounded, never the whole of it. Parses none.

use actix_web::error::PayloadError;
use actix_web::web::{Bytes, BytesMut};
use futures_util::stream::{Stream, StreamExt as _, unfold};

/// One line, numbered from 1 as editors do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number; blank lines count.
    pub number: u64,
    /// What stands in it.
    pub text: Text,
}

/// What stands in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// Its bytes, without the line end.
    Whole(Bytes),
    /// It is longer than allowed, and was passed over.
    TooLong,
    /// The body broke off here: whatever stood in this line is not known whole.
    Broken(String),
}

/// Lines cut out of pieces.
#[derive(Debug, Default)]
struct Cutter {
    /// What was read and not handed out.
    read: BytesMut,
    /// How much of it holds no line end.
    searched: usize,
    number: u64,
    /// The rest of the present line is passed over.
    passing: bool,
    ended: bool,
}

impl Cutter {
    /// The next line that is there, if one is.
    fn cut(&mut self, bytes_max: usize) -> Option<Line> {
        loop {
            let unseen = self.read.get(self.searched..).unwrap_or_default();
            let end = unseen.iter().position(|byte| *byte == b'\n').map(|at| self.searched + at);
            let Some(end) = end else {
                if self.read.len() > bytes_max {
                    self.read.clear();
                    self.searched = 0;
                    if !self.passing {
                        self.passing = true;
                        return Some(Line { number: self.number + 1, text: Text::TooLong });
                    }
                }
                self.searched = self.read.len();
                return None;
            };
            let mut line = self.read.split_to(end + 1);
            line.truncate(end);
            self.searched = 0;
            if let Some(line) = self.line(line.freeze(), bytes_max) {
                return Some(line);
            }
        }
    }

    /// What there is without a line end, when nothing more comes.
    fn rest(&mut self, bytes_max: usize) -> Option<Line> {
        let rest = std::mem::take(&mut self.read).freeze();
        self.line(rest, bytes_max)
    }

    /// A line that is complete; nothing where it is blank, or was answered for already.
    fn line(&mut self, bytes: Bytes, bytes_max: usize) -> Option<Line> {
        self.number += 1;
        let number = self.number;
        if std::mem::take(&mut self.passing) {
            return None;
        }
        if bytes.len() > bytes_max {
            return Some(Line { number, text: Text::TooLong });
        }
        // Some editors begin a file of UTF-8 with a mark.
        let bytes = if number == 1 && bytes.starts_with(b"\xef\xbb\xbf") { bytes.slice(3..) } else { bytes };
        (!bytes.trim_ascii().is_empty()).then_some(Line { number, text: Text::Whole(bytes) })
    }
}

/// The lines of a body, at most `bytes_max` each. The next piece of the body is asked for only when the lines of the
/// piece before are taken, so that whoever takes them slowly is sent no more.
pub fn lines<E>(pieces: E, bytes_max: usize) -> impl Stream<Item = Line>
where
    E: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    unfold((pieces, Cutter::default()), move |(mut pieces, mut cutter)| async move {
        loop {
            if cutter.ended {
                return None;
            }
            if let Some(line) = cutter.cut(bytes_max) {
                return Some((line, (pieces, cutter)));
            }
            match pieces.next().await {
                Some(Ok(piece)) => cutter.read.extend_from_slice(&piece),
                Some(Err(error)) => {
                    cutter.ended = true;
                    let line = Line { number: cutter.number + 1, text: Text::Broken(error.to_string()) };
                    return Some((line, (pieces, cutter)));
                }
                None => {
                    cutter.ended = true;
                    return cutter.rest(bytes_max).map(|line| (line, (pieces, cutter)));
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in the lines of a body that arrives in these pieces.
    fn cut(pieces: &[&'static [u8]], bytes_max: usize) -> Vec<(u64, String)> {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from_static(piece))).collect();
        told(pieces, bytes_max)
    }

    fn told(pieces: Vec<Result<Bytes, PayloadError>>, bytes_max: usize) -> Vec<(u64, String)> {
        let lines = lines(futures_util::stream::iter(pieces), bytes_max).map(|line| match line.text {
            Text::Whole(bytes) => (line.number, String::from_utf8_lossy(&bytes).into_owned()),
            Text::TooLong => (line.number, "too long".into()),
            Text::Broken(why) => (line.number, format!("broken: {why}")),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(lines.collect())
    }

    fn check(pieces: &[&'static [u8]], expected: &[(u64, &str)]) {
        let expected: Vec<(u64, String)> = expected.iter().map(|(at, text)| (*at, (*text).to_owned())).collect();
        assert_eq!(cut(pieces, 8), expected, "{pieces:?}");
    }

    #[test]
    fn lines_are_the_same_however_the_body_is_cut() {
        check(&[b"one\ntwo\nthree"], &[(1, "one"), (2, "two"), (3, "three")]);
        check(&[b"o", b"ne\ntw", b"o\n", b"thr", b"ee"], &[(1, "one"), (2, "two"), (3, "three")]);
        check(&[b"one\n\n \r\n", b"two\n\n"], &[(1, "one"), (4, "two")]);
        check(&[b"\xef\xbb\xbfone\n"], &[(1, "one")]);
        check(&[], &[]);
    }

    #[test]
    fn a_line_too_long_is_passed_over_and_the_next_one_is_read() {
        check(&[b"123456789\nok"], &[(1, "too long"), (2, "ok")]);
        check(&[b"12345", b"6789", b"0123456789", b"01\nok\n"], &[(1, "too long"), (2, "ok")]);
        check(&[b"12345678\n123456789"], &[(1, "12345678"), (2, "too long")]);
        check(&[b"a\n123456789012", b"34567890123", b"4"], &[(1, "a"), (2, "too long")]);
    }

    #[test]
    fn what_breaks_off_within_a_line_is_not_taken_for_a_line() {
        let pieces = vec![Ok(Bytes::from_static(b"one\ntw")), Err(PayloadError::Incomplete(None))];
        let found = told(pieces, 8);
        assert_eq!(found[0], (1, "one".to_owned()));
        assert!(found[1].0 == 2 && found[1].1.starts_with("broken: "), "{found:?}");
        assert_eq!(found.len(), 2);
    }
}
