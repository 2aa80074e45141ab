//! A place that connectors of the field may reach: it answers every request, and whoever ends a connection has it end.
//!
//! Not here: who reaches it.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use anyhow::Result;

const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Opens it, for as long as the process runs.
pub(crate) fn start() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    Ok(address)
}

/// A request is no longer than what one read gives: those of an attack on the machine have no body.
fn answer(mut stream: TcpStream) {
    let mut asked = [0; 4_096];
    while stream.read(&mut asked).is_ok_and(|count| count > 0) {
        if stream.write_all(RESPONSE).is_err() {
            return;
        }
    }
}
