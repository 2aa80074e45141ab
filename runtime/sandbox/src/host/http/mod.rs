//! `wasi:http`: requests that guests make.
//!
//! Each goes through the connector's gate, or over a connection that an earlier one of the same store went through it for, speaks HTTP/1.1, and
//! follows no redirect. Ours rather than wasmtime's, which brings HTTP/2 and a second TLS; here every byte that the host keeps counts in the store's
//! memory. Not here: where a connector may connect to (`egress`).

#![expect(unreachable_pub, reason = "bindings want the types of handles to be public")]

use wasmtime::component::{HasSelf, Linker};

use crate::host::Host;

mod fields;
mod incoming;
mod kept;
mod outgoing;
mod pipe;
mod request;
mod response;
mod send;
mod unused;

/// Bindings to the interface.
pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "src/host/http/http.wit",
        world: "tombolo:host-http/http",
        imports: { default: trappable },
        require_store_data_send: true,
        with: {
            "wasi:io": wasmtime_wasi::p2::bindings::io,
            "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
            "wasi:http/types.fields": super::fields::Fields,
            "wasi:http/types.outgoing-request": super::request::OutgoingRequest,
            "wasi:http/types.request-options": super::request::RequestOptions,
            "wasi:http/types.outgoing-body": super::outgoing::OutgoingBody,
            "wasi:http/types.future-incoming-response": super::response::FutureResponse,
            "wasi:http/types.incoming-response": super::response::IncomingResponse,
            "wasi:http/types.incoming-body": super::incoming::IncomingBody,
            "wasi:http/types.future-trailers": super::incoming::FutureTrailers,
            "wasi:http/types.incoming-request": super::unused::IncomingRequest,
            "wasi:http/types.outgoing-response": super::unused::OutgoingResponse,
            "wasi:http/types.response-outparam": super::unused::ResponseOutparam,
        },
    });
}

pub(crate) use bindings::wasi::http::{outgoing_handler, types};
pub(crate) use kept::Kept;

impl types::Host for Host {
    fn http_error_code(
        &mut self,
        error: wasmtime::component::Resource<wasmtime_wasi::p2::IoError>,
    ) -> wasmtime::Result<Option<types::ErrorCode>> {
        let error = self.table.get(&error)?;
        Ok(error.downcast_ref::<incoming::BodyFailed>().map(|failed| failed.0.clone()))
    }
}

/// Adds it to what components may import.
pub(crate) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    types::add_to_linker::<Host, HasSelf<Host>>(linker, |host| host)?;
    outgoing_handler::add_to_linker::<Host, HasSelf<Host>>(linker, |host| host)
}
