//! The smallest mail server that a sender can talk to (RFC 5321): it keeps what it took.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// What it does with a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Takes it and says so.
    Takes,
    /// Has no time.
    Busy,
    /// Takes it, and the line breaks so many seconds later, before it says so.
    Breaks(u64),
}

pub struct MailServer {
    pub at: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    taken: Receiver<String>,
}

impl MailServer {
    pub fn open(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let (take, taken) = channel();
        let manner = Arc::new(Mutex::new(manner));
        let now = Arc::clone(&manner);
        std::thread::spawn(move || {
            for line in listener.incoming().flatten() {
                let (take, now) = (take.clone(), Arc::clone(&now));
                std::thread::spawn(move || talk(&line, &take, &now));
            }
        });
        Self { at, manner, taken }
    }

    pub fn now(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// What it took since it was last asked.
    pub fn taken(&self) -> Vec<String> {
        self.taken.try_iter().collect()
    }

    /// Waits for the next mail.
    pub fn next(&self) -> String {
        self.taken.recv_timeout(std::time::Duration::from_secs(60)).expect("a mail")
    }
}

fn talk(line: &TcpStream, take: &Sender<String>, manner: &Mutex<Manner>) {
    let mut out = line;
    let mut say = |text: &str| out.write_all(format!("{text}\r\n").as_bytes());
    let _said = say("220 mail.test ESMTP");
    let (mut mail, mut in_mail) = (String::new(), false);
    for line in BufReader::new(line).lines().map_while(Result::ok) {
        let busy = *manner.lock().unwrap() == Manner::Busy;
        let word = line.split(' ').next().unwrap_or_default().to_uppercase();
        let answer = match word.as_str() {
            _ if in_mail && line == "." => {
                in_mail = false;
                let _kept = take.send(std::mem::take(&mut mail));
                match *manner.lock().unwrap() {
                    Manner::Breaks(seconds) => {
                        let (_keep, never) = channel::<()>();
                        let _broke = never.recv_timeout(std::time::Duration::from_secs(seconds));
                        return;
                    }
                    Manner::Takes | Manner::Busy => "250 taken",
                }
            }
            _ if in_mail => {
                mail.push_str(&line);
                mail.push('\n');
                continue;
            }
            "EHLO" => "250 mail.test",
            "RCPT" if busy => "450 4.2.1 try again later",
            "RCPT" => {
                mail = format!("{line}\n");
                "250 ok"
            }
            "DATA" => {
                in_mail = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        if say(answer).is_err() {
            return;
        }
    }
}
