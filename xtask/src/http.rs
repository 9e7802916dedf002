//! HTTP/1.1, as much of it as a static host on this machine needs: requests without a body, one after another on each
//! connection.

use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// The longest head of a request, in bytes, and its most headers: several times what browsers send.
const LONGEST_HEAD: u64 = 64 * 1024;
const MOST_HEADERS: usize = 100;

/// A client's request.
pub struct Request {
    pub method: String,
    /// The path with its query.
    pub target: String,
    headers: Vec<(String, String)>,
}

impl Request {
    /// The value of a header, whose name is in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The answer to it.
pub struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Response {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![], body: body.into() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Answers whoever connects, for as long as the program runs. Each connection has a thread of its own: a browser opens
/// several at once and keeps them, used or not, and none may wait for another to end.
pub fn serve(
    listener: TcpListener,
    answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
) -> JoinHandle<()> {
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // A client that goes away ends its connection, nothing else.
            thread::spawn(move || converse(&stream, &*answer));
        }
    })
}

fn converse(stream: &TcpStream, answer: &dyn Fn(&Request) -> Response) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let head = read_head(&mut reader)?;
        if head.is_empty() {
            return Ok(());
        }
        let Some(request) = parse(&head) else {
            return send(stream, &Response::new(400, "This is no request\n"), true, true);
        };
        // A body is not read, so what follows it cannot be.
        let has_body = request.header("transfer-encoding").is_some()
            || request.header("content-length").is_some_and(|length| length != "0");
        let ends =
            has_body || request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        send(stream, &answer(&request), request.method != "HEAD", ends)?;
        if ends {
            return Ok(());
        }
    }
}

/// The lines up to the empty one; nothing when the client has closed.
fn read_head(reader: &mut BufReader<&TcpStream>) -> Result<Vec<u8>> {
    let mut head = vec![];
    let mut limited = reader.take(LONGEST_HEAD);
    while limited.read_until(b'\n', &mut head)? > 0 {
        if head.ends_with(b"\r\n\r\n") {
            return Ok(head);
        }
    }
    Ok(head)
}

fn parse(head: &[u8]) -> Option<Request> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    if !parsed.parse(head).ok()?.is_complete() || parsed.version != Some(1) {
        return None;
    }
    let headers = parsed
        .headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned()));
    Some(Request { method: parsed.method?.into(), target: parsed.path?.into(), headers: headers.collect() })
}

/// Sends an answer; one to HEAD has the length of a body that is not sent.
fn send(mut stream: &TcpStream, response: &Response, with_body: bool, ends: bool) -> Result<()> {
    let Response { status, headers, body } = response;
    let mut message = format!("HTTP/1.1 {status} {}\r\n", reason(*status)).into_bytes();
    for (name, value) in headers {
        write!(message, "{name}: {value}\r\n")?;
    }
    if *status != 304 {
        write!(message, "Content-Length: {}\r\n", body.len())?;
    }
    write!(message, "Connection: {}\r\n\r\n", if ends { "close" } else { "keep-alive" })?;
    if with_body {
        message.extend(body);
    }
    stream.write_all(&message)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        304 => "Not Modified",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    /// The whole answer to these bytes of a server that gives back the target.
    fn talk(bytes: &[u8]) -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        serve(listener, |request| {
            Response::new(200, request.target.clone()).with("X-Method", request.method.clone())
        });
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn a_connection_has_many_answers() {
        let said = talk(
            b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nHEAD /bcd HTTP/1.1\r\nHost: x\r\n\r\n\
              GET /e HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        );
        let answers: Vec<_> = said.split("HTTP/1.1 200 OK\r\n").skip(1).collect();
        assert_eq!(answers.len(), 3, "{said}");
        assert!(answers[0].ends_with("\r\n\r\n/a"), "{said}");
        assert!(answers[1].contains("Content-Length: 4\r\n") && answers[1].ends_with("\r\n\r\n"), "{said}");
        assert!(answers[2].ends_with("Connection: close\r\n\r\n/e"), "{said}");
    }

    #[test]
    fn what_is_no_request_ends_the_connection() {
        for nonsense in
            [&b"nonsense\r\n\r\n"[..], b"GET / HTTP/1.0\r\n\r\n", &[b"GET /", &*vec![b'a'; 65_531]].concat()]
        {
            assert!(talk(nonsense).starts_with("HTTP/1.1 400"), "{}", nonsense.len());
        }
        let said = talk(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nGET ");
        assert!(said.contains("X-Method: POST") && said.contains("Connection: close"), "{said}");
    }
}
