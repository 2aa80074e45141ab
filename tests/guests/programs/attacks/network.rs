//! Tries to reach what is not its own: the setting `to` says where.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket};

use crate::{Answer, denied, setting, tell};

pub(crate) fn attack(name: &str) -> Option<Answer> {
    let to = setting("to");
    Some(match name {
        "connect" => denied(TcpStream::connect(&to)),
        "send a datagram" => denied(datagram(&to)),
        "listen" => denied(TcpListener::bind(&to)),
        "bind a datagram socket" => denied(UdpSocket::bind(&to)),
        "look up a name" => denied(look_up(&to)),
        "connect without end" => flood(&to),
        "connect again and again" => again(&to),
        "speak HTTP" => denied(speak(&to)),
        _ => return None,
    })
}

fn datagram(to: &str) -> std::io::Result<usize> {
    UdpSocket::bind("0.0.0.0:0")?.send_to(b"hello", to)
}

fn look_up(name: &str) -> std::io::Result<()> {
    let found = name.to_socket_addrs()?;
    let none = || std::io::Error::other("no address");
    found.into_iter().next().map(drop).ok_or_else(none)
}

fn speak(to: &str) -> std::io::Result<usize> {
    let mut stream = TcpStream::connect(to)?;
    stream.write_all(b"GET /connectors HTTP/1.1\r\nhost: x\r\n\r\n")?;
    stream.read(&mut [0; 64])
}

/// Where it may: until its deadline.
fn again(to: &str) -> ! {
    loop {
        drop(TcpStream::connect(to));
    }
}

/// Until its deadline.
fn flood(to: &str) -> Answer {
    loop {
        if TcpStream::connect(to).is_ok() {
            return tell("ESCAPED");
        }
    }
}
