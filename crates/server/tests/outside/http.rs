//! As much of a browser as a form and the live channel need, on blocking sockets.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(20);

/// Where somebody is signed in: cookie and form token.
#[derive(Clone)]
pub struct Login {
    pub token: String,
    pub csrf: String,
}

#[derive(Clone)]
pub struct Client {
    at: SocketAddr,
    login: Option<Login>,
}

impl Client {
    pub fn new(at: SocketAddr, login: Option<Login>) -> Self {
        Self { at, login }
    }

    fn send(&self, method: &str, path: &str, more: &str, body: &str) -> Result<TcpStream> {
        let mut socket = TcpStream::connect(self.at)?;
        socket.set_read_timeout(Some(WAIT))?;
        let cookie = self
            .login
            .as_ref()
            .map_or_else(String::new, |login| format!("cookie: chairside={}\r\n", login.token));
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{cookie}{more}", self.at);
        socket.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
        Ok(socket)
    }

    /// The status, and the body as it came.
    pub fn get(&self, path: &str) -> Result<(u16, String)> {
        answer(self.send("GET", path, "", "")?)
    }

    /// Sends a form as a browser on a page of the server does; an error is no answer, not a refusal.
    pub fn post(&self, path: &str, command_id: &str, fields: &[(&str, &str)]) -> Result<u16> {
        let csrf = self.login.as_ref().map(|login| login.csrf.as_str()).unwrap_or_default();
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs([("csrf", csrf), ("command_id", command_id)]).extend_pairs(fields);
        let more = format!(
            "content-type: application/x-www-form-urlencoded\r\nsec-fetch-site: same-origin\r\norigin: http://{}\r\n",
            self.at
        );
        Ok(answer(self.send("POST", path, &more, &form.finish())?)?.0)
    }

    /// Opens the live channel.
    pub fn live(&self, scope: &str) -> Result<Live> {
        let socket = self.send("GET", &format!("/live?scope={scope}"), "", "")?;
        Ok(Live { lines: BufReader::with_capacity(1 << 16, socket), name: String::new() })
    }
}

fn answer(mut socket: TcpStream) -> Result<(u16, String)> {
    let mut text = String::new();
    socket.read_to_string(&mut text)?;
    let status = text.get(9..12).and_then(|code| code.parse().ok());
    // A connection that was cut before the whole answer came tells nothing.
    let (status, (head, body)) = status.zip(text.split_once("\r\n\r\n")).ok_or(ErrorKind::UnexpectedEof)?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    if length.is_some_and(|length| length != body.len()) {
        return Err(Error::from(ErrorKind::UnexpectedEof));
    }
    Ok((status, body.to_owned()))
}

/// One message after the other.
pub struct Live {
    lines: BufReader<TcpStream>,
    name: String,
}

impl Live {
    /// Name and JSON of the next message.
    pub fn next(&mut self) -> Result<(String, String)> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.lines.read_line(&mut line)? == 0 {
                return Err(Error::from(ErrorKind::UnexpectedEof));
            }
            if let Some(name) = line.strip_prefix("event: ") {
                name.trim_end().clone_into(&mut self.name);
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Ok((std::mem::take(&mut self.name), data.trim_end().to_owned()));
            }
        }
    }
}
