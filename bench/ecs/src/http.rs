//! HTTP/1.1 for both ends of a persistent connection: only messages with a `Content-Length`.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;

const CHUNK: usize = 64 * 1024;

/// A connection, and the bytes read from it so far.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    /// The end of the previous message.
    taken: usize,
}

/// A request or a response.
pub struct Message<'a> {
    /// The first line and the headers.
    pub head: &'a str,
    pub body: &'a [u8],
}

impl Message<'_> {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }
}

impl Connection {
    /// # Errors
    /// If the connection is broken already.
    pub fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; CHUNK],
            filled: 0,
            taken: 0,
        })
    }

    /// The next message; none if the other end closed the connection between two messages.
    ///
    /// # Errors
    /// If the connection breaks within a message, or the message is malformed.
    pub fn read(&mut self) -> Result<Option<Message<'_>>> {
        self.buffer.copy_within(self.taken..self.filled, 0);
        self.filled -= self.taken;
        self.taken = 0;
        let head = loop {
            let end = self.buffer[..self.filled]
                .windows(4)
                .position(|window| window == b"\r\n\r\n");
            if let Some(end) = end {
                break end;
            }
            if !self.more()? {
                return match self.filled {
                    0 => Ok(None),
                    _ => Err(ErrorKind::UnexpectedEof.into()),
                };
            }
        };
        let text = str::from_utf8(&self.buffer[..head]).map_err(Error::other)?;
        if header(text, "transfer-encoding").is_some() {
            return Err(Error::other("a message without Content-Length"));
        }
        let length: usize = match header(text, "content-length") {
            Some(length) => length.parse().map_err(Error::other)?,
            None => 0,
        };
        let end = head + 4 + length;
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        while self.filled < end {
            if !self.more()? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        self.taken = end;
        Ok(Some(Message {
            head: str::from_utf8(&self.buffer[..head]).map_err(Error::other)?,
            body: &self.buffer[head + 4..end],
        }))
    }

    /// # Errors
    /// If the connection breaks.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes)
    }

    fn more(&mut self) -> Result<bool> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.filled + CHUNK, 0);
        }
        let read = self.stream.read(&mut self.buffer[self.filled..])?;
        self.filled += read;
        Ok(read > 0)
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
