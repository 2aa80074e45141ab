//! Sockets that guests open by themselves: WASI's, each with a place among the connector's connections.
//!
//! Their bytes are not counted. Not here: where they may connect to (`egress`).

use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddressFamily};
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket;
use wasmtime_wasi::p2::{SocketError, SocketResult, TcpSocket};
use wasmtime_wasi::sockets::WasiSocketsView as _;

use super::Host;
use super::network::CONNECTION_BYTES;
use crate::limits::Held;

/// What the sockets of one store take.
#[derive(Default)]
pub(crate) struct Sockets(Vec<Taken>);

struct Taken {
    _place: OwnedSemaphorePermit,
    _held: Held,
}

struct HasSockets;

impl HasData for HasSockets {
    type Data<'a> = Opening<'a>;
}

/// Opens a socket of a store.
struct Opening<'a>(&'a mut Host);

/// Takes the place of WASI's own way to open a socket.
pub(crate) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    tcp_create_socket::add_to_linker::<Host, HasSockets>(linker, |host| Opening(host))?;
    linker.allow_shadowing(false);
    Ok(())
}

impl Host {
    /// Gives back what sockets took that are closed.
    pub(crate) fn settle_sockets(&mut self) {
        if !self.sockets.0.is_empty() {
            let open = self.table.iter_mut().filter(|entry| entry.is::<TcpSocket>()).count();
            self.sockets.0.truncate(open);
        }
    }
}

impl network::HostNetwork for Opening<'_> {
    fn drop(&mut self, network: Resource<network::Network>) -> wasmtime::Result<()> {
        self.0.sockets().drop(network)
    }
}

impl network::Host for Opening<'_> {
    fn network_error_code(
        &mut self,
        error: Resource<wasmtime_wasi::p2::IoError>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        self.0.sockets().network_error_code(error)
    }

    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        self.0.sockets().convert_error_code(error)
    }
}

impl tcp_create_socket::Host for Opening<'_> {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        let Self(host) = self;
        host.settle_sockets();
        let place = host.gate.try_place().ok_or(ErrorCode::NewSocketLimit)?;
        let held = host.hold(CONNECTION_BYTES).map_err(|_| ErrorCode::OutOfMemory)?;
        let socket = host.sockets().create_tcp_socket(family)?;
        host.sockets.0.push(Taken { _place: place, _held: held });
        Ok(socket)
    }
}
